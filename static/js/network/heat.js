/** Small squares of numbers as colours: what a kernel reads (dark is little, yellow is much) and its weights (by sign). */

import { CIVIDIS, colour } from "../cividis.js";
import { context2d, el } from "../dom.js";
import { brief, isWhole } from "./strings.js";

/**
 * @typedef {object} Scale
 * @property {"inputs" | "weights" | "pixels"} kind
 * @property {number} most the number of the strongest colour
 * @property {number} least of pixels alone: the number of black
 */

const WRITTEN = 5; // cells on a side, up to which there is room for numbers
export const BRIGHT = 0.467; // share from which black is read better than white
const PLUS = [43, 127, 196]; // as --plus and --minus, halfway between the themes
const MINUS = [217, 108, 38];

/**
 * How to colour planes, all alike.
 * @param {number[][][]} planes
 * @param {Scale["kind"]} kind
 * @returns {Scale}
 */
export function scaleOf(planes, kind) {
  const all = planes.flat(2);
  const most = all.reduce((top, v) => Math.max(top, kind === "weights" ? Math.abs(v) : v), -Infinity);
  const least = kind === "pixels" ? all.reduce((low, v) => Math.min(low, v), most) : 0;
  return { kind, most: most > least ? most : least + 1, least };
}

/** @param {number} v @param {Scale} scale @returns {number} 0 to 1 */
const share = (v, { kind, most, least }) =>
  Math.min(1, Math.max(0, ((kind === "weights" ? Math.abs(v) : v) - least) / (most - least)));

/**
 * Without numbers, a pixel each.
 * @param {number[][]} plane
 * @param {Scale} scale
 */
export function heat(plane, scale) {
  const canvas = el("canvas", { class: "px", width: plane[0].length, height: plane.length, "aria-hidden": "true" });
  const pixels = new ImageData(canvas.width, canvas.height);
  plane.flat().forEach((v, at) => {
    const part = 255 * share(v, scale);
    if (scale.kind === "inputs") colour(pixels.data, at, part);
    else if (scale.kind === "pixels") pixels.data.set([part, part, part, 255], 4 * at);
    else pixels.data.set([...(v < 0 ? MINUS : PLUS), part], 4 * at);
  });
  context2d(canvas).putImageData(pixels, 0, 0);
  return canvas;
}

/**
 * With numbers, where they fit.
 * @param {number[][]} plane
 * @param {Scale} scale
 */
export function grid(plane, scale) {
  if (plane.length > WRITTEN) return el("div", { class: "heat" }, heat(plane, scale));
  const areWhole = plane.flat().every(isWhole);
  const box = el("div", { class: "heat written", "data-n": plane[0].length });
  box.style.setProperty("--n", String(plane[0].length));
  for (const v of plane.flat()) {
    const cell = el("span", {}, areWhole ? brief(v) : short(v, scale.most));
    paint(cell, v, scale);
    box.append(cell);
  }
  return box;
}

/** Four signs at most. @param {number} v @param {number} most */
function short(v, most) {
  const digits = most >= 9.95 ? 0 : most >= 0.0995 ? 1 + Number(most < 0.995) : 3;
  const text = Math.abs(v).toFixed(digits);
  const sign = v < 0 && Number(text) ? "−" : "";
  return sign + (Number(text) ? text.replace(/^0\./, ".") : "0");
}

/** @param {HTMLElement} cell @param {number} v @param {Scale} scale */
function paint(cell, v, scale) {
  const part = share(v, scale);
  if (scale.kind === "weights") {
    cell.className = v < 0 ? "minus" : "plus";
    cell.style.setProperty("--share", `${Math.round(50 * part)}%`);
    return;
  }
  const at = 3 * Math.round(255 * part);
  const grey = Math.round(255 * part);
  const [r, g, b] = scale.kind === "pixels" ? [grey, grey, grey] : CIVIDIS.subarray(at, at + 3);
  cell.classList.toggle("bright", part > BRIGHT);
  cell.style.setProperty("--shade", `rgb(${r} ${g} ${b})`);
}
