/** What is looked at, drawn as the network gets it: the square of the photo, with what was painted over it. */

import { context2d } from "../dom.js";

/**
 * @typedef {import("./box.js").Square} Square
 * @typedef {{ width: number, round: boolean, points: { x: number, y: number }[] }} Stroke in pixels of the photo
 */

/**
 * @param {CanvasRenderingContext2D} context whose transform takes pixels of the photo
 * @param {Stroke[]} strokes
 * @param {string} colour
 */
export function cover(context, strokes, colour) {
  context.fillStyle = context.strokeStyle = colour;
  context.lineJoin = "round";
  for (const { width, round, points } of strokes) {
    const [{ x, y }] = points;
    if (!round) {
      context.fillRect(x - width / 2, y - width / 2, width, width);
      continue;
    }
    context.lineCap = "round";
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(x, y);
    for (const point of points.length > 1 ? points : [{ x: x + 0.01, y }]) context.lineTo(point.x, point.y);
    context.stroke();
  }
}

/**
 * Draw the square of a photo as large as the network's input, on white as the service does.
 * @param {HTMLImageElement} image
 * @param {Square} square in pixels of the photo
 * @param {Stroke[]} strokes
 * @param {string} colour of what is covered
 * @param {number} side of the drawing, in pixels
 * @returns {HTMLCanvasElement}
 */
export function crop(image, { x, y, side: wide }, strokes, colour, side) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const context = context2d(canvas);
  context.fillStyle = "#fff";
  context.fillRect(0, 0, side, side);
  context.imageSmoothingQuality = "high";
  context.drawImage(image, x, y, wide, wide, 0, 0, side, side);
  context.scale(side / wide, side / wide);
  context.translate(-x, -y);
  cover(context, strokes, colour);
  return canvas;
}

/** The mean colour of a drawing, which tells the network least. @param {HTMLCanvasElement} canvas */
export function meanColour(canvas) {
  const { data } = context2d(canvas).getImageData(0, 0, canvas.width, canvas.height);
  const sums = [0, 0, 0];
  for (let i = 0; i < data.length; i++) if (i % 4 < 3) sums[i % 4] += data[i];
  return `rgb(${sums.map((sum) => Math.round((4 * sum) / data.length)).join(" ")})`;
}

/** @param {HTMLCanvasElement} canvas @returns {Promise<Blob>} a PNG */
export const png = (canvas) =>
  new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new TypeError("This browser makes no PNG"))), "image/png");
  });
