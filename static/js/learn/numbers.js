/**
 * The arithmetic of the page, pure. static/learn/cases.json holds every function here to the network's own code: each
 * of its keys is a function of this module, each of its cases the argument and what must come out.
 *
 * @typedef {number[][]} Plane rows of numbers
 * @typedef {{ field: number, jump: number, start: number }} View side of the square that one cell sees, pixels between
 *   neighbouring cells, first pixel that cell 0 sees
 * @typedef {{ name: string, operation: string, channels?: number, kernel?: number, stride?: number, padding?: number,
 *   groups?: number }} Row of the layer table
 */

/** @param {number} n @param {(i: number) => any} make */
const times = (n, make) => Array.from({ length: n }, (_, i) => make(i));

/** @param {number[]} numbers */
const total = (numbers) => numbers.reduce((sum, one) => sum + one, 0);

/** Stops along one side: M_z = floor((M_x + 2 p - M_F) / s) + 1. */
export const outputSize = ({ size, kernel, stride = 1, padding = 0 }) =>
  Math.floor((size + 2 * padding - kernel) / stride) + 1;

/** Zeros at both ends. */
export const pad = ({ x, padding }) => [...Array(padding).fill(0), ...x, ...Array(padding).fill(0)];

/** The filter turned round. */
export const flip = ({ w }) => [...w].reverse();

/** z_i' = sum over i of w_i x_(i' + i - 1). */
export function correlate1d({ x, w, stride = 1, padding = 0 }) {
  const padded = pad({ x, padding });
  const size = outputSize({ size: x.length, kernel: w.length, stride, padding });
  return times(size, (k) => total(w.map((/** @type {number} */ weight, i) => weight * padded[k * stride + i])));
}

/** The same with the filter turned round. */
export const convolve1d = ({ x, w, ...rest }) => correlate1d({ x, w: flip({ w }), ...rest });

/** One plane under one kernel. */
export const correlate2d = ({ x, w, ...rest }) => correlateVolume({ x: [x], w: [w], ...rest });

/** All planes of the input, each under its own plane of the kernel; the products of all are added. */
export function correlateVolume({ x, w, bias = 0, stride = 1, padding = 0 }) {
  const sheets = x.map((/** @type {Plane} */ plane) => padPlane(plane, padding));
  const [height, width] = [sheets[0].length, sheets[0][0].length];
  const [rows, columns] = [w[0].length, w[0][0].length];
  return times(outputSize({ size: height, kernel: rows, stride }), (r) =>
    times(outputSize({ size: width, kernel: columns, stride }), (c) => {
      let sum = bias;
      for (let d = 0; d < w.length; d++) {
        for (let i = 0; i < rows; i++) {
          for (let j = 0; j < columns; j++) sum += w[d][i][j] * sheets[d][r * stride + i][c * stride + j];
        }
      }
      return sum;
    }),
  );
}

/** @param {Plane} plane @param {number} padding @returns {Plane} */
function padPlane(plane, padding) {
  const empty = () => Array(plane[0].length + 2 * padding).fill(0);
  return [...times(padding, empty), ...plane.map((x) => pad({ x, padding })), ...times(padding, empty)];
}

export const relu = ({ x }) => x.map((/** @type {number} */ v) => Math.max(0, v));
export const reluGradient = ({ x }) => x.map((/** @type {number} */ v) => (v > 0 ? 1 : 0));
export const tanh = ({ x }) => x.map(Math.tanh);
export const tanhGradient = ({ x }) => x.map((/** @type {number} */ v) => 1 / Math.cosh(v) ** 2);
export const sigmoid = ({ x }) => x.map((/** @type {number} */ v) => 1 / (1 + Math.exp(-v)));
export const sigmoidGradient = ({ x }) => sigmoid({ x }).map((/** @type {number} */ s) => s * (1 - s));

/** What is left of an error after so many layers with that gradient. */
export const throughLayers = ({ gradient, layers }) => gradient ** layers;

/** b_i = a_i / (k + alpha * sum of a^2 over `size` neighbouring channels) ^ beta (section 3.3), at one place. */
export function localResponseNorm({ a, size, alpha, beta, k }) {
  return a.map((/** @type {number} */ one, /** @type {number} */ i) => {
    const from = i - Math.floor(size / 2);
    const near = a.slice(Math.max(0, from), from + size);
    return one / (k + alpha * total(near.map((/** @type {number} */ v) => v * v))) ** beta;
  });
}

/** The largest number of every window of `size` x `size` (section 3.4). */
export const maxPool = ({ x, size, stride }) =>
  times(outputSize({ size: x.length, kernel: size, stride }), (r) =>
    times(outputSize({ size: x[0].length, kernel: size, stride }), (c) =>
      Math.max(...times(size, (i) => x[r * stride + i].slice(c * stride, c * stride + size)).flat()),
    ),
  );

/** Who is drawn out answers 0 (section 4.2). */
export const dropoutTraining = ({ a, mask }) =>
  a.map((/** @type {number} */ v, /** @type {number} */ i) => v * mask[i]);

/** All answer, each scaled to what it said on average in training. */
export const dropoutTest = ({ a, rate }) => a.map((/** @type {number} */ v) => v * (1 - rate));

export const weightedSum = ({ a, w }) => total(a.map((/** @type {number} */ v, /** @type {number} */ i) => v * w[i]));

/** A loss that is a bowl: half the sum of curvature * (w - centre)^2. */
export function bowl({ w, curvature, centre }) {
  const gradient = w.map((/** @type {number} */ v, /** @type {number} */ i) => curvature[i] * (v - centre[i]));
  const away = w.map((/** @type {number} */ v, /** @type {number} */ i) => v - centre[i]);
  return { loss: weightedSum({ a: gradient, w: away }) / 2, gradient };
}

/** Section 5: v <- momentum v - decay rate w - rate gradient; w <- w + v. */
export function sgdStep({ w, v, gradient, rate, momentum, decay }) {
  const moved = v.map(
    (/** @type {number} */ one, /** @type {number} */ i) => momentum * one - decay * rate * w[i] - rate * gradient[i],
  );
  return { v: moved, w: w.map((/** @type {number} */ one, /** @type {number} */ i) => one + moved[i]) };
}

/** Where the weights are after 0, 1, … steps down the bowl, from rest. */
export function descend({ w, curvature, centre, rate, momentum, decay, steps }) {
  const path = [w];
  let now = { w, v: w.map(() => 0) };
  for (let i = 0; i < steps; i++) {
    const { gradient } = bowl({ w: now.w, curvature, centre });
    now = sgdStep({ ...now, gradient, rate, momentum, decay });
    path.push(now.w);
  }
  return path;
}

/** What a cell sees once another window slides over the map it is in. @returns {View} */
export const slide = ({ field, jump, start, kernel, stride = 1, padding = 0 }) => ({
  field: field + (kernel - 1) * jump,
  jump: jump * stride,
  start: start - padding * jump,
});

/** First and last pixel that a cell sees; in the padding where they are outside of the picture. */
export const seen = ({ field, jump, start, cell }) => [start + cell * jump, start + cell * jump + field - 1];

/** Weights and biases of `outputs` kernels; in two groups each kernel reads half of the inputs. */
export const parameters = ({ inputs, outputs, kernel, groups = 1 }) =>
  outputs * ((kernel * kernel * inputs) / groups + 1);

/** The whole table. @param {{ picture: number[], rows: Row[] }} network */
export function layers({ picture, rows }) {
  let before = { shape: picture, field: 1, jump: 1, start: 0 };
  return rows.map((row) => {
    const here = row.operation === "linear" ? connected(row, before, picture[1]) : slid(row, before);
    before = here;
    return { name: row.name, ...here };
  });
}

/** @param {Row} row @param {{ shape: number[] } & View} before */
function slid({ operation, channels, kernel = 1, stride = 1, padding = 0, groups = 1 }, before) {
  const [inputs, side] = before.shape;
  const size = outputSize({ size: side, kernel, stride, padding });
  const outputs = channels ?? inputs;
  const learned = operation === "conv" ? parameters({ inputs, outputs, kernel, groups }) : 0;
  return {
    shape: [outputs, size, size],
    parameters: learned,
    multiplyAdds: learned && (learned - outputs) * size * size,
    ...slide({ ...before, kernel, stride, padding }),
  };
}

/**
 * A layer that reads everything: its kernel is as large as the map.
 * @param {Row} row
 * @param {{ shape: number[] }} before
 * @param {number} side of the picture
 */
function connected({ channels: outputs = 0 }, { shape: [inputs, kernel = 1] }, side) {
  const learned = parameters({ inputs, outputs, kernel });
  return { shape: [outputs], parameters: learned, multiplyAdds: learned - outputs, field: side, jump: side, start: 0 };
}
