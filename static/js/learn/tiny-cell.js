/** How one number of the small network came about, in the shape of POST cell; and its maps as the page keeps maps. */

import { BIASES, SIDE, SIGNS, TABLE, W1, W2, W3 } from "./tiny.js";

/**
 * @typedef {import("./tiny.js").Pass} Pass
 * @typedef {import("../network/source.js").Cell} Cell
 * @typedef {import("../activations.js").Layer} Layer
 */

/**
 * @param {number[][]} plane
 * @param {number} row
 * @param {number} column
 * @param {number} side
 */
const cut = (plane, row, column, side) => plane.slice(row, row + side).map((x) => x.slice(column, column + side));

/**
 * @param {Pass} pass
 * @param {{ layer: string, channel: number, row: number, column: number }} at
 * @returns {Cell}
 */
export function cell(pass, at) {
  if (at.layer === "fc3") return answer(pass, at.channel);
  const { layer, channel, row, column } = at;
  const isFirst = layer === "conv1";
  const [planes, kernel] = isFirst ? [[pass.picture], W1[channel]] : [pass.pooled, W2[channel]];
  const side = kernel[0].length;
  const terms = kernel.map((weights, i) => {
    const inputs = cut(planes[i], row, column, side);
    const sum = inputs.flat().reduce((total, x, j) => total + x * weights.flat()[j], 0);
    return { channel: i, sum, inputs, weights };
  });
  const [sums, maps] = isFirst ? [pass.sums1, pass.maps1] : [pass.sums2, pass.maps2];
  const at2 = [Math.floor(row / 2), Math.floor(column / 2)];
  const window = cut(maps[channel], 2 * at2[0], 2 * at2[1], 2);
  return {
    ...at,
    operation: "convolution",
    input: { layer: isFirst ? "picture" : "pool1", shape: [planes.length, planes[0].length, planes[0].length] },
    window: { top: row, left: column, height: side, width: side },
    terms: terms.sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum)),
    others: { count: 0, sum: 0 },
    bias: BIASES[isFirst ? "conv1" : "conv2"][channel],
    sum: sums[channel][row][column],
    activation: "relu",
    value: maps[channel][row][column],
    kept: maps[channel][row][column],
    after: isFirst
      ? [{ step: "pool", window, value: pass.pooled[channel][at2[0]][at2[1]], row: at2[0], column: at2[1] }]
      : [],
    softmax: null,
    sigmoid: null,
  };
}

/** @param {Pass} pass @param {number} sign @returns {Cell} */
function answer({ maps2, logits, shares }, sign) {
  const terms = maps2.flat(2).map((input, i) => {
    const weight = W3[sign][i];
    return {
      unit: null,
      cell: { channel: i >> 2, row: (i >> 1) & 1, column: i & 1 },
      input,
      weight,
      product: input * weight,
    };
  });
  const powers = logits.map(Math.exp);
  const top = SIGNS.map((label, i) => ({ id: label, label, logit: logits[i], probability: shares[i] }));
  return {
    layer: "fc3",
    window: null,
    sigmoid: null,
    channel: sign,
    row: 0,
    column: 0,
    operation: "linear",
    input: { layer: "conv2", shape: [4, 2, 2] },
    terms: terms.sort((a, b) => Math.abs(b.product) - Math.abs(a.product)),
    others: { count: 0, sum: 0 },
    bias: BIASES.fc3[sign],
    sum: logits[sign],
    activation: null,
    value: logits[sign],
    kept: logits[sign],
    after: [],
    softmax: {
      vocabulary: "sign",
      logit: logits[sign],
      temperature: 1,
      bias: 0,
      scaled: logits[sign],
      largest: 0,
      exp: powers[sign],
      total: powers.reduce((sum, power) => sum + power, 0),
      probability: shares[sign],
      top: top.sort((a, b) => b.logit - a.logit),
    },
  };
}

/** @param {Pass} pass @returns {{ layers: Layer[], inputSize: number }} */
export function activations(pass) {
  const all = { picture: [pass.picture], conv1: pass.maps1, pool1: pass.pooled, conv2: pass.maps2 };
  const made = Object.entries(all).map(([name, maps]) => {
    const row = TABLE.find((candidate) => candidate.name === name) ?? { field: 1, jump: 1, start: 0 };
    const maxima = Float32Array.from(maps, (map) => Math.max(...map.flat()));
    const cells = Uint8Array.from(
      maps.flatMap((map, i) => map.flat().map((v) => (maxima[i] ? (255 * v) / maxima[i] : 0))),
    );
    /** @type {[number, number, number]} */
    const shape = [maps.length, maps[0].length, maps[0].length];
    const place = { receptiveField: row.field, jump: row.jump, start: row.start };
    return { name, shape, ...place, maxima, cells, top: Math.max(...maxima) };
  });
  return { layers: made, inputSize: SIDE };
}
