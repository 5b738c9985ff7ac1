/** One layer: every channel a tile, cut from one drawing. */

import { isFlat } from "./activations.js";
import { byId, el, findAll, onButton, press } from "./dom.js";
import { roving, stop } from "./roving.js";
import * as sheet from "./sheet.js";
import { SAY } from "./strings.js";

/** @typedef {import("./activations.js").Layer} Layer */

const PER_ROW = 16; // of the drawing; the page's own rows are CSS's business
const FLAT_ROW = 64;

/** The address of the drawing in use. */
let address = "";

/** Counts the drawings, so that a slow one does not replace a later one. */
let latest = 0;

/**
 * Colour the tiles that are there, or the one drawing of a flat layer.
 * @param {Layer} layer
 * @param {sheet.Style} style
 */
export async function dress(layer, style) {
  const grid = byId("tiles");
  const canvas = el("canvas");
  const mine = ++latest;
  const order = [...layer.maxima.keys()];
  sheet.draw(canvas, layer, style, { order, perRow: isFlat(layer) ? FLAT_ROW : PER_ROW });
  if (isFlat(layer)) {
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", SAY.sheet(layer.name));
    grid.replaceChildren(canvas);
    return;
  }
  /** @type {Blob | null} */
  const blob = await new Promise((resolve) => canvas.toBlob(resolve));
  if (!blob) return; // too large for the browser: the tiles stay as they are
  const url = URL.createObjectURL(blob);
  const image = new Image();
  image.src = url;
  await image.decode(); // so that the tiles never go blank in between
  if (mine !== latest) return URL.revokeObjectURL(url);
  grid.style.setProperty("--sheet", `url(${url})`);
  if (address) URL.revokeObjectURL(address);
  address = url;
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
    button.style.setProperty("--y", `${last && (100 * Math.floor(channel / PER_ROW)) / last}%`);
    return button;
  });
}

/**
 * Show a layer.
 * @param {Layer} layer
 * @param {{ order: number[], style: sheet.Style, channel: number }} view
 */
export function show(layer, { order, style, channel }) {
  const [channels, rows] = layer.shape;
  const grid = byId("tiles");
  Object.assign(grid.dataset, { layer: layer.name, side: String(rows) });
  grid.setAttribute("aria-label", SAY.channelsOf(layer.name));
  grid.classList.toggle("crisp", rows <= 13);
  grid.style.setProperty("--across", String(channels > 256 ? 24 : channels > 128 ? 16 : 12));
  if (!isFlat(layer)) {
    grid.style.setProperty("--bw", `${100 * PER_ROW}%`);
    grid.style.setProperty("--bh", `${100 * Math.ceil(channels / PER_ROW)}%`);
    grid.style.setProperty("--sheet", "none");
    grid.replaceChildren(...buttons(layer, order, channel));
  }
  return dress(layer, style);
}

/**
 * Mark a channel's tile as the chosen one and the tab stop.
 * @param {number} channel
 */
export function mark(channel) {
  const grid = byId("tiles");
  const button = findAll(grid, `[data-channel="${channel}"]`).at(0);
  if (!button) return; // a flat layer has no tiles
  press(grid, button);
  stop(grid, button);
}

/** Put the tiles that are there into another order. @param {number[]} order */
export function reorder(order) {
  const grid = byId("tiles");
  const all = new Map(findAll(grid, "[data-channel]").map((tile) => [Number(tile.dataset.channel), tile]));
  grid.append(...order.flatMap((channel) => all.get(channel) ?? []));
}

/** @param {(channel: number) => void} chose */
export function listen(chose) {
  const grid = byId("tiles");
  const choose = (/** @type {HTMLElement} */ button) => chose(Number(button.dataset.channel));
  onButton(grid, choose);
  roving(grid, choose);
}
