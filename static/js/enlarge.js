/** One channel enlarged, the part of the photo that one of its numbers was made from, and its kernel. */

import { isFlat, peak, valueAt } from "./activations.js";
import * as api from "./api.js";
import { byId, context2d, find, outline, svg } from "./dom.js";
import * as sheet from "./sheet.js";
import { SAY } from "./strings.js";

/** @typedef {import("./activations.js").Layer} Layer */

const KERNEL = 11;
const STEPS = /** @type {Record<string, [number, number]>} */ ({
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
});

/** @type {{ layer: Layer, channel: number, inputSize: number, row: number, column: number } | null} */
let view = null;

/** @type {Promise<HTMLImageElement> | undefined} */
let kernels;

/** @type {Promise<typeof import("./unit-card.js")> | undefined} */
let cards;

/** How the tile of a unit is opened; a card links to others. */
let openTile = (/** @type {string} */ _layer, /** @type {number} */ _channel) => {};

/** The cards of units, fetched when the first is opened. */
function unitCards() {
  cards ??= import("./unit-card.js").then((module) => {
    module.listen(openTile);
    return module;
  });
  cards.catch(() => {
    cards = undefined;
  });
  return cards;
}

/** The sheet of kernels, 12 to a row; already fetched for the section below. */
function kernelSheet() {
  kernels ??= (async () => {
    const image = new Image();
    image.src = "model/filters.png";
    await image.decode();
    return image;
  })();
  return kernels;
}

/**
 * Show one channel, with its strongest cell marked.
 * @param {Layer} layer
 * @param {number} channel
 * @param {sheet.Style} style
 * @param {number} inputSize
 */
export function show(layer, channel, style, inputSize) {
  const flat = isFlat(layer);
  const [channels] = layer.shape;
  view = { layer, channel, inputSize, ...peak(layer, channel) };
  byId("channel-h").textContent = flat ? SAY.noPosition(layer.name) : SAY.channelOf(channel, channels);
  byId("map").hidden = flat;
  byId("kernel").hidden = layer.name !== "conv1";
  if (!flat) shade(layer, channel, style);
  if (layer.name === "conv1") drawKernel(channel);
  point();
  showCard(layer, channel);
}

/** Say what the channel looks for; without the card the map is enough. @param {Layer} layer @param {number} channel */
async function showCard(layer, channel) {
  const module = await unitCards().catch(() => null);
  if (!module || view?.layer !== layer || view.channel !== channel) return;
  if (isFlat(layer)) module.clear();
  else module.show({ name: layer.name, channel }, SAY.channelOf(channel, layer.shape[0]));
}

/** Colour the enlarged map alone. @param {Layer} layer @param {number} channel @param {sheet.Style} style */
export function shade(layer, channel, style) {
  sheet.draw(find(byId("map"), "canvas", HTMLCanvasElement), layer, style, { order: [channel], perRow: 1 });
}

/** @param {number} channel */
async function drawKernel(channel) {
  const image = await kernelSheet().catch(() => null);
  if (!image || view?.channel !== channel) return;
  const context = context2d(find(byId("kernel"), "canvas", HTMLCanvasElement));
  const [x, y] = [(channel % 12) * KERNEL, Math.floor(channel / 12) * KERNEL];
  context.drawImage(image, x, y, KERNEL, KERNEL, 0, 0, KERNEL, KERNEL);
}

/** Mark the cell, and on the photo what it sees. */
function point() {
  if (!view) return;
  const { layer, channel, inputSize, row, column } = view;
  const flat = isFlat(layer);
  const [, rows, columns] = layer.shape;
  const line = columns / 200;
  const marker = find(byId("map"), "svg", SVGSVGElement);
  marker.setAttribute("viewBox", `0 0 ${columns} ${rows}`);
  const cell = { x: column - line, y: row - line, width: 1 + 2 * line, height: 1 + 2 * line };
  marker.replaceChildren(...outline("rect", cell, line));
  const side = layer.receptiveField;
  const [x, y] = flat ? [0, 0] : [layer.start + column * layer.jump, layer.start + row * layer.jump];
  const whole = `M0 0H${inputSize}V${inputSize}H0ZM${x} ${y}v${side}h${side}v${-side}Z`;
  const field = find(byId("field"), "svg", SVGSVGElement);
  field.setAttribute("viewBox", `0 0 ${inputSize} ${inputSize}`);
  field.replaceChildren(
    svg("path", { d: whole, fill: "#000", "fill-opacity": 0.3, "fill-rule": "evenodd" }),
    ...outline("rect", { x, y, width: side, height: side }, 2),
  );
  byId("field-note").textContent = flat ? SAY.seesAll : SAY.sees(side, inputSize);
  const value = valueAt(layer, channel, row, column);
  byId("channel-note").textContent = flat ? SAY.flat(layer.top) : SAY.cell(row, column, value, layer.top);
}

/** @param {number} row @param {number} column */
function go(row, column) {
  if (!view) return;
  const [, rows, columns] = view.layer.shape;
  view.row = Math.max(0, Math.min(rows - 1, row));
  view.column = Math.max(0, Math.min(columns - 1, column));
  point();
}

/**
 * Find the row of fc8 of a label, by what its vocabulary calls it.
 * @param {Rest.ModelResponse} model
 * @param {string} vocabulary "" for the first that has it
 * @param {string} id
 */
function rowOf({ vocabularies }, vocabulary, id) {
  let first = 0;
  for (const one of vocabularies) {
    const at = vocabulary && vocabulary !== one.name ? -1 : one.labels.findIndex((label) => label.id === id);
    if (at >= 0) return first + at;
    first += one.size;
  }
  return -1;
}

/** Offer the card of the chosen label, and open it. */
function offerLabel() {
  const button = byId("open-label");
  let row = -1;
  document.addEventListener("glassbot:label", async (event) => {
    const { id, vocabulary } = /** @type {CustomEvent<{ id: string, vocabulary: string }>} */ (event).detail;
    const model = await api.model().catch(() => null);
    row = model ? rowOf(model, vocabulary, id) : -1;
    button.hidden = row < 0;
  });
  button.addEventListener("click", async () => (await unitCards().catch(() => null))?.openLabel(row));
}

/**
 * Pointer and arrow keys move the marked cell.
 * @param {(layer: string, channel: number) => void} open the tile of a unit
 */
export function listen(open) {
  openTile = open;
  offerLabel();
  const map = byId("map");
  const follow = (/** @type {PointerEvent} */ event) => {
    if (!view) return;
    const [, rows, columns] = view.layer.shape;
    const box = map.getBoundingClientRect();
    const down = (event.clientY - box.top) / box.height;
    const across = (event.clientX - box.left) / box.width;
    go(Math.floor(down * rows), Math.floor(across * columns));
  };
  map.addEventListener("pointerdown", follow);
  map.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
    if (event.pointerType === "mouse" || event.buttons) follow(event);
  });
  map.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const step = STEPS[event.key];
    if (!step || !view) return;
    event.preventDefault();
    go(view.row + step[0], view.column + step[1]);
  });
}
