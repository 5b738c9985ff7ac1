/** The connected view on the home page: follows the photo and the label that are shown there. */

import { byId, el, findAll } from "../dom.js";
import { keyHeaders } from "../key.js";
import { drawCrop } from "../photo.js";
import { SAY as COMMON } from "../strings.js";
import { SAY } from "./strings.js";
import { NetworkView } from "./view.js";

/**
 * @typedef {import("../activations.js").Activations} Activations
 * @typedef {{ id: string, vocabulary?: string, name?: string }} Choice
 *
 * @typedef {object} Answer what glassbot:answer brings
 * @property {string} image SHA-256 of the photo
 * @property {Rest.PredictResponse} prediction
 * @property {import("../photo.js").Picture} picture
 * @property {Promise<Activations | null>} activations
 */

const PER_LAYER = 10;
const PHOTO_SIDE = 454; // pixels, enough for a sharp screen

/** @type {Answer | null} */
let answer = null;
/** @type {Choice | null} */
let choice = null;
/** @type {NetworkView | null} */
let view = null;
let asked = new AbortController();

const style = document.createElement("link");
style.rel = "stylesheet";
style.href = "static/css/network.css";
const styled = new Promise((done) => {
  style.onload = style.onerror = done;
});
document.head.append(style);

/** Another photo is answered. @param {Answer} next */
export function answered(next) {
  answer = next;
  draw();
}

/** Another label is chosen. @param {Choice} next */
export function chose(next) {
  choice = next;
  draw();
}

/** The photo is gone. */
export function left() {
  asked.abort();
  answer = choice = null;
}

/**
 * @param {string} path
 * @param {Record<string, string | number | undefined>} query
 * @param {AbortSignal} signal
 */
async function post(path, query, signal) {
  const fields = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const asking = new URLSearchParams(fields.map(([name, value]) => [name, String(value)]));
  const response = await fetch(`${path}?${asking}`, { method: "POST", signal, headers: keyHeaders() });
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(body.detail ?? COMMON.goneWhy);
  return body;
}

async function draw() {
  if (!answer || !choice) return;
  const { image, prediction, picture, activations } = answer;
  const { id, vocabulary } = choice;
  asked.abort();
  asked = new AbortController();
  const { signal } = asked;
  const wait = byId("network-wait");
  wait.textContent = view ? "" : SAY.wait;
  try {
    const query = { image, label: id, vocabulary, per_layer: PER_LAYER };
    const [connections, maps] = await Promise.all([post("connections", query, signal), activations, styled]);
    if (signal.aborted) return;
    if (!maps) throw new Error("");
    view ??= new NetworkView(byId("network-body"));
    wait.textContent = "";
    view.show({
      connections,
      activations: maps,
      drawPhoto: (canvas) => drawCrop(canvas, PHOTO_SIDE, picture, prediction.image.crop, prediction.image),
      photoName: SAY.photo,
      captions: SAY.captions,
      labels: labelsOf(prediction, connections),
      sentence: prediction.caption.text,
      cell: (at, gone) => post("cell", { image, ...at }, gone),
      choose,
    });
  } catch (error) {
    if (signal.aborted) return;
    const again = el("button", { type: "button", class: "btn" }, SAY.again);
    again.addEventListener("click", draw);
    wait.replaceChildren(SAY.failed(error instanceof Error ? error.message : ""), " ", again);
  }
}

/**
 * The labels of the answer, with the chosen one among them.
 * @param {Rest.PredictResponse} prediction
 * @param {import("./source.js").Connections} connections
 */
function labelsOf({ labels }, { label, probability }) {
  const bars = labels.map(({ id, vocabulary, label: name, score }) => ({ id, vocabulary, name, score }));
  const isThere = bars.some(({ id, vocabulary }) => id === label.id && vocabulary === label.vocabulary);
  const own = { id: label.id, vocabulary: label.vocabulary, name: label.label, score: probability };
  return isThere ? bars : [own, ...bars];
}

/** Choose it as its own button in the answer would. @param {import("./source.js").Label} label */
function choose({ id, vocabulary }) {
  const buttons = findAll(byId("answer"), "button[data-label]", HTMLButtonElement);
  buttons.find(({ dataset }) => dataset.label === id && dataset.vocabulary === vocabulary)?.click();
}
