/** Signed maps over a photo: orange for more than nothing, blue for less, clear for nothing. */

import { upsample } from "../heatmap.js";

export const ORANGE = [240, 125, 20];
export const BLUE = [45, 120, 225];
const MOST = 0.88; // opacity of the largest value

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number[][]} map of either sign
 * @param {Parameters<typeof upsample>[2]} layer where its cells lie
 * @param {number} inputSize
 */
export function paint(canvas, map, layer, inputSize) {
  const values = upsample(map, inputSize, layer, inputSize);
  const most = values.reduce((top, value) => Math.max(top, Math.abs(value)), 0) || 1;
  canvas.width = canvas.height = inputSize;
  const pixels = new ImageData(inputSize, inputSize);
  values.forEach((value, i) => {
    const share = Math.abs(value) / most;
    pixels.data.set([...(value > 0 ? ORANGE : BLUE), 255 * MOST * share ** 0.8], 4 * i);
  });
  canvas.getContext("2d")?.putImageData(pixels, 0, 0);
}
