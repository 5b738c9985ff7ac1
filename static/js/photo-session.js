/** The session of one photo: from its file to everything that is shown of it. */

import * as address from "./address.js";
import * as answer from "./answer.js";
import * as api from "./api.js";
import { byId, find, radio, tell } from "./dom.js";
import { refuse } from "./empty-state.js";
import * as historyList from "./history-list.js";
import * as historyStore from "./history-store.js";
import * as kernels from "./kernels.js";
import * as photo from "./photo.js";
import * as photos from "./photo-store.js";
import { SAY } from "./strings.js";

/**
 * @typedef {typeof import("./lazy-bundle.js")} LazyBundle
 * @typedef {photos.Photo} Photo
 */

const SLOW = 5000; // milliseconds without news, after which the page says that it still waits

/** Ends whatever is under way for the photo before. */
let current = new AbortController();

/** What is shown: the photo, and once it is answered a way to look at another label, method or layer of it. */
let shown = { id: "", turn: () => {} };

/** @returns {Promise<LazyBundle>} */
const load = () =>
  import("./lazy-bundle.js").catch(() => {
    throw new api.Trouble(SAY.gone, SAY.goneWhy);
  });

/** Fetch what an answer will need, so that it need not wait for it. */
export const prepare = () => void load().catch(() => {}); // then it is fetched with the photo

/** By what the address knows the photo that is shown; "" where none is. */
export const id = () => shown.id;

/** Show of the photo what the address says. */
export const turn = () => shown.turn();

/** Let go of the photo. */
export const leave = () => begin("");

/** End what is under way, and hold another photo, or none. @param {string} id @returns {AbortSignal} its own */
function begin(id) {
  current.abort();
  current = new AbortController();
  if (shown.id) tell("leave");
  shown = { id, turn: () => {} };
  return current.signal;
}

/** Show another photo, in place of the one before. @param {Photo} chosen */
export async function take(chosen) {
  const signal = begin(chosen.id);
  const { file } = chosen;
  const megabytes = byId("choose").dataset.megabytes ?? "";
  if (file.size > 1e6 * Number(megabytes))
    return turnAway(new api.Trouble(SAY.tooLarge, SAY.tooLargeWhy(megabytes)), chosen);
  const readable = await isReadable(file);
  if (signal.aborted) return;
  if (!readable) return turnAway(new api.Trouble(SAY.unreadable, SAY.unreadableWhy), chosen);
  const picture = await photo.open(file);
  if (signal.aborted) return;
  try {
    await look(chosen, picture, signal);
  } catch (error) {
    if (!signal.aborted) fail(error, chosen);
  }
}

/** Ask for another photo in place of one that cannot be answered. @param {api.Trouble} trouble @param {Photo} chosen */
function turnAway(trouble, chosen) {
  photos.drop(chosen.id);
  refuse(trouble, chosen.file);
}

/** Whether the file can be read; a folder cannot. @param {File} file */
const isReadable = (file) =>
  file
    .slice(0, 1)
    .arrayBuffer()
    .then(
      () => true,
      () => false,
    );

/**
 * Ask what the photo shows, and show all of it.
 * @param {Photo} chosen
 * @param {photo.Picture} drawn
 * @param {AbortSignal} signal
 */
async function look(chosen, drawn, signal) {
  const model = api.model().catch(() => undefined);
  const loading = load();
  loading.catch(() => {}); // it is heard below, unless something fails before
  empty(drawn, chosen.of);
  const prediction = await ask(chosen, signal);
  performance.mark("answered"); // and "drawn" below: benchmarks/page.py reads the time between them
  const image = prediction.image.sha256;
  const [facts, bundle] = await Promise.all([model, loading]);
  const picture = drawn.image ? drawn : await photo.openSquare(await api.square(image, signal).catch(() => null));
  if (signal.aborted) return;
  know(chosen, image);
  if (picture !== drawn) photo.show(picture);
  photo.place(picture, prediction.image.crop, prediction.image);
  const activations = showLayers(bundle, image, picture, signal);
  answer.show(prediction, facts, (choice) => {
    address.turn({ label: choice.claim === undefined ? `${choice.vocabulary ?? ""}:${choice.id}` : "" });
    shown.turn();
  });
  find(byId("photo"), "img", HTMLImageElement).alt = SAY.photoAlt(prediction.caption.alt_text);
  byId("timing").textContent = prediction.timing_ms.model > 0 ? SAY.took(prediction.timing_ms.total) : SAY.remembered;
  bundle.classMap.begin(image, activations, signal);
  bundle.exporter.begin(prediction, picture, chosen);
  tell("answer", { image, prediction, picture, activations });
  shown.turn = () => turnTo(bundle, answer.first(prediction), facts);
  shown.turn();
  remember(chosen, prediction, picture);
  byId("answer").classList.remove("working");
}

/** Call the photo by its SHA-256, here, in the address and in what is kept. @param {Photo} chosen @param {string} image */
function know(chosen, image) {
  photos.name(chosen, image).then(historyList.show);
  shown.id = image;
  address.settle(image);
}

/** @param {Photo} chosen @param {AbortSignal} signal */
async function ask({ file, image }, signal) {
  let slow = 0;
  const stage = (/** @type {"send" | "look"} */ name, /** @type {string} */ words) => {
    answer.stage(name, words);
    clearTimeout(slow);
    slow = setTimeout(() => answer.stage(name, SAY.slow(words)), SLOW);
  };
  stage("send", SAY.stages.send);
  try {
    const sending = (/** @type {number} */ share) => stage("send", SAY.sent(share));
    const sent = () => stage("look", SAY.stages.look);
    return await api.predict(file, { sending, sent, signal }, image);
  } finally {
    clearTimeout(slow);
  }
}

/** The empty answer, each part in its place. @param {photo.Picture} picture @param {number} of */
function empty(picture, of) {
  for (const id of ["answer", "layers"]) byId(id).hidden = false;
  byId("start").hidden = true;
  byId("answer").classList.add("working");
  byId("answer").classList.remove("trouble");
  byId("layers-body").classList.add("working");
  byId("layers-wait").textContent = "";
  byId("map-note").textContent = "";
  byId("first-of").textContent = of > 1 ? SAY.firstOf(of) : "";
  byId("copy").textContent = SAY.copyButton;
  photo.show(picture);
  answer.wait();
  scrollTo({ top: 0, behavior: "instant" });
  byId("sentence").focus({ preventScroll: true });
}

/**
 * Choose the label, the method and the layer that the address names, or else what the page would choose.
 * @param {LazyBundle} bundle
 * @param {answer.Choice | undefined} first
 * @param {Rest.ModelResponse | undefined} facts which know what a label is called
 */
function turnTo({ classMap, layers }, first, facts) {
  const { label, method, layer } = address.view();
  const [, vocabulary, id] = /^([^:]*):(.*)$/.exec(label) ?? ["", "", label];
  const labels = facts?.vocabularies.find(({ name }) => name === vocabulary)?.labels;
  const name = labels?.find((entry) => entry.id === id)?.name ?? id;
  const choice = id ? { id, vocabulary, name } : first;
  layers.turn(layer);
  if (!choice) return;
  answer.mark(choice);
  classMap.turn(choice, method);
  document.dispatchEvent(new CustomEvent("glassbot:label", { detail: choice }));
}

/**
 * Write the answer down, and offer to say whether it was right.
 * @param {Photo} chosen
 * @param {Rest.PredictResponse} prediction
 * @param {photo.Picture} picture
 */
function remember(chosen, prediction, picture) {
  const id = prediction.image.sha256;
  const thumb = photo.thumb(picture, prediction.image.crop, prediction.image);
  historyStore.add({ id, thumb, text: prediction.caption.text, sample: chosen.sample });
  historyList.show();
  radio(byId("verdict"), historyStore.verdictOn(id));
  byId("verdict").onchange = ({ target }) => {
    historyStore.judge(id, /** @type {HTMLInputElement} */ (target).value);
    historyList.show();
  };
}

/**
 * Fetch and show what the layers saw; beside the answer, which does not wait for it.
 * @param {LazyBundle} bundle
 * @param {string} image SHA-256 of the photo
 * @param {photo.Picture} picture
 * @param {AbortSignal} signal
 * @returns {Promise<import("./activations.js").Activations | null>} null where it did not come
 */
async function showLayers({ layers, parse }, image, picture, signal) {
  const words = byId("layers-wait");
  words.textContent = SAY.drawingLayers;
  try {
    const activations = parse(await api.activations(image, signal));
    if (signal.aborted) return null;
    layers.show(activations, picture);
    kernels.wake((channel) => layers.open("conv1", channel));
    words.textContent = "";
    byId("layers-body").classList.remove("working");
    performance.mark("drawn");
    return activations;
  } catch (error) {
    if (signal.aborted) return null;
    words.textContent = SAY.noLayers(error instanceof api.Trouble ? error.detail : SAY.strange);
    return null;
  }
}

/**
 * No answer came: keep the photo where the server is to blame, else ask for another.
 * @param {unknown} error
 * @param {Photo} chosen
 */
function fail(error, chosen) {
  const trouble = error instanceof api.Trouble ? error : new api.Trouble(SAY.strange, String(error), { status: 500 });
  if (!trouble.passing) return turnAway(trouble, chosen);
  byId("answer").classList.add("trouble");
  byId("answer").classList.remove("working");
  byId("layers").hidden = true;
  const { busy } = trouble;
  const title = busy ? SAY.busy : trouble.status === 0 ? trouble.title : `${trouble.title}.`;
  const detail = busy ? SAY.busyFor(trouble.retryAfter) : `${trouble.detail} ${SAY.photoStillHere}`;
  answer.showFailure(title, detail, () => take(chosen));
}
