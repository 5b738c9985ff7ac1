/**
 * A network small enough to check by hand: one plane of 8 × 8, four kernels of 3 × 3, pooling, four kernels of 2 × 2, and
 * four answers. Its weights are set, not learned. All sums are numbers.js's; what it tells of them has the shape of POST
 * connections and POST cell, so that the connected view shows it as it shows the real one.
 *
 * @typedef {import("./numbers.js").Plane} Plane
 * @typedef {import("./numbers.js").Volume} Volume
 *
 * @typedef {object} Pass everything that one picture gives
 * @property {Plane} picture
 * @property {Volume} sums1 of conv1, before ReLU
 * @property {Volume} maps1
 * @property {Volume} pooled
 * @property {Volume} sums2
 * @property {Volume} maps2
 * @property {number[]} logits
 * @property {number[]} shares
 */

import { correlateVolume, layers, maxPool, relu, weightedSum } from "./numbers.js";

const STROKES = [
  [
    [-1, 2, -1],
    [-1, 2, -1],
    [-1, 2, -1],
  ],
  [
    [-1, -1, -1],
    [2, 2, 2],
    [-1, -1, -1],
  ],
  [
    [-1, -1, 2],
    [-1, 2, -1],
    [2, -1, -1],
  ],
  [
    [2, -1, -1],
    [-1, 2, -1],
    [-1, -1, 2],
  ],
]; // upright, level, rising, falling
const BIAS1 = -1;

/** How much each stroke counts for a kernel of conv2, at each of its 2 × 2 cells. */
const PAIRS = [
  [1, 1, -1, -1],
  [-1, -1, 1, 1],
  [-1, 1, -1, -1],
  [1, -1, -1, -1],
]; // both straight ones, both slanted ones, a level one alone, an upright one alone
const BIAS2 = [-13, -11, -6, -6];

export const SIGNS = ["plus", "times", "minus", "bar"];
const OWN = 0.1;
const OTHERS = -0.05;

export const SIDE = 8;
const ROWS = [
  { name: "conv1", operation: "conv", channels: 4, kernel: 3 },
  { name: "pool1", operation: "pool", kernel: 2, stride: 2 },
  { name: "conv2", operation: "conv", channels: 4, kernel: 2 },
  { name: "fc3", operation: "linear", channels: 4 },
];
export const TABLE = layers({ picture: [1, SIDE, SIDE], rows: ROWS });

const square = (/** @type {number} */ v) => [
  [v, v],
  [v, v],
];
export const W1 = STROKES.map((kernel) => [kernel]);
export const W2 = PAIRS.map((factors) => factors.map(square));
/** One row a sign: the cells of all maps of conv2, channel by channel. */
export const W3 = SIGNS.map((_, sign) => SIGNS.flatMap((_, k) => Array(4).fill(k === sign ? OWN : OTHERS)));
export const BIASES = { conv1: [BIAS1, BIAS1, BIAS1, BIAS1], conv2: BIAS2, fc3: [0, 0, 0, 0] };

/** The pictures to begin with, row by row. */
export const DRAWINGS = {
  plus: [
    [3, 0],
    [3, 1],
    [3, 2],
    [3, 3],
    [3, 4],
    [3, 5],
    [3, 6],
    [0, 3],
    [1, 3],
    [2, 3],
    [4, 3],
    [5, 3],
    [6, 3],
  ],
  times: Array.from({ length: 7 }, (_, i) => [
    [i, i],
    [i, 6 - i],
  ]).flat(),
  minus: Array.from({ length: 7 }, (_, i) => [3, i]),
  bar: Array.from({ length: 7 }, (_, i) => [i, 3]),
  slash: Array.from({ length: 7 }, (_, i) => [i, 6 - i]), // which is none of the signs
};

/** @param {keyof typeof DRAWINGS} name @returns {Plane} */
export function drawing(name) {
  const plane = Array.from({ length: SIDE }, () => Array(SIDE).fill(0));
  for (const [row, column] of DRAWINGS[name]) plane[row][column] = 1;
  return plane;
}

const bend = (/** @type {Plane} */ plane) => plane.map((x) => relu({ x }));

/** @param {Plane} picture @returns {Pass} */
export function run(picture) {
  const sums1 = W1.map((w, k) => correlateVolume({ x: [picture], w, bias: BIASES.conv1[k] }));
  const maps1 = sums1.map(bend);
  const pooled = maps1.map((x) => maxPool({ x, size: 2, stride: 2 }));
  const sums2 = W2.map((w, k) => correlateVolume({ x: pooled, w, bias: BIASES.conv2[k] }));
  const maps2 = sums2.map(bend);
  const a = maps2.flat(2);
  const logits = W3.map((w, sign) => weightedSum({ a, w }) + BIASES.fc3[sign]);
  const powers = logits.map(Math.exp);
  const total = powers.reduce((sum, power) => sum + power, 0);
  return { picture, sums1, maps1, pooled, sums2, maps2, logits, shares: powers.map((power) => power / total) };
}

/** Cell by cell, for planes of one size. @param {Plane} a @param {Plane} b */
const dot = (a, b) => weightedSum({ a: a.flat(), w: b.flat() });

/** The gradient of a label's lead over the mean of all. @param {Pass} pass @param {number} label */
function gradients({ maps1, pooled, sums2 }, label) {
  const lead = W3[0].map((_, i) => W3[label][i] - W3.reduce((sum, row) => sum + row[i], 0) / W3.length);
  const into2 = sums2.map((plane, k) => plane.map((x, r) => x.map((v, c) => (v > 0 ? lead[4 * k + 2 * r + c] : 0))));
  const intoPool = pooled.map((plane, i) => plane.map((x, r) => x.map((_, c) => back(into2, i, r, c))));
  return { lead, into2, into1: maps1.map((plane, i) => unpool(plane, intoPool[i])) };
}

/** @param {Volume} into2 @param {number} i channel @param {number} r @param {number} c */
function back(into2, i, r, c) {
  let sum = 0;
  into2.forEach((plane, k) => {
    plane.forEach((x, row) => {
      x.forEach((g, column) => {
        sum += g * (W2[k][i][r - row]?.[c - column] ?? 0);
      });
    });
  });
  return sum;
}

/** Give each gradient to the cell that was the largest of its window, the first of them. @param {Plane} map @param {Plane} pooled */
function unpool(map, pooled) {
  const out = map.map((x) => x.map(() => 0));
  pooled.forEach((x, r) => {
    x.forEach((g, c) => {
      const window = [0, 1, 2, 3].map((i) => map[2 * r + (i >> 1)][2 * c + (i & 1)]);
      const first = window.indexOf(Math.max(...window));
      if (window[first] > 0) out[2 * r + (first >> 1)][2 * c + (first & 1)] += g;
    });
  });
  return out;
}

const most = (/** @type {Plane} */ plane) => Math.max(...plane.flat());
const bySize = (/** @type {{ relevance: number }} */ a, /** @type {{ relevance: number }} */ b) =>
  Math.abs(b.relevance) - Math.abs(a.relevance);

/** What fed what, for one label, in the shape of POST connections. @param {Pass} pass @param {number} label */
export function connections(pass, label) {
  const { lead, into2, into1 } = gradients(pass, label);
  const first = pass.maps1.map((map, channel) => ({
    channel,
    relevance: dot(map, into1[channel]),
    maximum: most(map),
  }));
  const second = pass.maps2.map((map, channel) => {
    const relevance = weightedSum({ a: map.flat(), w: lead.slice(4 * channel, 4 * channel + 4) });
    return { channel, relevance, maximum: most(map) };
  });
  const evidence = second.reduce((sum, { relevance }) => sum + relevance, 0);
  const edges = W2.flatMap((kernel, k) =>
    kernel.map((w, i) => ({
      from: /** @type {[string, number]} */ (["conv1", i]),
      to: /** @type {[string, number]} */ (["conv2", k]),
      weight: dot(correlateVolume({ x: [pass.pooled[i]], w: [w] }), into2[k]),
    })),
  );
  const last = pass.maps2.map((map, k) => ({
    from: /** @type {[string, number]} */ (["conv2", k]),
    to: /** @type {[string, number]} */ (["fc3", label]),
    weight: (1 - 1 / SIGNS.length) * weightedSum({ a: map.flat(), w: W3[label].slice(4 * k, 4 * k + 4) }),
  }));
  const answer = [{ channel: label, relevance: evidence, maximum: pass.logits[label] }];
  return {
    label: { id: SIGNS[label], label: SIGNS[label], vocabulary: "sign" },
    logit: pass.logits[label],
    probability: pass.shares[label],
    layers: [
      { name: "conv1", shape: [4, 6, 6], channels: first.sort(bySize), shown_share: 1 },
      { name: "conv2", shape: [4, 2, 2], channels: second.sort(bySize), shown_share: 1 },
      { name: "fc3", shape: [4], channels: answer, shown_share: 1 },
    ],
    edges: [...edges, ...last].filter(({ weight }) => weight !== 0),
  };
}
