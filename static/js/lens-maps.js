/** The strip below the lens: what the first and the last convolution make of what the camera sees, a few channels of each. */

import { parse } from "./activations.js";
import * as api from "./api.js";
import { byId, el } from "./dom.js";
import { PALETTES } from "./palettes.js";
import { draw } from "./sheet.js";
import { SAY } from "./strings.js";

/** @typedef {import("./activations.js").Layer} Layer */

const SHOWN = 8; // channels of a layer
const STRIPS = [
  { layer: "conv1", cell: 1 },
  { layer: "conv5", cell: 4 }, // so that its 13 x 13 numbers are about as wide
];
const FADE = 0.85; // how much of a channel's strength is remembered from one frame to the next
const PAUSE = 5000; // milliseconds until the next try after one that failed

/** How strong each channel was lately, by layer. @type {Map<string, Float32Array>} */
const strengths = new Map();

/** The channels that are on the screen, by layer. @type {Map<string, number[]>} */
const chosen = new Map();

let isAsking = false;

/** Before that time nothing is asked for: the maps take at most half of the time, and the answers go first. */
let earliest = 0;

/** Start with another camera: an empty strip. */
export function begin() {
  strengths.clear();
  chosen.clear();
  isAsking = false;
  earliest = 0;
  dress();
  byId("lens-maps").hidden = true;
  byId("lens-maps").replaceChildren(
    ...STRIPS.map(({ layer }) =>
      el("figure", {}, el("canvas", { role: "img", "data-layer": layer }), el("figcaption", { class: "note" })),
    ),
  );
}

/** Fetch the style of the strip, once. */
function dress() {
  const href = "static/css/lens.css";
  if (!document.querySelector(`link[href="${href}"]`)) document.head.append(el("link", { rel: "stylesheet", href }));
}

/**
 * Show what the layers made of a frame that was answered, unless the one before is still under way. Where that fails the
 * strip stands still: the next frame is another chance.
 * @param {string} image SHA-256 of the frame
 * @param {AbortSignal} signal
 */
export async function follow(image, signal) {
  const began = performance.now();
  if (isAsking || began < earliest) return;
  isAsking = true;
  try {
    const names = STRIPS.map(({ layer }) => layer).join();
    const { layers } = parse(await api.activations(image, signal, names));
    if (signal.aborted) return;
    layers.forEach(show);
    byId("lens-maps").hidden = false;
    earliest = began + 2 * (performance.now() - began);
  } catch {
    earliest = performance.now() + PAUSE;
  }
  if (!signal.aborted) isAsking = false;
}

/** @param {Layer} layer @param {number} i */
function show(layer, i) {
  const figure = byId("lens-maps").children[i];
  const canvas = /** @type {HTMLCanvasElement} */ (figure.querySelector("canvas"));
  const order = choose(layer);
  draw(canvas, layer, { palette: PALETTES.cividis, scale: "layer" }, { ...STRIPS[i], order, perRow: SHOWN, gap: 2 });
  const words = SAY.lensMaps(layer.name, SHOWN, layer.shape[0]);
  canvas.setAttribute("aria-label", words);
  const caption = /** @type {HTMLElement} */ (figure.querySelector("figcaption"));
  if (caption.textContent !== words) caption.textContent = words;
}

/**
 * The channels that were strongest lately. One that is shown keeps its place as long as it is among twice as many: a strip
 * whose pictures change places cannot be followed.
 * @param {Layer} layer
 */
function choose({ name, maxima }) {
  const strength = strengths.get(name) ?? Float32Array.from(maxima);
  maxima.forEach((most, channel) => {
    strength[channel] = FADE * strength[channel] + (1 - FADE) * most;
  });
  strengths.set(name, strength);
  const best = Array.from(strength.keys()).sort((a, b) => strength[b] - strength[a]);
  const shown = chosen.get(name) ?? best.slice(0, SHOWN);
  const near = new Set(best.slice(0, 2 * SHOWN));
  const spare = best.filter((channel) => !shown.includes(channel));
  const order = shown.map((channel) => (near.has(channel) ? channel : (spare.shift() ?? channel)));
  chosen.set(name, order);
  return order;
}
