/** One photo, from the file to everything that is shown of it. */

import * as address from "./address.js";
import * as answer from "./answer.js";
import * as api from "./api.js";
import * as diary from "./diary.js";
import { byId, radio } from "./dom.js";
import { refuse } from "./frame.js";
import * as kernels from "./kernels.js";
import * as past from "./past.js";
import * as photo from "./photo.js";
import { SAY } from "./strings.js";

/**
 * @typedef {typeof import("./insight.js")} Insight
 *
 * @typedef {object} Subject
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

/** @returns {Promise<Insight>} */
const load = () =>
  import("./insight.js").catch(() => {
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

/** @param {Subject} subject */
export async function take(subject) {
  current.abort();
  current = new AbortController();
  shown = { number: subject.number, turn: () => {} };
  const { signal } = current;
  const { file } = subject;
  const megabytes = byId("choose").dataset.megabytes;
  if (file.size > 1e6 * Number(megabytes)) return refuse(new api.Trouble(SAY.tooLarge, SAY.tooLargeWhy(megabytes)), file);
  const readable = await file.slice(0, 1).arrayBuffer().then(() => true, () => false); // a folder is not
  if (signal.aborted) return;
  if (!readable) return refuse(new api.Trouble(SAY.unreadable, SAY.unreadableWhy), file);
  const picture = await photo.open(file);
  if (signal.aborted) return;
  try {
    await look(subject, picture, signal);
  } catch (error) {
    if (!signal.aborted) fail(error, subject);
  }
}

/**
 * @param {Subject} subject
 * @param {photo.Picture} drawn
 * @param {AbortSignal} signal
 */
async function look(subject, drawn, signal) {
  const { file } = subject;
  const model = api.model().catch(() => undefined);
  const insight = load();
  insight.catch(() => {}); // it is heard below, unless something fails before
  begin(drawn, subject.of);
  const said = await ask(file, signal);
  performance.mark("answered"); // and "drawn" below: benchmarks/page.py reads the time between them
  const [facts, parts] = await Promise.all([model, insight]);
  const picture = drawn.image ? drawn : await photo.openSquare(await api.square(file, signal).catch(() => ""));
  if (signal.aborted) return;
  if (picture !== drawn) photo.show(picture);
  photo.place(picture, said.image.crop, said.image);
  const seen = see(parts, file, picture, signal);
  answer.show(said, facts, (choice) => {
    address.turn({ label: `${choice.kind ?? ""}:${choice.id}` });
    shown.turn();
  });
  byId("photo").querySelector("img").alt = SAY.photoAlt(said.caption.alt_text);
  byId("timing").textContent = said.timing_ms.model > 0 ? SAY.took(said.timing_ms.total) : SAY.remembered;
  parts.map.begin(file, seen, signal);
  parts.keep.begin(said, picture, file.name);
  shown.turn = () => turnTo(parts, answer.first(said));
  shown.turn();
  note(subject, said, picture);
  byId("answer").classList.remove("working");
}

/** @param {File} file @param {AbortSignal} signal */
async function ask(file, signal) {
  answer.stage("send");
  let slow = 0;
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
 * @param {Insight} parts
 * @param {answer.Choice | undefined} first
 */
function turnTo({ map, layers }, first) {
  const { label, method, layer } = address.view();
  const [, kind, id] = /^([^:]*):(.*)$/.exec(label) ?? ["", "", label];
  const choice = id ? { id, kind } : first;
  layers.turn(layer);
  if (!choice) return;
  answer.mark(choice);
  map.turn(choice, method);
}

/** Write the answer down, and offer to say whether it was right. @param {Subject} subject @param {any} said @param {photo.Picture} picture */
function note(subject, said, picture) {
  const id = said.image.sha256;
  const thumb = photo.thumb(picture, said.image.crop, said.image);
  diary.add({ id, thumb, text: said.caption.text, sample: subject.sample });
  if (!subject.sample) past.keep(id, subject.file);
  past.show();
  radio(byId("verdict"), diary.verdictOn(id));
  byId("verdict").onchange = (/** @type {any} */ event) => {
    diary.judge(id, event.target.value);
    past.show();
  };
}

/**
 * Fetch and show what the layers saw; beside the answer, which does not wait for it.
 * @param {Insight} parts
 * @param {File} file
 * @param {photo.Picture} picture
 * @param {AbortSignal} signal
 * @returns {Promise<import("./activations.js").Activations | null>} null where it did not come
 */
async function see({ layers, parse }, file, picture, signal) {
  const words = byId("layers-wait");
  words.textContent = SAY.drawingLayers;
  try {
    const seen = parse(await api.activations(file, signal));
    if (signal.aborted) return null;
    layers.show(seen, picture);
    kernels.wake((channel) => layers.open("conv1", channel));
    words.textContent = "";
    byId("layers-body").classList.remove("working");
    performance.mark("drawn");
    return seen;
  } catch (error) {
    if (signal.aborted) return null;
    words.textContent = SAY.noLayers(error instanceof api.Trouble ? error.detail : SAY.strange);
    return null;
  }
}

/** No answer came: keep the photo where the server is to blame, else ask for another. @param {any} error @param {Subject} subject */
function fail(error, subject) {
  const trouble = error instanceof api.Trouble ? error : new api.Trouble(SAY.strange, String(error), { status: 500 });
  if (!trouble.passing) return refuse(trouble, subject.file);
  byId("answer").classList.add("trouble");
  byId("answer").classList.remove("working");
  byId("layers").hidden = true;
  const { busy } = trouble;
  const title = busy ? SAY.busy : trouble.status === 0 ? trouble.title : `${trouble.title}.`;
  answer.apologise(title, busy ? SAY.busyFor(trouble.retryAfter) : `${trouble.detail} ${SAY.kept}`, () => take(subject));
}
