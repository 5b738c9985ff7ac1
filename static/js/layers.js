/** The activations of every layer: keeps the choices of layer, channel, order, brightness and colours, and draws what they ask for. */

import { isFlat, ordered, strongest } from "./activations.js";
import { byId, find, findAll, onRadio, radio } from "./dom.js";
import * as enlarge from "./enlarge.js";
import * as picker from "./layer-picker.js";
import * as overview from "./overview.js";
import { PALETTES, ramp } from "./palettes.js";
import { drawCrop } from "./photo.js";
import { SAY } from "./strings.js";
import * as tiles from "./tiles.js";

/**
 * @typedef {import("./activations.js").Activations} Activations
 * @typedef {import("./activations.js").Layer} Layer
 */

const FIELD = 454; // pixels of the small photo, enough for a sharp screen
const ALL = "all";

const state = {
  activations: /** @type {Activations | null} */ (null),
  layer: ALL,
  channels: /** @type {Record<string, number>} */ ({}),
  order: "natural",
  style: { palette: PALETTES.cividis, scale: "channel" },
};

/**
 * How much each channel of a layer adds to the chosen label's lead, once a class map told it.
 * @type {{ layer: string, shares: number[] } | null}
 */
let relevance = null;

/** Reports that somebody chose a layer. */
let chose = (/** @type {string} */ _) => {};

/** @returns {Layer | undefined} none where all are shown */
const current = () => state.activations?.layers.find((layer) => layer.name === state.layer);

/**
 * The layers whose channels can be put in order of relevance: the one that the class map is of, and the pooling after it,
 * whose channels are the same and whose windows pass on what adds up to the same.
 */
function relevantLayers() {
  const layers = state.activations?.layers ?? [];
  const at = layers.findIndex(({ name }) => name === relevance?.layer);
  return layers.slice(at, at + 2).filter((layer) => at >= 0 && !isFlat(layer));
}

/** @param {Layer} layer */
const orderOf = (layer) =>
  ordered(layer, state.order, relevantLayers().includes(layer) ? relevance?.shares : undefined);

/** @param {Layer} layer the first time a layer is opened, its strongest channel speaks for it */
const channelOf = (layer) => (state.channels[layer.name] ??= strongest(layer));

/** Draw what is chosen anew. */
function draw() {
  if (!state.activations) return;
  const layer = current();
  byId("overview").hidden = Boolean(layer);
  byId("layer-detail").hidden = !layer;
  for (const id of ["order", "scale"]) byId(id, HTMLFieldSetElement).disabled = Boolean(layer && isFlat(layer));
  note();
  if (!layer) return overview.draw(state.style, orderOf);
  tiles.show(layer, { order: orderOf(layer), style: state.style, channel: channelOf(layer) });
  enlarge.show(layer, channelOf(layer), state.style, state.activations.inputSize);
}

/** Say what the tiles are, and where the chosen order is not known. */
function note() {
  const layer = current();
  const shown = layer ? [layer] : (state.activations?.layers ?? []);
  const relevant = relevantLayers();
  const unknown = state.order === "relevant" && shown.some((other) => !isFlat(other) && !relevant.includes(other));
  byId("layer-note").textContent = [
    layer ? SAY.oneLayer(layer.name, layer.shape, silent(layer)) : SAY.allLayers(...counts(shown)),
    unknown ? SAY.unknownRelevance(relevant.map(({ name }) => name)) : "",
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
  if (!layer || !state.activations) return;
  state.channels[layer.name] = channel;
  tiles.mark(channel);
  enlarge.show(layer, channel, state.style, state.activations.inputSize);
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
 * @param {Activations} activations
 * @param {import("./photo.js").Picture} picture
 */
export function show(activations, picture) {
  const { layers, inputSize, crop, image } = activations;
  if (!layers.some(({ name }) => name === state.layer)) state.layer = ALL;
  Object.assign(state, { activations, channels: {} });
  const thumb = picker.show(layers, state.layer, inputSize);
  drawCrop(thumb, 112, picture, crop, image);
  drawCrop(find(byId("field"), "canvas", HTMLCanvasElement), FIELD, picture, crop, image);
  overview.build(layers, (layer, channel) => open(layer.name, channel));
  draw();
}

/** Show another layer, or all. @param {string} name "" for all */
export function turn(name) {
  if (state.layer === (name || ALL)) return;
  state.layer = name || ALL;
  radio(byId("layer-picker"), state.layer);
  draw();
}

/**
 * Take over which label is chosen, so that the channels can be put in its order.
 * @param {string} name
 * @param {string} layer the one that its class map is of
 * @param {number[]} shares what each channel of that layer adds
 */
export function choseLabel(name, layer, shares) {
  relevance = { layer, shares };
  for (const node of document.querySelectorAll(".chosen")) node.textContent = name;
  if (state.activations && state.order === "relevant") reorder();
}

/**
 * Open one channel of a layer, and go there.
 * @param {string} name
 * @param {number} channel
 */
export function open(name, channel) {
  state.channels[name] = channel;
  state.layer = name;
  radio(byId("layer-picker"), name);
  draw();
  chose(name);
  byId("layers").scrollIntoView();
  const tile = findAll(byId("tiles"), `[data-channel="${channel}"]`).at(0);
  (tile ?? find(byId("layer-picker"), ":checked", HTMLInputElement)).focus({ preventScroll: true });
}

/** Listen to every control of the section, once. @param {(layer: string) => void} changed "" for all */
export function listen(changed) {
  chose = (name) => changed(name === ALL ? "" : name);
  onRadio(byId("layer-picker"), (name) => {
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
  enlarge.listen(open);
}
