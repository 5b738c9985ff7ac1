/** The connected view on the home page: follows the photo and the label that are shown there. */

import { about } from "../api.js";
import { byId, curly, el, findAll } from "../dom.js";
import { drawCrop } from "../photo.js";
import { SAY } from "./strings.js";
import { styled } from "./style.js";
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

const NARROW = matchMedia("(max-width: 47.99rem)");
const PER_LAYER = () => (NARROW.matches ? 8 : 10); // what fits beside or below each other
const PHOTO_SIDE = 454; // pixels, enough for a sharp screen

/** @type {Answer | null} */
let answer = null;
/** @type {Choice | null} */
let choice = null;
/** @type {NetworkView | null} */
let view = null;
let asked = new AbortController();

NARROW.addEventListener("change", () => draw());

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
  view?.pin("");
  byId("network-body").classList.add("working"); // keeps its height, and shows nothing of the photo before
}

/**
 * @param {string} image
 * @param {string} path
 * @param {Record<string, string | number | undefined>} query
 * @param {AbortSignal} signal
 */
async function ask(image, path, query, signal) {
  const fields = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const asking = new URLSearchParams(fields.map(([name, value]) => [name, String(value)]));
  return (await about(image, `${path}?${asking}`, "application/json", signal)).json();
}

async function draw() {
  if (!answer || !choice) return;
  const { image, prediction, picture, activations } = answer;
  const { id, vocabulary } = choice;
  asked.abort();
  asked = new AbortController();
  const { signal } = asked;
  const wait = byId("network-wait");
  wait.textContent = byId("network-body").matches(".working") ? SAY.wait : "";
  try {
    const query = { label: id, vocabulary, per_layer: PER_LAYER() };
    const [connections, maps] = await Promise.all([ask(image, "connections", query, signal), activations, styled()]);
    if (signal.aborted) return;
    if (!maps) throw new Error("");
    view ??= new NetworkView(byId("network-body"));
    wait.textContent = "";
    byId("network-body").classList.remove("working");
    view.show({
      connections,
      activations: maps,
      drawPhoto: (canvas) => drawCrop(canvas, PHOTO_SIDE, picture, prediction.image.crop, prediction.image),
      photoName: SAY.photo,
      captions: SAY.captions,
      labels: labelsOf(prediction, connections),
      sentence: curly(prediction.caption.text),
      cell: (at, gone) => cell(image, at, gone, prediction.gates),
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
 * How one number came about; of an answer also the chance that the photo shows any label of its vocabulary.
 * @param {string} image
 * @param {Record<string, string | number | undefined>} at
 * @param {AbortSignal} gone
 * @param {Record<string, number>} gates
 */
async function cell(image, at, gone, gates) {
  const found = await ask(image, "cell", at, gone);
  if (found.softmax) found.softmax.gate = gates[found.softmax.vocabulary];
  return found;
}

/**
 * The labels of the answer, with the chosen one among them.
 * @param {Rest.PredictResponse} prediction
 * @param {import("./source.js").Connections} connections
 */
function labelsOf({ labels, gates }, { label, probability }) {
  const bars = labels.map(({ id, vocabulary, label: name, score }) => ({ id, vocabulary, name, score }));
  const isThere = bars.some(({ id, vocabulary }) => id === label.id && vocabulary === label.vocabulary);
  const own = {
    id: label.id,
    vocabulary: label.vocabulary,
    name: label.label,
    score: probability * (gates[label.vocabulary] ?? 1),
  };
  return isThere ? bars : [own, ...bars];
}

/** Choose it as its own button in the answer would. @param {import("./source.js").Label} label */
function choose({ id, vocabulary }) {
  const buttons = findAll(byId("answer"), "button[data-label]", HTMLButtonElement);
  buttons.find(({ dataset }) => dataset.label === id && dataset.vocabulary === vocabulary)?.click();
}
