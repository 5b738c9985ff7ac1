/**
 * The arithmetic of the page, pure. static/learn/cases.json holds every function here to the network's own code: each
 * of its keys is a function of this module, each of its cases the argument and what must come out.
 *
 * @typedef {number[]} Vector
 * @typedef {number[][]} Plane rows of numbers
 * @typedef {Plane[]} Volume planes of one size
 *
 * @typedef {object} View what one cell of a map sees
 * @property {number} field side of the square that it sees
 * @property {number} jump pixels between neighbouring cells
 * @property {number} start first pixel that cell 0 sees
 *
 * @typedef {{ kernel: number, stride?: number, padding?: number }} Window
 *
 * @typedef {object} Row one row of the layer table
 * @property {string} name
 * @property {string} operation "conv", "pool", "lrn" or "linear"
 * @property {number} [channels] outputs; of conv and linear alone
 * @property {number} [kernel]
 * @property {number} [stride]
 * @property {number} [padding]
 * @property {number} [groups]
 *
 * @typedef {Required<Row>} Windowed a row with all of its numbers
 * @typedef {View & { shape: number[], parameters: number, multiplyAdds: number }} Sums what follows from a row
 *
 * @typedef {{ curvature: Vector, centre: Vector }} Bowl
 * @typedef {{ rate: number, momentum: number, decay: number }} UpdateRule
 */

/**
 * @template Item
 * @param {number} n
 * @param {(i: number) => Item} make
 * @returns {Item[]}
 */
const times = (n, make) => Array.from({ length: n }, (_, i) => make(i));

/** @param {Vector} numbers */
const total = (numbers) => numbers.reduce((sum, number) => sum + number, 0);

/**
 * Stops along one side: M_z = floor((M_x + 2 p - M_F) / s) + 1.
 * @param {Window & { size: number }} along
 */
export const outputSize = ({ size, kernel, stride = 1, padding = 0 }) =>
  Math.floor((size + 2 * padding - kernel) / stride) + 1;

/** Zeros at both ends. @param {{ x: Vector, padding: number }} input @returns {Vector} */
export const pad = ({ x, padding }) => [...Array(padding).fill(0), ...x, ...Array(padding).fill(0)];

/** The filter turned round. @param {{ w: Vector }} filter */
export const flip = ({ w }) => [...w].reverse();

/**
 * z_i' = sum over i of w_i x_(i' + i - 1).
 * @param {{ x: Vector, w: Vector, stride?: number, padding?: number }} input
 */
export function correlate1d({ x, w, stride = 1, padding = 0 }) {
  const padded = pad({ x, padding });
  const size = outputSize({ size: x.length, kernel: w.length, stride, padding });
  return times(size, (k) => total(w.map((weight, i) => weight * padded[k * stride + i])));
}

/** The same with the filter turned round. @param {Parameters<typeof correlate1d>[0]} input */
export const convolve1d = ({ w, ...rest }) => correlate1d({ w: flip({ w }), ...rest });

/** One plane under one kernel. @param {{ x: Plane, w: Plane, stride?: number, padding?: number }} input */
export const correlate2d = ({ x, w, ...rest }) => correlateVolume({ x: [x], w: [w], ...rest });

/**
 * All planes of the input, each under its own plane of the kernel; the products of all are added.
 * @param {{ x: Volume, w: Volume, bias?: number, stride?: number, padding?: number }} input
 * @returns {Plane}
 */
export function correlateVolume({ x, w, bias = 0, stride = 1, padding = 0 }) {
  const planes = x.map((plane) => padPlane(plane, padding));
  const [height, width] = [planes[0].length, planes[0][0].length];
  const [rows, columns] = [w[0].length, w[0][0].length];
  return times(outputSize({ size: height, kernel: rows, stride }), (r) =>
    times(outputSize({ size: width, kernel: columns, stride }), (c) => {
      let sum = bias;
      for (let d = 0; d < w.length; d++) {
        for (let i = 0; i < rows; i++) {
          for (let j = 0; j < columns; j++) sum += w[d][i][j] * planes[d][r * stride + i][c * stride + j];
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

/** @param {{ x: Vector }} input */
export const relu = ({ x }) => x.map((v) => Math.max(0, v));

/** @param {{ x: Vector }} input */
export const reluGradient = ({ x }) => x.map((v) => (v > 0 ? 1 : 0));

/** @param {{ x: Vector }} input */
export const tanh = ({ x }) => x.map(Math.tanh);

/** @param {{ x: Vector }} input */
export const tanhGradient = ({ x }) => x.map((v) => 1 / Math.cosh(v) ** 2);

/** @param {{ x: Vector }} input */
export const sigmoid = ({ x }) => x.map((v) => 1 / (1 + Math.exp(-v)));

/** @param {{ x: Vector }} input */
export const sigmoidGradient = ({ x }) => sigmoid({ x }).map((s) => s * (1 - s));

/** What is left of an error after so many layers with that gradient. @param {{ gradient: number, layers: number }} path */
export const throughLayers = ({ gradient, layers }) => gradient ** layers;

/**
 * b_i = a_i / (k + alpha * sum of a^2 over `size` neighbouring channels) ^ beta (section 3.3), at one place.
 * @param {{ a: Vector, size: number, alpha: number, beta: number, k: number }} input
 */
export function localResponseNorm({ a, size, alpha, beta, k }) {
  return a.map((activation, i) => {
    const from = i - Math.floor(size / 2);
    const near = a.slice(Math.max(0, from), from + size);
    return activation / (k + alpha * total(near.map((v) => v * v))) ** beta;
  });
}

/**
 * The largest number of every window of `size` x `size` (section 3.4).
 * @param {{ x: Plane, size: number, stride: number }} input
 * @returns {Plane}
 */
export const maxPool = ({ x, size, stride }) =>
  times(outputSize({ size: x.length, kernel: size, stride }), (r) =>
    times(outputSize({ size: x[0].length, kernel: size, stride }), (c) =>
      Math.max(...times(size, (i) => x[r * stride + i].slice(c * stride, c * stride + size)).flat()),
    ),
  );

/** A unit that is dropped answers 0 (section 4.2). @param {{ a: Vector, mask: Vector }} input */
export const dropoutTraining = ({ a, mask }) => a.map((v, i) => v * mask[i]);

/** All units answer, each scaled to its average in training. @param {{ a: Vector, rate: number }} input */
export const dropoutTest = ({ a, rate }) => a.map((v) => v * (1 - rate));

/** @param {{ a: Vector, w: Vector }} input */
export const weightedSum = ({ a, w }) => total(a.map((v, i) => v * w[i]));

/** A loss that is a bowl: half the sum of curvature * (w - centre)^2. @param {Bowl & { w: Vector }} at */
export function bowl({ w, curvature, centre }) {
  const gradient = w.map((v, i) => curvature[i] * (v - centre[i]));
  const away = w.map((v, i) => v - centre[i]);
  return { loss: weightedSum({ a: gradient, w: away }) / 2, gradient };
}

/**
 * Section 5: v <- momentum v - decay rate w - rate gradient; w <- w + v.
 * @param {UpdateRule & { w: Vector, v: Vector, gradient: Vector }} state
 */
export function sgdStep({ w, v, gradient, rate, momentum, decay }) {
  const moved = v.map((velocity, i) => momentum * velocity - decay * rate * w[i] - rate * gradient[i]);
  return { v: moved, w: w.map((weight, i) => weight + moved[i]) };
}

/**
 * Where the weights are after 0, 1, … steps down the bowl, from rest.
 * @param {Bowl & UpdateRule & { w: Vector, steps: number }} descent
 * @returns {Vector[]}
 */
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

/** What a cell sees once another window slides over the map it is in. @param {View & Window} over @returns {View} */
export const slide = ({ field, jump, start, kernel, stride = 1, padding = 0 }) => ({
  field: field + (kernel - 1) * jump,
  jump: jump * stride,
  start: start - padding * jump,
});

/**
 * First and last pixel that a cell sees; in the padding where they are outside of the picture.
 * @param {View & { cell: number }} at
 */
export const pixelsSeen = ({ field, jump, start, cell }) => [start + cell * jump, start + cell * jump + field - 1];

/**
 * Weights and biases of `outputs` kernels; in two groups each kernel reads half of the inputs.
 * @param {{ inputs: number, outputs: number, kernel: number, groups?: number }} layer
 */
export const parameters = ({ inputs, outputs, kernel, groups = 1 }) =>
  outputs * ((kernel * kernel * inputs) / groups + 1);

/** The whole table. @param {{ picture: number[], rows: Row[] }} network @returns {(Sums & { name: string })[]} */
export function layers({ picture, rows }) {
  /** @type {View & { shape: number[] }} */
  let before = { shape: picture, field: 1, jump: 1, start: 0 };
  return rows.map((row) => {
    const here = row.operation === "linear" ? connected(row, before, picture[1]) : slid(row, before);
    before = here;
    return { name: row.name, ...here };
  });
}

/**
 * A layer whose windows slide over the map before it.
 * @param {Row} row
 * @param {{ shape: number[] } & View} before
 * @returns {Sums}
 */
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
 * @returns {Sums}
 */
function connected({ channels: outputs = 0 }, { shape: [inputs, kernel = 1] }, side) {
  const learned = parameters({ inputs, outputs, kernel });
  return { shape: [outputs], parameters: learned, multiplyAdds: learned - outputs, field: side, jump: side, start: 0 };
}
