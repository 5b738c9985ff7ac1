/** The session of one photo: from its file to everything that is shown of it. */

import * as address from "./address.js";
import * as answer from "./answer.js";
import * as api from "./api.js";
import { byId, find, radio } from "./dom.js";
import { refuse } from "./empty-state.js";
import * as historyList from "./history-list.js";
import * as historyStore from "./history-store.js";
import * as kernels from "./kernels.js";
import * as photo from "./photo.js";
import { SAY } from "./strings.js";

/**
 * @typedef {typeof import("./lazy-bundle.js")} LazyBundle
 *
 * @typedef {object} Photo
 * @property {string} number by which the address knows it
 * @property {File} file
 * @property {string} sample its name in the gallery; "" for somebody's own
 * @property {number} of how many files it came as the first
 */

const SLOW = 5000; // milliseconds without an answer, after which the page says that it still waits

/** Ends whatever is under way for the photo before. */
let current = new AbortController();

/** What is shown: the photo, and once it is answered a way to look at another label, method or layer of it. */
let shown = { number: "", turn: () => {} };

/** @returns {Promise<LazyBundle>} */
const load = () =>
  import("./lazy-bundle.js").catch(() => {
    throw new api.Trouble(SAY.gone, SAY.goneWhy);
  });

/** Fetch what an answer will need, so that it need not wait for it. */
export const prepare = () => void load().catch(() => {}); // then it is fetched with the photo

/** The number of the photo that is shown. */
export const number = () => shown.number;

/** Show of the photo what the address says. */
export const turn = () => shown.turn();

/** Let go of the photo. */
export function leave() {
  current.abort();
  shown = { number: "", turn: () => {} };
}

/** Show another photo, in place of the one before. @param {Photo} chosen */
export async function take(chosen) {
  current.abort();
  current = new AbortController();
  shown = { number: chosen.number, turn: () => {} };
  const { signal } = current;
  const { file } = chosen;
  const megabytes = byId("choose").dataset.megabytes ?? "";
  if (file.size > 1e6 * Number(megabytes))
    return refuse(new api.Trouble(SAY.tooLarge, SAY.tooLargeWhy(megabytes)), file);
  const readable = await isReadable(file);
  if (signal.aborted) return;
  if (!readable) return refuse(new api.Trouble(SAY.unreadable, SAY.unreadableWhy), file);
  const picture = await photo.open(file);
  if (signal.aborted) return;
  try {
    await look(chosen, picture, signal);
  } catch (error) {
    if (!signal.aborted) fail(error, chosen);
  }
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
  const { file } = chosen;
  const model = api.model().catch(() => undefined);
  const loading = load();
  loading.catch(() => {}); // it is heard below, unless something fails before
  begin(drawn, chosen.of);
  const prediction = await ask(file, signal);
  performance.mark("answered"); // and "drawn" below: benchmarks/page.py reads the time between them
  const [facts, bundle] = await Promise.all([model, loading]);
  const picture = drawn.image ? drawn : await photo.openSquare(await api.square(file, signal).catch(() => null));
  if (signal.aborted) return;
  if (picture !== drawn) photo.show(picture);
  photo.place(picture, prediction.image.crop, prediction.image);
  const activations = showLayers(bundle, file, picture, signal);
  answer.show(prediction, facts, (choice) => {
    address.turn({ label: `${choice.vocabulary ?? ""}:${choice.id}` });
    shown.turn();
  });
  find(byId("photo"), "img", HTMLImageElement).alt = SAY.photoAlt(prediction.caption.alt_text);
  byId("timing").textContent = prediction.timing_ms.model > 0 ? SAY.took(prediction.timing_ms.total) : SAY.remembered;
  bundle.classMap.begin(file, activations, signal);
  bundle.exporter.begin(prediction, picture, file.name);
  shown.turn = () => turnTo(bundle, answer.first(prediction));
  shown.turn();
  remember(chosen, prediction, picture);
  byId("answer").classList.remove("working");
}

/** @param {File} file @param {AbortSignal} signal */
async function ask(file, signal) {
  answer.stage("send");
  let slow;
  try {
    return await api.predict(file, {
      sending: (share) => answer.stage("send", SAY.sent(share)),
      sent: () => {
        answer.stage("look");
        slow = setTimeout(() => answer.stage("look", SAY.stillLooking), SLOW);
      },
      signal,
    });
  } finally {
    clearTimeout(slow);
  }
}

/** The empty answer, each part in its place. @param {photo.Picture} picture @param {number} of */
function begin(picture, of) {
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
 */
function turnTo({ classMap, layers }, first) {
  const { label, method, layer } = address.view();
  const [, vocabulary, id] = /^([^:]*):(.*)$/.exec(label) ?? ["", "", label];
  const choice = id ? { id, vocabulary } : first;
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
  if (!chosen.sample) historyList.hold(id, chosen.file);
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
 * @param {File} file
 * @param {photo.Picture} picture
 * @param {AbortSignal} signal
 * @returns {Promise<import("./activations.js").Activations | null>} null where it did not come
 */
async function showLayers({ layers, parse }, file, picture, signal) {
  const words = byId("layers-wait");
  words.textContent = SAY.drawingLayers;
  try {
    const activations = parse(await api.activations(file, signal));
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
  if (!trouble.passing) return refuse(trouble, chosen.file);
  byId("answer").classList.add("trouble");
  byId("answer").classList.remove("working");
  byId("layers").hidden = true;
  const { busy } = trouble;
  const title = busy ? SAY.busy : trouble.status === 0 ? trouble.title : `${trouble.title}.`;
  const detail = busy ? SAY.busyFor(trouble.retryAfter) : `${trouble.detail} ${SAY.photoStillHere}`;
  answer.showFailure(title, detail, () => take(chosen));
}
