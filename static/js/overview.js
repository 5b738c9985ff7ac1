/** All layers at once: one sheet for each, in the order in which the photo passes them. */

import { isFlat, strongest } from "./activations.js";
import { byId, el } from "./dom.js";
import * as sheet from "./sheet.js";
import { SAY } from "./strings.js";

/** @typedef {import("./activations.js").Layer} Layer */

/** Tiles in a row, such that neighbouring sheets are equally wide and hardly differ in height. @param {Layer} layer */
const perRow = (layer) => (isFlat(layer) ? 128 : layer.shape[0] > 128 ? 32 : 16);

/** Small maps are drawn larger, so that they keep their edges when the browser fits the sheet. @param {Layer} layer */
const cellSize = (layer) =>
  isFlat(layer) ? { cell: 3 } : { cell: Math.max(1, Math.floor(27 / layer.shape[1])), gap: 2 };

/** @typedef {{ layer: Layer, canvas: HTMLCanvasElement, order: number[] }} LayerSheet its channels in that order */

/** @type {LayerSheet[]} */
let sheets = [];

/**
 * Build the sheets of a photo, undrawn.
 * @param {Layer[]} layers
 * @param {(layer: Layer, channel: number) => void} open called with the tile that is pointed at
 */
export function build(layers, open) {
  sheets = layers.map((layer) => ({ layer, canvas: el("canvas", { "aria-hidden": "true" }), order: [] }));
  const figures = sheets.map((layerSheet) => {
    const { layer, canvas } = layerSheet;
    const button = el("button", { type: "button", "aria-label": SAY.openLayer(layer.name, layer.shape[0]) }, canvas);
    button.addEventListener("click", (event) => open(layer, pointed(layerSheet, event)));
    const caption = el("figcaption", {}, el("b", {}, layer.name), " ", el("small", {}, SAY.shape(layer.shape)));
    return el("figure", { "data-layer": layer.name }, caption, button);
  });
  byId("overview").replaceChildren(...figures);
}

/**
 * The channel below the pointer; the strongest where a key was pressed, or beside the tiles.
 * @param {LayerSheet} layerSheet
 * @param {MouseEvent} event
 */
function pointed({ layer, canvas, order }, event) {
  const box = canvas.getBoundingClientRect();
  const across = Math.floor(((event.clientX - box.left) / box.width) * perRow(layer));
  const down = Math.floor(((event.clientY - box.top) / box.height) * Math.ceil(order.length / perRow(layer)));
  const byKey = event.detail === 0;
  return (byKey ? undefined : order[down * perRow(layer) + across]) ?? strongest(layer);
}

/**
 * Colour every tile of every layer.
 * @param {sheet.Style} style
 * @param {(layer: Layer) => number[]} orderOf
 */
export function draw(style, orderOf) {
  for (const layerSheet of sheets) {
    const { layer, canvas } = layerSheet;
    layerSheet.order = orderOf(layer);
    sheet.draw(canvas, layer, style, { order: layerSheet.order, perRow: perRow(layer), ...cellSize(layer) });
  }
}
