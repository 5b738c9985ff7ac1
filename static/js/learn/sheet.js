/** A map that is drawn cell by cell, with a pane of glass over some of it. */

import { CIVIDIS, colour } from "../cividis.js";
import { context2d, find } from "../dom.js";

/** Rows down and columns to the right. @type {Record<string, [number, number]>} */
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/**
 * Draw numbers in the colours of data; where some are negative, zero is the middle.
 * @param {HTMLCanvasElement} canvas
 * @param {(number | undefined)[][]} plane undefined cells stay empty
 * @returns {[number, number]} the numbers of the darkest and of the brightest colour
 */
export function paint(canvas, plane) {
  const all = plane.flat().filter((v) => v !== undefined);
  const most = all.reduce((top, v) => Math.max(top, Math.abs(v)), 1e-9);
  const least = all.some((v) => v < 0) ? -most : 0;
  canvas.height = plane.length;
  canvas.width = plane[0].length;
  const pixels = new ImageData(canvas.width, canvas.height);
  plane.flat().forEach((v, at) => {
    if (v !== undefined) colour(pixels.data, at, (255 * (v - least)) / (most - least));
  });
  context2d(canvas).putImageData(pixels, 0, 0);
  return [least, most];
}

/**
 * Draw the largest square from the middle of a photo.
 * @param {HTMLCanvasElement} canvas
 * @param {string} address
 * @returns {Promise<CanvasRenderingContext2D>} rejects where the photo does not arrive
 */
export async function drawSquare(canvas, address) {
  const photo = new Image();
  photo.src = address;
  await photo.decode();
  const { width: w, height: h } = photo;
  const side = Math.min(w, h);
  const pen = context2d(canvas, { willReadFrequently: true });
  pen.imageSmoothingQuality = "high";
  pen.drawImage(photo, (w - side) / 2, (h - side) / 2, side, side, 0, 0, canvas.width, canvas.height);
  return pen;
}

/** One colour of data, for CSS. @param {number} share 0 to 1 */
export function shade(share) {
  const from = 3 * Math.round(255 * share);
  return `rgb(${CIVIDIS[from]} ${CIVIDIS[from + 1]} ${CIVIDIS[from + 2]})`;
}

/**
 * Lay the pane over a part of its sheet.
 * @param {Element} sheet
 * @param {number} left in shares of the sheet
 * @param {number} top
 * @param {number} width
 * @param {number} [height]
 */
export function lay(sheet, left, top, width, height = width) {
  put(find(sheet, ".pane"), left, top, width, height);
}

/**
 * Place an element over a part of what it lies in.
 * @param {HTMLElement} element
 * @param {number} left in shares
 * @param {number} top
 * @param {number} width
 * @param {number} height
 */
export function put({ style }, left, top, width, height) {
  Object.assign(style, {
    left: `${100 * left}%`,
    top: `${100 * top}%`,
    width: `${100 * width}%`,
    height: `${100 * height}%`,
  });
}

/**
 * A place of a sheet, chosen by pointer or by the arrow keys. It follows the mouse; a click holds it, the next lets go.
 * @param {HTMLElement} sheet
 * @param {() => [number, number]} where row and column now
 * @param {[number, number]} size rows and columns
 * @param {(row: number, column: number) => void} moved
 */
export function places(sheet, where, [rows, columns], moved) {
  const clip = (/** @type {number} */ v, /** @type {number} */ n) => Math.max(0, Math.min(n - 1, v));
  const to = (/** @type {number} */ row, /** @type {number} */ column) => moved(clip(row, rows), clip(column, columns));
  let held = false;
  const point = (/** @type {PointerEvent} */ event) => {
    const hovers = event.type === "pointermove" && !event.buttons;
    if (hovers && (held || event.pointerType !== "mouse")) return;
    if (event.type === "pointerdown") held = !held;
    const box = sheet.getBoundingClientRect();
    to(
      Math.floor(((event.clientY - box.top) / box.height) * rows),
      Math.floor(((event.clientX - box.left) / box.width) * columns),
    );
  };
  sheet.addEventListener("pointerdown", point);
  sheet.addEventListener("pointermove", point);
  sheet.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const [row, column] = where();
    to(row + step[0], column + step[1]);
  });
}
