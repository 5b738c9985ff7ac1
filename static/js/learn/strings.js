/**
 * Every word and every figure that the scripts of the lessons write.
 *
 * @typedef {import("./numbers.js").Windowed} Windowed
 * @typedef {import("./numbers.js").View} View
 */

/**
 * A number as it is read: a real minus, at most so many digits after the point.
 * @param {number} v
 * @param {number} [digits]
 */
export const num = (v, digits = 2) => v.toLocaleString("en", { maximumFractionDigits: digits }).replace("-", "−");

/** Very small and very large numbers keep two digits that say something. @param {number} v */
export const fine = (v) => {
  if (v === 0 || Math.abs(v) >= 0.01) return num(v, 3);
  const power = Math.floor(Math.log10(Math.abs(v)));
  return `${num(v / 10 ** power, 1)} · 10${superscript(power)}`;
};

/** @param {number} n */
const superscript = (n) => [...String(n)].map((digit) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(digit)]).join("");

/** A factor: negative ones stand in brackets. @param {number} v @param {number} [digits] */
export const term = (v, digits) => (v < 0 ? `(${num(v, digits)})` : num(v, digits));

export const SAY = {
  step: (/** @type {number} */ i, /** @type {number} */ n) => `Step ${i + 1} of ${n}`,

  right: "Yes.",
  wrong: "No. This is why:",

  notANumber: (/** @type {string} */ text, /** @type {number} */ kept) =>
    `“${text.slice(0, 20)}” is not a number; ${num(kept)} is kept.`,
  outOfRange: (/** @type {string} */ text, /** @type {number} */ most, /** @type {number} */ kept) =>
    `${text.slice(0, 20)} is out of range, which goes from −${most} to ${most}; ${num(kept)} is kept.`,

  drawing: "picture",
  drawingCaptions: /** @type {Record<string, string>} */ ({ conv1: "strokes", conv2: "pairs of strokes" }),
  drawingSays: (/** @type {string} */ sign) => (sign === "bar" ? "It’s an upright bar." : `It’s a ${sign} sign.`),

  play: "Play",
  pause: "Pause",

  named: (/** @type {string} */ name, /** @type {number} */ i) => `${name} ${i + 1}`,
  equals: (/** @type {number} */ v) => `= ${num(v)}`,
  times: (/** @type {number} */ x) => `${x} ×`,
  product: (/** @type {number} */ w, /** @type {number} */ x) => `${num(w)} × ${term(x)}`,
  sum: (/** @type {number[]} */ w, /** @type {number[]} */ x) =>
    w.map((weight, i) => `${i ? term(weight) : num(weight)} · ${term(x[i])}`).join(" + "),
  size: (/** @type {{ size: number, padding: number, kernel: number, stride: number }} */ at) =>
    `= ⌊(${at.size} + 2 · ${at.padding} − ${at.kernel}) / ${at.stride}⌋ + 1`,

  noPhoto: "The photo did not arrive. Reload the page to try again.",
  stop: (/** @type {number} */ row, /** @type {number} */ column) => `Row ${row + 1}, column ${column + 1}: z`,
  weightAt: (/** @type {number} */ row, /** @type {number} */ column) => `weight, row ${row + 1}, column ${column + 1}`,

  planes: ["red", "green", "blue"],
  pixel: (/** @type {number} */ row, /** @type {number} */ column, /** @type {number[]} */ colour) =>
    `Row ${row + 1}, column ${column + 1}: ${colour.map((v, i) => `${SAY.planes[i]} ${v}`).join(", ")}`,
  planeWeight: (/** @type {string} */ plane, /** @type {number} */ i) => `${plane} weight ${i + 1}`,
  bias: "bias",
  planesSum: (/** @type {number[]} */ sums, /** @type {number} */ bias) =>
    `z = ${sums.map((s, i) => (i ? term(s) : num(s))).join(" + ")} + ${term(bias)}`,

  both: (
    /** @type {number} */ row,
    /** @type {number} */ column,
    /** @type {number} */ here,
    /** @type {number} */ there,
  ) => `Row ${row + 1}, column ${column + 1}: ${num(here)} here, ${num(there)} from the network.`,

  agreement: (/** @type {number} */ most, /** @type {number} */ expected, /** @type {number} */ percent) =>
    `In the whole map the two differ by at most ${num(most, 3)}. Up to ${num(expected, 3)} is expected, ${num(percent)}% of ` +
    "the largest number: the network’s numbers are sent rounded to 255 steps, and some processors compute them with 16 bits.",

  keyFirst: "This service needs an API key. Type it on the page ",
  keyThen: ", then come back. ",
  see: "See",
  looking: "The network is looking at the photo…",

  neighbour: (/** @type {number} */ i) => `answer of kernel ${i + 1}`,
  strongest: (/** @type {number} */ i, /** @type {number} */ a, /** @type {number} */ b) =>
    `Kernel ${i + 1} answers most strongly here: ${num(a)} becomes ${num(b)}.`,
  divided: (/** @type {number} */ least, /** @type {number} */ most) =>
    `Answers are divided by ${num(least)} to ${num(most)}.`,
  nothingHere: "All kernels answer 0 at this place.",

  inWindows: (/** @type {number} */ v, /** @type {number} */ n) =>
    n === 0
      ? `The ${v} lies in no window: it is left over.`
      : `The ${v} lies in ${n === 1 ? "one window" : `${n} windows`}.`,
  largest: (/** @type {number} */ v) => `${v} is the largest number of this window.`,
  cell: (/** @type {number} */ row, /** @type {number} */ column, /** @type {number} */ v) =>
    `row ${row + 1}, column ${column + 1}: ${v}`,

  unit: (/** @type {number} */ i, /** @type {number} */ a) => `unit ${i + 1}, value ${a}`,
  draw: (/** @type {number} */ z) => `The active units add up to ${num(z)}.`,
  mean: (/** @type {number} */ n, /** @type {number} */ mean) =>
    n ? `Mean of ${n === 1 ? "one draw" : `${n} draws`}: ${num(mean)}.` : "Nothing drawn yet.",
  halved: (/** @type {number} */ z) => `All units, each halved: ${num(z)}.`,

  tick: (/** @type {number} */ v) => num(v),
  height: (/** @type {number} */ loss) => (loss < 1e6 ? `loss ${fine(loss)}` : "out of the valley"),
  with: (/** @type {number} */ momentum) => `With momentum ${num(momentum)}`,
  without: "Without, dashed",
  update: (
    /** @type {{ momentum: number, v: number, decay: number, rate: number, w: number, gradient: number }} */ at,
  ) =>
    `${num(at.momentum)} · ${term(at.v, 4)} − ${num(at.decay, 5)} · ${num(at.rate, 4)} · ${term(at.w, 3)}` +
    ` − ${num(at.rate, 4)} · ${term(at.gradient, 3)}`,
  resting: "It has not started yet.",

  seesBy: (/** @type {number} */ field, /** @type {number} */ kernel, /** @type {number} */ jump) =>
    `${field} + (${kernel} − 1) · ${jump}`,
  sees: (/** @type {number} */ n) => `The marked cell sees ${n === 1 ? "one input" : `${n} inputs`}`,

  rowSize: (/** @type {Windowed} */ row, /** @type {number} */ before, /** @type {number} */ after) =>
    `Output: ⌊(${before} + 2 · ${row.padding} − ${row.kernel}) / ${row.stride}⌋ + 1 = ${after} on each side.`,
  rowWeights: (/** @type {Windowed} */ row, /** @type {number} */ inputs, /** @type {number} */ n) =>
    `Parameters: ${row.channels} · (${row.kernel} · ${row.kernel} · ${inputs / row.groups} + 1) = ${num(n)}.` +
    (row.groups > 1 ? ` Each of ${row.groups} columns reads ${inputs / row.groups} of the ${inputs} maps.` : ""),
  rowReads: (
    /** @type {Windowed} */ row,
    /** @type {number[]} */ shape,
    /** @type {number} */ inputs,
    /** @type {number} */ n,
  ) =>
    `Parameters: ${num(row.channels)} · (${num(inputs)} + 1) = ${num(n)}. Every unit reads all ` +
    `${shape.length > 1 ? `${shape.join(" · ")} = ` : ""}${num(inputs)} numbers.`,
  rowWork: (/** @type {number} */ weights, /** @type {number} */ stops, /** @type {number} */ n) =>
    `Multiply-adds: ${num(weights)} weights · ${num(stops)} ${stops === 1 ? "stop" : "stops"} = ${num(n)}.`,
  rowField: (/** @type {Windowed} */ row, /** @type {View} */ before, /** @type {View} */ after) =>
    `One cell sees ${before.field} + (${row.kernel} − 1) · ${before.jump} = ${after.field} pixels; ` +
    `its neighbour’s view begins ${after.jump} further on.`,
  rowAll: "One unit sees the whole picture.",
  rowNorm: "It has no weights and keeps the shape: it divides each answer by what its neighbours add up to.",
  rowPool: "It has no weights: it keeps the largest number of each window.",
};
