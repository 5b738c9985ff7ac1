/** What every layer saw: keeps the choices of layer, channel, order and brightness, and draws what they ask for. */

import { ordered } from "./activations.js";
import { byId, onRadio } from "./dom.js";
import * as enlarge from "./enlarge.js";
import { drawCrop } from "./photo.js";
import * as rail from "./rail.js";
import * as tiles from "./tiles.js";

/**
 * @typedef {import("./activations.js").Activations} Activations
 * @typedef {import("./activations.js").Layer} Layer
 */

const FIELD = 454; // pixels of the small photo, enough for a sharp screen

/** @type {{ seen: Activations | null, layer: string, channels: Record<string, number>, order: string, scale: string }} */
const state = { seen: null, layer: "conv1", channels: {}, order: "natural", scale: "tile" };

/** How much each channel of conv5 speaks for the chosen label, where the service says so. @type {number[] | undefined} */
let relevance;

/** @returns {Layer | undefined} */
const current = () => state.seen?.layers.find((layer) => layer.name === state.layer);

/** @param {Layer} layer */
const orderOf = (layer) => ordered(layer, state.order, layer.name === "conv5" ? relevance : undefined);

/** @param {Layer} layer the first time a layer is opened, its strongest channel speaks for it */
const channelOf = (layer) => (state.channels[layer.name] ??= ordered(layer, "strongest", undefined)[0]);

/** Draw the chosen layer anew. */
function draw() {
  const layer = current();
  if (!layer || !state.seen) return;
  const flat = layer.shape[1] === 1;
  byId("order").disabled = byId("scale").disabled = flat;
  byId("by-use").hidden = !(relevance?.length && layer.name === "conv5");
  tiles.show(layer, { order: orderOf(layer), scale: state.scale, channel: channelOf(layer) });
  enlarge.show(layer, channelOf(layer), state.scale, state.seen.inputSize);
}

/** @param {number} channel */
function choose(channel) {
  const layer = current();
  if (!layer || !state.seen) return;
  state.channels[layer.name] = channel;
  tiles.mark(channel);
  enlarge.show(layer, channel, state.scale, state.seen.inputSize);
}

/** @param {string} order */
function reorder(order) {
  state.order = order;
  const layer = current();
  if (layer) tiles.reorder(orderOf(layer));
}

/** @param {string} scale */
function rescale(scale) {
  state.scale = scale;
  const layer = current();
  if (!layer) return;
  byId("tiles").dataset.scale = scale;
  tiles.dress(layer, scale);
  enlarge.shade(layer, channelOf(layer), scale);
}

/**
 * Show the layers of one photo.
 * @param {Activations} seen
 * @param {import("./photo.js").Picture} picture
 */
export function show(seen, picture) {
  Object.assign(state, { seen, channels: {} });
  const thumb = rail.show(seen.layers, state.layer, seen.inputSize);
  drawCrop(thumb, 112, picture, seen.crop, seen.image);
  drawCrop(byId("field").querySelector("canvas"), FIELD, picture, seen.crop, seen.image);
  draw();
}

/**
 * Tell which label is chosen, so that the channels can be put in its order.
 * @param {string} name
 * @param {number[] | undefined} shares
 */
export function choseLabel(name, shares) {
  relevance = shares;
  for (const node of document.querySelectorAll(".chosen")) node.textContent = name;
  const layer = current();
  byId("by-use").hidden = !(shares?.length && layer?.name === "conv5");
  if (layer && state.order === "relevant") tiles.reorder(orderOf(layer));
}

/** Open a channel of conv1, from its kernel. @param {number} channel */
export function openKernel(channel) {
  state.layer = "conv1";
  state.channels.conv1 = channel;
  rail.choose("conv1");
  draw();
  byId("layers").scrollIntoView();
  byId("tiles").querySelector(`[data-channel="${channel}"]`)?.focus({ preventScroll: true });
}

/** Listen to every control of the section, once. */
export function listen() {
  onRadio(byId("rail"), (name) => {
    state.layer = name;
    draw();
  });
  onRadio(byId("order"), reorder);
  onRadio(byId("scale"), rescale);
  tiles.listen(choose);
  enlarge.listen();
}
