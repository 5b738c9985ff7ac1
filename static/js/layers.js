/** What every layer saw: keeps the choices of layer, channel, order, brightness and colours, and draws what they ask for. */

import { isFlat, ordered, strongest } from "./activations.js";
import { byId, onRadio, radio } from "./dom.js";
import * as enlarge from "./enlarge.js";
import * as overview from "./overview.js";
import { PALETTES, ramp } from "./palettes.js";
import { drawCrop } from "./photo.js";
import * as rail from "./rail.js";
import { SAY } from "./strings.js";
import * as tiles from "./tiles.js";

/**
 * @typedef {import("./activations.js").Activations} Activations
 * @typedef {import("./activations.js").Layer} Layer
 */

const FIELD = 454; // pixels of the small photo, enough for a sharp screen
const ALL = "all";

/** The channels of pool5 are those of conv5, and what its windows pass on adds up to the same. */
const SHARED = ["conv5", "pool5"];

const state = {
  seen: /** @type {Activations | null} */ (null),
  layer: ALL,
  channels: /** @type {Record<string, number>} */ ({}),
  order: "natural",
  style: { palette: PALETTES.cividis, scale: "channel" },
};

/** How much each channel of conv5 speaks for the chosen label, where that is known. @type {number[] | undefined} */
let relevance;

/** Tells that somebody chose a layer. */
let chose = (/** @type {string} */ _) => {};

/** @returns {Layer | undefined} none where all are shown */
const current = () => state.seen?.layers.find((layer) => layer.name === state.layer);

/** @param {Layer} layer */
const orderOf = (layer) => ordered(layer, state.order, SHARED.includes(layer.name) ? relevance : undefined);

/** @param {Layer} layer the first time a layer is opened, its strongest channel speaks for it */
const channelOf = (layer) => (state.channels[layer.name] ??= strongest(layer));

/** Draw what is chosen anew. */
function draw() {
  if (!state.seen) return;
  const layer = current();
  byId("overview").hidden = Boolean(layer);
  byId("bench").hidden = !layer;
  byId("order").disabled = byId("scale").disabled = Boolean(layer && isFlat(layer));
  note();
  if (!layer) return overview.draw(state.style, orderOf);
  tiles.show(layer, { order: orderOf(layer), style: state.style, channel: channelOf(layer) });
  enlarge.show(layer, channelOf(layer), state.style, state.seen.inputSize);
}

/** Say what the tiles are, and where the chosen order is not known. */
function note() {
  const layer = current();
  const shown = layer ? [layer] : (state.seen?.layers ?? []);
  const unknown = state.order === "relevant" && shown.some((one) => !isFlat(one) && !SHARED.includes(one.name));
  byId("many-note").textContent = [
    layer ? SAY.oneLayer(layer.name, layer.shape, silent(layer)) : SAY.allLayers(...counts(shown)),
    unknown ? SAY.unknownUse : "",
  ].join(" ");
}

/** @param {Layer} layer */
const silent = (layer) => layer.maxima.reduce((n, most) => n + Number(most <= 0), 0);

/** @param {Layer[]} layers @returns {[number, number]} channels that are maps, and units */
function counts(layers) {
  const sum = (/** @type {boolean} */ flat) =>
    layers.reduce((n, layer) => n + (isFlat(layer) === flat ? layer.shape[0] : 0), 0);
  return [sum(false), sum(true)];
}

/** @param {number} channel */
function choose(channel) {
  const layer = current();
  if (!layer || !state.seen) return;
  state.channels[layer.name] = channel;
  tiles.mark(channel);
  enlarge.show(layer, channel, state.style, state.seen.inputSize);
}

/** The same tiles in another order. */
function reorder() {
  const layer = current();
  note();
  if (!layer) overview.draw(state.style, orderOf);
  else if (!isFlat(layer)) tiles.reorder(orderOf(layer));
}

/** The same tiles in other colours. @param {Partial<typeof state.style>} change */
function restyle(change) {
  Object.assign(state.style, change);
  const layer = current();
  if (!layer) return overview.draw(state.style, orderOf);
  tiles.dress(layer, state.style);
  if (!isFlat(layer)) enlarge.shade(layer, channelOf(layer), state.style);
}

/**
 * Show the layers of one photo.
 * @param {Activations} seen
 * @param {import("./photo.js").Picture} picture
 */
export function show(seen, picture) {
  if (!seen.layers.some(({ name }) => name === state.layer)) state.layer = ALL;
  Object.assign(state, { seen, channels: {} });
  const thumb = rail.show(seen.layers, state.layer, seen.inputSize);
  drawCrop(thumb, 112, picture, seen.crop, seen.image);
  drawCrop(byId("field").querySelector("canvas"), FIELD, picture, seen.crop, seen.image);
  overview.build(seen.layers, (layer, channel) => open(layer.name, channel));
  draw();
}

/** Show another layer, or all. @param {string} name "" for all */
export function turn(name) {
  if (state.layer === (name || ALL)) return;
  state.layer = name || ALL;
  radio(byId("rail"), state.layer);
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
  if (state.seen && state.order === "relevant") reorder();
}

/**
 * Open one channel of a layer, and go there.
 * @param {string} name
 * @param {number} channel
 */
export function open(name, channel) {
  state.channels[name] = channel;
  state.layer = name;
  radio(byId("rail"), name);
  draw();
  chose(name);
  byId("layers").scrollIntoView();
  const tile = byId("tiles").querySelector(`[data-channel="${channel}"]`);
  (tile ?? byId("rail").querySelector(":checked")).focus({ preventScroll: true });
}

/** Listen to every control of the section, once. @param {(layer: string) => void} changed "" for all */
export function listen(changed) {
  chose = (name) => changed(name === ALL ? "" : name);
  onRadio(byId("rail"), (name) => {
    state.layer = name;
    draw();
    chose(name);
  });
  onRadio(byId("order"), (order) => {
    state.order = order;
    reorder();
  });
  onRadio(byId("scale"), (scale) => restyle({ scale }));
  onRadio(byId("palette"), (name) => {
    byId("layers").style.setProperty("--ramp", ramp(name));
    restyle({ palette: PALETTES[name] });
  });
  tiles.listen(choose);
  enlarge.listen();
}
