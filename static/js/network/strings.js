/** Every word and figure of the connected view. */

/**
 * A number as it is read: a real minus, so many digits after the point.
 * @param {number} v
 * @param {number} [digits]
 */
export const num = (v, digits = 2) =>
  (Math.abs(v) < 0.5 * 10 ** -digits ? 0 : v)
    .toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })
    .replace("-", "−");

/** The same with its sign. @param {number} v @param {number} [digits] */
export const signed = (v, digits = 2) =>
  v < 0 || num(v, digits).startsWith("−") ? num(v, digits) : `+${num(v, digits)}`;

/** @param {number} v */
export const isWhole = (v) => Math.abs(v - Math.round(v)) < 1e-6;

/** A whole number stays whole; others keep what says something. @param {number} v */
export const brief = (v) => (isWhole(v) ? num(v, 0) : num(v, Math.abs(v) < 0.0995 ? 3 : 2));

/** For sums: whole numbers stay whole, as they are in a network to check by hand. @param {number} v */
export const cents = (v) => num(v, isWhole(v) ? 0 : 2);

/** The same with its sign. @param {number} v */
export const plusCents = (v) => (cents(v).startsWith("−") ? cents(v) : `+${cents(v)}`);

const SUPERSCRIPTS = "⁻⁰¹²³⁴⁵⁶⁷⁸⁹";

/** Any size, with three digits that say something. @param {number} v */
export function scientific(v) {
  if (v === 0 || (Math.abs(v) >= 0.01 && Math.abs(v) < 1e5)) return num(v, Math.abs(v) < 10 ? 3 : 1);
  const power = Math.floor(Math.log10(Math.abs(v)));
  const raised = [...String(power)].map((digit) => SUPERSCRIPTS["-0123456789".indexOf(digit)]).join("");
  return `${num(v / 10 ** power)} · 10${raised}`;
}

/** @param {number} p */
const percent = (p) => (p < 0.005 ? "<1%" : p > 0.995 ? ">99%" : `${Math.round(100 * p)}%`);

/** @param {string[]} names */
const listed = (names) => (names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : names.join(""));

/** Units have no place in the photo; channels are maps of it. @param {string} layer */
const noun = (layer) => (layer.startsWith("fc") ? "unit" : "channel");

export const SAY = {
  percent,
  captions: /** @type {Record<string, string>} */ ({
    conv1: "edges and colours",
    conv2: "corners and textures",
    conv3: "patterns",
    conv4: "parts of things",
    conv5: "larger parts",
    fc6: "mixtures of parts",
    fc7: "mixtures of those",
  }),
  photo: "your photo",
  photoSize: (/** @type {number} */ n) => `${n} × ${n} pixels`,
  of: (/** @type {number} */ shown, /** @type {number} */ all) => `${shown} of ${all.toLocaleString("en")}`,
  answer: "answers",
  answerCaption: (/** @type {string} */ layer) => `${layer}, then softmax`,
  says: "so it says",
  group: "The network, layer by layer. Arrow keys move between maps and layers, Enter opens one, Escape lets go.",
  node: (
    /** @type {string} */ layer,
    /** @type {number} */ channel,
    /** @type {number} */ share,
    /** @type {string} */ label,
  ) => `${layer}, ${noun(layer)} ${channel + 1}: ${signed(share)} for ${label}`,
  label: (/** @type {string} */ name, /** @type {number} */ score) => `${name}, ${percent(score)}`,
  idle: (/** @type {string} */ label) =>
    `These led to “${label}”. Point at one to see what fed it; choose it to see its sums.`,
  path: (
    /** @type {string} */ layer,
    /** @type {number} */ channel,
    /** @type {string} */ before,
    /** @type {number[]} */ sources,
  ) => {
    const from = sources.length ? `, mostly from ${before} · ${listed(sources.map((i) => String(i + 1)))}` : "";
    return `${layer} · ${noun(layer)} ${channel + 1}${before === "photo" ? ", straight from the photo" : from}; `;
  },
  worth: (/** @type {number} */ share, /** @type {string} */ label) => `${signed(share, 1)} for ${label}`,
  answerPath: (/** @type {string} */ label, /** @type {string} */ before, /** @type {number[]} */ sources) =>
    `${label}, mostly from ${before} · ${listed(sources.map((i) => String(i + 1)))}`,
  plus: "speaks for it",
  minus: "speaks against it",
  bright: "bright: the pattern is there",
  wide: "The wider a line, the more it passed on. Shown are the maps of each layer that matter most for this label; the bar under a map says how much.",
  wait: "Tracing what led to the answer…",
  failed: (/** @type {string} */ why) => `The connections did not arrive. ${why}`,
  again: "Try again",

  heading: (/** @type {string} */ layer, /** @type {number} */ channel) => `${layer} · ${noun(layer)} ${channel + 1}`,
  headingOf: (/** @type {string} */ layer, /** @type {string} */ label) => `${layer} · ${label}`,
  close: "Close",
  map: "The map, enlarged. Arrow keys choose a cell.",
  chosenCell: (/** @type {number} */ row, /** @type {number} */ column, /** @type {number} */ value) =>
    `Row ${row + 1}, column ${column + 1}: ${cents(value)}`,
  chooseCell: "Each square is one number. Choose one, with the mouse or the arrow keys, and see where it came from.",
  step: "Next cell",
  slide: "Slide the kernel",
  stop: "Stop",
  counting: "Adding it up…",
  noSum: (/** @type {string} */ why) => `The sum did not arrive. ${why}`,
  patch: "What it reads",
  kernel: "Its weights",
  planes: ["red", "green", "blue"],
  term: (/** @type {string} */ name, /** @type {number} */ sum) => `${name}: ${plusCents(sum)}. Show its numbers.`,
  equals: (/** @type {number} */ sum) => `= ${plusCents(sum)}`,
  times: (/** @type {number} */ x, /** @type {number} */ w) =>
    `${brief(x)} × ${w < 0 ? `(${brief(w)})` : brief(w)} = ${brief(x * w)}`,
  toSums: "See its sums",
  others: (/** @type {number} */ n, /** @type {string} */ of) => `and ${n.toLocaleString("en")} other ${of}`,
  channels: "channels",
  inputs: "inputs",
  bias: "bias",
  sum: "sum",
  activations: /** @type {Record<string, string>} */ ({ relu: "ReLU", tanh: "tanh", sigmoid: "sigmoid" }),
  activation: (/** @type {string} */ name, /** @type {number} */ sum) =>
    name === "relu" ? `max(0, ${cents(sum)})` : `${name}(${cents(sum)})`,
  steps: /** @type {Record<Rest.StepAnswer["step"], string>} */ ({
    lrn: "LRN: made smaller by active neighbours",
    pool: "pool: the largest of its neighbours",
    relu: "ReLU",
    tanh: "tanh",
    sigmoid: "sigmoid",
  }),
  after: (/** @type {Rest.StepAnswer["step"]} */ step, /** @type {number} */ v) =>
    step === "lrn" || step === "pool" ? cents(v) : SAY.activation(step, v),
  at: (/** @type {Rest.CellName} */ { channel, row, column }) => `${channel + 1}, row ${row + 1}, column ${column + 1}`,
  product: (/** @type {number} */ input, /** @type {number} */ weight) => `${brief(input)} × ${brief(weight)}`,
  summed: (/** @type {number} */ terms, /** @type {number[]} */ ...more) =>
    [cents(terms), ...more.map((v) => `${v < 0 ? "−" : "+"} ${cents(Math.abs(v))}`)].join(" "),
  kept: "as the network computed it, with fewer digits",
  softmax: "Softmax: from scores to shares",
  softmaxWhy: (/** @type {number} */ largest, /** @type {boolean} */ isFitted) =>
    `${isFitted ? "Each score is first fitted so that its share holds on test photos (divided by a temperature, plus a shift of its own). " : ""}e is raised to each score, and the result divided by the sum of all.${
      largest === 0 ? "" : ` (The largest score, ${num(largest)}, is taken off first: no share changes by that.)`
    }`,
  fitted: (/** @type {Rest.ProbabilityAnswer} */ { logit, temperature, bias, scaled }) =>
    `${num(logit)} ÷ ${brief(temperature)} ${bias < 0 ? "−" : "+"} ${num(Math.abs(bias))} = ${num(scaled)}`,
  fittedName: "fitted",
  power: (/** @type {number} */ score, /** @type {number} */ v) => `e^${num(score)} = ${scientific(v)}`,
  rest: "all others",
  share: (/** @type {number} */ exp, /** @type {number} */ total, /** @type {number} */ p) =>
    `${scientific(exp)} ÷ ${scientific(total)} = ${num(100 * p, 1)}%`,
  gateName: "Times the chance that the photo shows any of these",
  gated: (/** @type {number} */ p, /** @type {number} */ gate) =>
    `${num(100 * p, 1)}% × ${num(100 * gate, 1)}% = ${num(100 * p * gate, 1)}%`,
  sigmoid: "Sigmoid: from a score to a chance",
  sigmoidOf: (/** @type {number} */ logit, /** @type {number} */ p) =>
    `1 ÷ (1 + e^${num(-logit)}) = ${num(100 * p, 1)}%`,
};
