/** From the 13 x 13 numbers of a class map to colours over the photo: upsample first, then colour. */

import { colour } from "./cividis.js";

const LEAST = 0.22; // opacity where there is no evidence, and
const MOST = 0.92; // where there is most of it

/**
 * Weights of four neighbouring cells in a cubic B-spline: never negative, sum 1, so no value leaves the map's range.
 * @param {number} f how far between the second and the third, 0 to 1
 */
export const spline = (f) => [
  (1 - f) ** 3 / 6,
  (3 * f ** 3 - 6 * f ** 2 + 4) / 6,
  (-3 * f ** 3 + 3 * f ** 2 + 3 * f + 1) / 6,
  f ** 3 / 6,
];

/**
 * Where a pixel lies among the cells: 0 at the centre of the first cell.
 * @param {number} pixel of `size`
 * @param {number} size side of the drawing that covers the network's whole input
 * @param {{ start: number, jump: number, receptiveField: number }} layer
 * @param {number} inputSize
 */
export const cellAt = (pixel, size, { start, jump, receptiveField }, inputSize) =>
  (((pixel + 0.5) / size) * inputSize - (start + receptiveField / 2)) / jump;

/**
 * For each pixel of a side: the four cells it is made of, and how much of each. Beyond the border the last cell counts.
 * @param {number} size
 * @param {number} cells
 * @param {Parameters<typeof cellAt>[2]} layer
 * @param {number} inputSize
 */
function taps(size, cells, layer, inputSize) {
  return Array.from({ length: size }, (_, pixel) => {
    const at = cellAt(pixel, size, layer, inputSize);
    const from = Math.floor(at);
    return spline(at - from).map((weight, k) => ({ weight, cell: Math.min(cells - 1, Math.max(0, from - 1 + k)) }));
  });
}

/**
 * Cubic B-spline upsampling of a square map, each cell at its own place.
 * @param {number[][]} map rows of shares, 0 to 1
 * @param {number} size
 * @param {Parameters<typeof cellAt>[2]} layer
 * @param {number} inputSize
 * @returns {Float32Array} size x size, 0 to 1
 */
export function upsample(map, size, layer, inputSize) {
  const along = taps(size, map.length, layer, inputSize);
  const wide = map.map((row) =>
    along.map((four) => four.reduce((sum, { weight, cell }) => sum + weight * row[cell], 0)),
  );
  const out = new Float32Array(size * size);
  for (let y = 0; y < size; y++) {
    for (const { weight, cell } of along[y]) {
      for (let x = 0; x < size; x++) out[y * size + x] += weight * wide[cell][x];
    }
  }
  return out;
}

/**
 * Draw a class map; colour and opacity both grow with the value, and are greatest at its peak.
 * @param {HTMLCanvasElement} canvas
 * @param {number[][]} map
 * @param {Parameters<typeof cellAt>[2]} layer
 * @param {number} inputSize
 */
export function paint(canvas, map, layer, inputSize) {
  const values = upsample(map, inputSize, layer, inputSize);
  const most = values.reduce((top, value) => Math.max(top, value), 0) || 1; // smoothing lowers a lone peak
  canvas.width = canvas.height = inputSize;
  const pixels = new ImageData(inputSize, inputSize);
  values.forEach((value, i) => {
    const share = Math.min(1, Math.max(0, value / most));
    colour(pixels.data, i, 255 * share, 255 * (LEAST + (MOST - LEAST) * share));
  });
  canvas.getContext("2d")?.putImageData(pixels, 0, 0);
}
