/** Hover, linked both ways: a cell and the window it reads, an input and the cells that read it, a number and its weight. */

import { findAll, svg } from "../dom.js";
import { SAY } from "./strings.js";

/**
 * @typedef {object} Reading how a layer's windows lie on its input
 * @property {[number, number]} size rows and columns of the map
 * @property {[number, number]} input rows and columns of its input
 * @property {number} kernel
 * @property {number} stride
 * @property {number} padding
 *
 * @typedef {{ x: number, y: number, width: number, height: number }} Rect
 */

/**
 * How the windows lie, from one of them.
 * @param {import("./source.js").Cell} cell
 * @param {[number, number]} size
 * @param {number} stride
 * @returns {Reading}
 */
export function readingOf({ window, row, input }, size, stride) {
  const padding = row * stride - (window?.top ?? 0);
  return { size, input: [input.shape[1], input.shape[2]], kernel: window?.width ?? 1, stride, padding };
}

/** The window that a cell reads. @param {Reading} reading @param {number} row @param {number} column @returns {Rect} */
export const read = ({ stride, padding, kernel }, row, column) => ({
  x: column * stride - padding,
  y: row * stride - padding,
  width: kernel,
  height: kernel,
});

/** The cells that read an input. @param {Reading} reading @param {number} row @param {number} column @returns {Rect} */
export function readers({ stride, padding, kernel, size: [rows, columns] }, row, column) {
  const span = (/** @type {number} */ at, /** @type {number} */ n) => {
    const first = Math.max(0, Math.ceil((at + padding - kernel + 1) / stride));
    return [first, Math.min(n - 1, Math.floor((at + padding) / stride)) - first + 1];
  };
  const [[y, height], [x, width]] = [span(row, rows), span(column, columns)];
  return { x, y, width, height };
}

/**
 * Let the pointer over one map outline on the other what belongs together.
 * @param {HTMLElement} map
 * @param {HTMLElement} input
 * @param {() => Reading | null} reading
 */
export function linkMaps(map, input, reading) {
  over(map, reading, (now) => now.size, input, read);
  over(input, reading, (now) => now.input, map, readers);
}

/**
 * @param {HTMLElement} here
 * @param {() => Reading | null} reading
 * @param {(reading: Reading) => [number, number]} sizeOf
 * @param {HTMLElement} there
 * @param {(reading: Reading, row: number, column: number) => Rect} belongs
 */
function over(here, reading, sizeOf, there, belongs) {
  const clear = () => there.querySelector(".ghost")?.remove();
  here.onpointermove = (event) => {
    const now = reading();
    const overlay = there.querySelector("svg");
    if (!now || !overlay) return;
    const [rows, columns] = sizeOf(now);
    const box = here.getBoundingClientRect();
    const row = Math.floor(((event.clientY - box.top) / box.height) * rows);
    const rect = belongs(now, row, Math.floor(((event.clientX - box.left) / box.width) * columns));
    clear();
    if (rect.width > 0 && rect.height > 0) overlay.append(svg("rect", { class: "ghost", ...rect }));
  };
  here.onpointerleave = clear;
}

/**
 * Let the pointer over a number mark its weight, and the other way round, and say their product.
 * @param {HTMLElement} stage
 * @param {import("./source.js").WindowTerm} term
 * @param {HTMLElement} words
 */
export function linkNumbers(stage, { inputs, weights, sum }, words) {
  const grids = findAll(stage, ".heat.written").map((grid) => [...grid.children]);
  const show = (/** @type {number} */ at) => {
    for (const [i, cell] of grids.flatMap((cells) => [...cells.entries()])) cell.classList.toggle("on", i === at);
    const [x, w] = [inputs.flat()[at], weights.flat()[at]];
    words.textContent = x === undefined ? SAY.equals(sum) : SAY.times(x, w);
  };
  stage.onpointerover = ({ target }) =>
    show(grids.reduce((at, cells) => Math.max(at, cells.indexOf(/** @type {Element} */ (target))), -1));
  stage.onpointerleave = () => show(-1);
  show(-1);
}
