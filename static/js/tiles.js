/** The contact sheet: every channel of a layer as a tile, cut from one drawing. */

import { brightness, isFlat } from "./activations.js";
import { colour } from "./cividis.js";
import { byId, el, press } from "./dom.js";
import { roving, stop } from "./roving.js";
import { SAY } from "./strings.js";

/** @typedef {import("./activations.js").Layer} Layer */

const PER_ROW = 16; // of the drawing; the page's own rows are CSS's business
const FLAT_ROW = 64;

/** The address of the drawing in use. */
let sheet = "";

/**
 * All channels side by side, coloured.
 * @param {Layer} layer
 * @param {string} scale "tile" or "layer"
 * @returns {HTMLCanvasElement}
 */
export function drawSheet(layer, scale) {
  const [channels, rows, columns] = layer.shape;
  const perRow = isFlat(layer) ? FLAT_ROW : PER_ROW;
  const canvas = el("canvas", { width: perRow * columns, height: Math.ceil(channels / perRow) * rows });
  const pixels = new ImageData(canvas.width, canvas.height);
  for (let c = 0; c < channels; c++) {
    const factor = brightness(layer, c, isFlat(layer) ? "layer" : scale);
    const corner = Math.floor(c / perRow) * rows * canvas.width + (c % perRow) * columns;
    for (let i = 0; i < rows * columns; i++) {
      const at = corner + Math.floor(i / columns) * canvas.width + (i % columns);
      colour(pixels.data, at, factor * layer.cells[c * rows * columns + i]);
    }
  }
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  return canvas;
}

/**
 * Colour the tiles that are there, or the one drawing of a flat layer.
 * @param {Layer} layer
 * @param {string} scale
 */
export async function dress(layer, scale) {
  const grid = byId("tiles");
  const canvas = drawSheet(layer, scale);
  if (isFlat(layer)) {
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", SAY.sheet(layer.name));
    grid.replaceChildren(canvas);
    return;
  }
  const blob = await new Promise((done) => canvas.toBlob(done));
  const url = URL.createObjectURL(blob);
  const image = new Image();
  image.src = url;
  await image.decode(); // so that the tiles never go blank in between
  if (grid.dataset.layer !== layer.name || grid.dataset.scale !== scale) return URL.revokeObjectURL(url);
  grid.style.setProperty("--sheet", `url(${url})`);
  if (sheet) URL.revokeObjectURL(sheet);
  sheet = url;
}

/**
 * One button for each channel, in that order.
 * @param {Layer} layer
 * @param {number[]} order
 * @param {number} chosen channel
 */
function buttons(layer, order, chosen) {
  const last = Math.ceil(layer.shape[0] / PER_ROW) - 1;
  return order.map((channel) => {
    const pressed = channel === chosen;
    const button = el("button", {
      type: "button",
      "data-channel": channel,
      "aria-label": SAY.channel(channel),
      "aria-pressed": String(pressed),
      tabindex: pressed ? 0 : -1,
    });
    button.style.setProperty("--x", `${(100 * (channel % PER_ROW)) / (PER_ROW - 1)}%`);
    button.style.setProperty("--y", `${(100 * Math.floor(channel / PER_ROW)) / last}%`);
    return button;
  });
}

/**
 * Show a layer.
 * @param {Layer} layer
 * @param {{ order: number[], scale: string, channel: number }} view
 */
export function show(layer, { order, scale, channel }) {
  const [channels, rows] = layer.shape;
  const grid = byId("tiles");
  Object.assign(grid.dataset, { layer: layer.name, scale, channels, side: rows });
  grid.setAttribute("aria-label", SAY.channelsOf(layer.name));
  grid.classList.toggle("crisp", rows <= 13);
  const silent = layer.maxima.reduce((n, most) => n + Number(most <= 0), 0);
  byId("many-note").textContent = isFlat(layer)
    ? SAY.units(layer.name, channels, channels - silent)
    : SAY.tiles(layer.name, layer.shape, silent);
  if (!isFlat(layer)) {
    grid.style.setProperty("--bw", `${100 * PER_ROW}%`);
    grid.style.setProperty("--bh", `${100 * Math.ceil(channels / PER_ROW)}%`);
    grid.style.setProperty("--sheet", "none");
    grid.replaceChildren(...buttons(layer, order, channel));
  }
  return dress(layer, scale);
}

/**
 * Mark a channel's tile as the chosen one and the tab stop.
 * @param {number} channel
 */
export function mark(channel) {
  const grid = byId("tiles");
  const button = grid.querySelector(`[data-channel="${channel}"]`);
  if (!button) return;
  press(grid, button);
  stop(grid, button);
}

/** Put the tiles that are there into another order. @param {number[]} order */
export function reorder(order) {
  const grid = byId("tiles");
  const all = new Map([...grid.children].map((tile) => [Number(tile.dataset.channel), tile]));
  grid.append(...order.flatMap((channel) => all.get(channel) ?? []));
}

/** @param {(channel: number) => void} chose */
export function listen(chose) {
  const grid = byId("tiles");
  const choose = (/** @type {HTMLElement} */ button) => chose(Number(button.dataset.channel));
  grid.addEventListener("click", (/** @type {any} */ event) => {
    const button = event.target.closest("button");
    if (button) choose(button);
  });
  roving(grid, choose);
}
