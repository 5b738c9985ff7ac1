/** From the numbers of a layer to pixels: its channels side by side, coloured from a table of 256. */

import { brightness, isFlat } from "./activations.js";

/**
 * @typedef {import("./activations.js").Layer} Layer
 *
 * @typedef {object} Style
 * @property {Uint32Array} palette
 * @property {string} scale "channel" or "layer": what the brightest colour stands for
 *
 * @typedef {object} Grid
 * @property {number[]} order channels, first to last
 * @property {number} perRow
 * @property {number} [cell] pixels on a side that one number takes; 1 unless told
 * @property {number} [gap] pixels between two channels, left clear; 0 unless told
 */

/**
 * @param {HTMLCanvasElement} canvas takes the size that the sheet needs
 * @param {Layer} layer
 * @param {Style} style
 * @param {Grid} grid
 */
export function draw(canvas, layer, style, { order, perRow, cell = 1, gap = 0 }) {
  const [, rows, columns] = layer.shape;
  const [across, down] = [columns * cell + gap, rows * cell + gap];
  canvas.width = perRow * across - gap;
  canvas.height = Math.ceil(order.length / perRow) * down - gap;
  const image = new ImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  order.forEach((channel, i) => {
    const corner = Math.floor(i / perRow) * down * canvas.width + (i % perRow) * across;
    fill(pixels, { corner, width: canvas.width, cell }, layer, channel, style);
  });
  canvas.getContext("2d")?.putImageData(image, 0, 0);
}

/**
 * @param {Uint32Array} pixels
 * @param {{ corner: number, width: number, cell: number }} place where the channel begins; length of a row of pixels
 * @param {Layer} layer
 * @param {number} channel
 * @param {Style} style
 */
function fill(pixels, { corner, width, cell }, layer, channel, { palette, scale }) {
  const [, rows, columns] = layer.shape;
  const { cells } = layer;
  const factor = brightness(layer, channel, isFlat(layer) ? "layer" : scale);
  let from = channel * rows * columns;
  for (let y = 0; y < rows; y++) {
    const start = corner + y * cell * width;
    let at = start;
    for (let x = 0; x < columns; x++, from++) {
      const colour = palette[(factor * cells[from] + 0.5) | 0];
      for (const end = at + cell; at < end; at++) pixels[at] = colour;
    }
    for (let copy = 1; copy < cell; copy++) pixels.copyWithin(start + copy * width, start, at);
  }
}
