/** The class map over the photo: which label, which method, how strong. */

import * as api from "./api.js";
import { byId, find, onRadio, radio, tell } from "./dom.js";
import { paint } from "./heatmap.js";
import { choseLabel } from "./layers.js";
import { SAY } from "./strings.js";

/**
 * @typedef {import("./answer.js").Choice} Choice
 * @typedef {import("./activations.js").Activations} Activations
 *
 * @typedef {object} Source what maps are asked of
 * @property {string} image SHA-256 of the photo
 * @property {Promise<Activations | null>} activations where the cells lie
 * @property {AbortSignal} signal
 * @property {Map<string, Promise<Rest.ExplainResponse>>} maps those already asked for
 */

/** @type {Source | null} */
let current = null;

/** @type {Choice | null} */
let chosen = null;

/** The map that is on the photo. @type {Rest.ExplainResponse | null} */
let drawn = null;

/** The map that is on the photo, for who takes the answer away. */
export const shown = () => drawn;

const DEFAULT_METHOD = "gradcam";

/** Not made from the activations: the network is asked again and again, with a patch covered. */
const OCCLUSION = "occlusion";

let method = DEFAULT_METHOD;

/**
 * Start with a new photo.
 * @param {string} image SHA-256
 * @param {Promise<Activations | null>} activations
 * @param {AbortSignal} signal
 */
export function begin(image, activations, signal) {
  current = { image, activations, signal, maps: new Map() };
  chosen = drawn = null;
}

/**
 * Draw the map of a label.
 * @param {Choice} choice
 * @param {string} how "" for the method that the page would choose
 */
export function turn(choice, how) {
  const methods = [...byId("method").querySelectorAll("input")].map(({ value }) => value);
  const isNew = chosen?.id !== choice.id || chosen.vocabulary !== choice.vocabulary;
  chosen = choice;
  method = methods.includes(how) ? how : DEFAULT_METHOD;
  radio(byId("method"), method);
  if (isNew) tell("label", { id: choice.id, vocabulary: choice.vocabulary ?? "", name: choice.name ?? choice.id });
  draw();
}

/** The map of a choice; each is asked for once. @param {Source} source @param {Choice} choice */
function ask(source, choice) {
  const key = [method, choice.claim, choice.vocabulary, choice.id].join("|");
  const explained = source.maps.get(key) ?? api.explain(source.image, { ...choice, method }, source.signal);
  source.maps.set(key, explained);
  explained.catch(() => source.maps.delete(key));
  return explained;
}

async function draw() {
  const [source, choice, how] = [current, chosen, method];
  if (!source || !choice) return;
  const isLate = () => source !== current || choice !== chosen || how !== method || source.signal.aborted;
  const note = byId("map-note");
  note.textContent = SAY.drawingMap(choice.phrase ?? choice.name ?? choice.id);
  byId("about-map").dataset.method = how;
  try {
    if (how === OCCLUSION) return await drawOcclusion(source, choice, isLate);
    const [explained, activations] = await Promise.all([ask(source, choice), source.activations]);
    const layer = await geometry(explained.layer, activations);
    if (isLate()) return;
    const canvas = byId("cam", HTMLCanvasElement);
    paint(canvas, explained.map, layer, layer.inputSize);
    canvas.hidden = false;
    canvas.dataset.label = choice.id;
    drawn = explained;
    note.textContent = (explained.maximum > 0 ? SAY.map : SAY.noEvidence)(explained.label);
    choseLabel(explained.label, explained.layer, explained.relevance);
  } catch (error) {
    if (isLate()) return;
    byId("cam").hidden = true;
    drawn = null;
    note.textContent = SAY.noMap(error instanceof api.Trouble ? error.detail : SAY.strange);
  }
}

/**
 * Cover the photo patch by patch, and draw by how much the answer drops.
 * @param {Source} source
 * @param {Choice} choice
 * @param {() => boolean} isLate
 */
async function drawOcclusion({ image, signal }, choice, isLate) {
  const [occlusion, model] = await Promise.all([import("./play/occlusion.js"), api.model()]);
  const answer = await occlusion.ask(image, choice, signal);
  if (isLate()) return;
  byId("map-note").textContent = occlusion.show(answer, choice.name ?? choice.id, model.input_size);
  byId("cam").hidden = false;
  byId("cam").dataset.label = choice.id;
  drawn = null;
}

/**
 * Where the cells of a layer lie: from the activations, or from the layer table where those did not come.
 * @param {string} name
 * @param {Activations | null} activations
 */
async function geometry(name, activations) {
  const layer = activations?.layers.find((candidate) => candidate.name === name);
  if (activations && layer) return { ...layer, inputSize: activations.inputSize };
  const model = await api.model();
  const row = model.layers.find((candidate) => candidate.name === name);
  if (!row) throw new RangeError(`no layer ${name}`);
  return { receptiveField: row.receptive_field, jump: row.jump, start: row.start, inputSize: model.input_size };
}

/** Listen to the slider and the choice of method, once. @param {(method: string) => void} changed "" for the default */
export function listen(changed) {
  const slider = byId("opacity", HTMLInputElement);
  const output = find(document, "output[for=opacity]", HTMLOutputElement);
  const fade = () => {
    byId("cam").style.opacity = String(Number(slider.value) / 100);
    output.value = `${slider.value}%`;
  };
  slider.addEventListener("input", fade);
  fade();
  onRadio(byId("method"), (value) => {
    method = value;
    draw();
    changed(value === DEFAULT_METHOD ? "" : value);
  });
}
