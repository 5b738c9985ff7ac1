/** The class map over the photo: which label, which method, how strong. */

import * as api from "./api.js";
import { byId, onRadio, radio } from "./dom.js";
import { paint } from "./heatmap.js";
import { choseLabel } from "./layers.js";
import { SAY } from "./strings.js";

/**
 * @typedef {import("./answer.js").Choice} Choice
 * @typedef {import("./activations.js").Activations} Activations
 *
 * @typedef {object} Subject
 * @property {File} file
 * @property {Promise<Activations | null>} seen where the cells lie
 * @property {AbortSignal} signal
 * @property {Map<string, Promise<any>>} maps those already asked for
 */

/** @type {Subject | null} */
let subject = null;

/** @type {Choice | null} */
let chosen = null;

const FIRST = "gradcam";

let method = FIRST;

/**
 * Start with a new photo.
 * @param {File} file
 * @param {Promise<Activations | null>} seen
 * @param {AbortSignal} signal
 */
export function begin(file, seen, signal) {
  subject = { file, seen, signal, maps: new Map() };
}

/**
 * Draw the map of a label.
 * @param {Choice} choice
 * @param {string} how "" for the method that the page would choose
 */
export function turn(choice, how) {
  const methods = [...byId("method").querySelectorAll("input")].map(({ value }) => value);
  chosen = choice;
  method = methods.includes(how) ? how : FIRST;
  radio(byId("method"), method);
  draw();
}

/** @param {Subject} of @param {Choice} choice @returns {Promise<any>} */
function ask(of, choice) {
  const key = [method, choice.kind, choice.id].join("|");
  const known = of.maps.get(key) ?? api.explain(of.file, { ...choice, method }, of.signal);
  of.maps.set(key, known);
  known.catch(() => of.maps.delete(key));
  return known;
}

async function draw() {
  const [of, choice, how] = [subject, chosen, method];
  if (!of || !choice) return;
  const late = () => of !== subject || choice !== chosen || how !== method || of.signal.aborted;
  const note = byId("map-note");
  note.textContent = SAY.drawingMap(choice.name ?? choice.id);
  try {
    const [explained, layer] = await Promise.all([ask(of, choice), geometry(of.seen)]);
    if (late()) return;
    const cam = byId("cam");
    paint(cam, explained.map, layer, layer.inputSize);
    cam.hidden = false;
    cam.dataset.label = choice.id;
    note.textContent = (explained.maximum > 0 ? SAY.map : SAY.noEvidence)(explained.label);
    choseLabel(explained.label, explained.relevance);
  } catch (error) {
    if (late()) return;
    byId("cam").hidden = true;
    note.textContent = SAY.noMap(error instanceof api.Trouble ? error.detail : SAY.strange);
  }
}

/**
 * Where the cells of conv5 lie: from the activations, or from the layer table where those did not come.
 * @param {Promise<Activations | null>} seen
 */
async function geometry(seen) {
  const known = await seen;
  const layer = known?.layers.find((one) => one.name === "conv5");
  if (known && layer) return { ...layer, inputSize: known.inputSize };
  const model = await api.model();
  const { receptive_field: receptiveField, jump, start } = model.layers.find((/** @type {any} */ one) => one.name === "conv5");
  return { receptiveField, jump, start, inputSize: model.input_size };
}

/** Listen to the slider and the choice of method, once. @param {(method: string) => void} changed "" for the first */
export function listen(changed) {
  const slider = byId("opacity");
  const fade = () => {
    byId("cam").style.opacity = String(slider.value / 100);
    slider.nextElementSibling.value = `${slider.value}%`;
  };
  slider.addEventListener("input", fade);
  fade();
  onRadio(byId("method"), (value) => {
    method = value;
    draw();
    changed(value === FIRST ? "" : value);
  });
}
