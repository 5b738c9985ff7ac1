/** The page, from a photo to everything that is shown of it. */

import * as answer from "./answer.js";
import * as api from "./api.js";
import { byId } from "./dom.js";
import { listen as listenForPhotos } from "./intake.js";
import * as kernels from "./kernels.js";
import { listen as listenForKey } from "./key.js";
import * as photo from "./photo.js";
import { SAY } from "./strings.js";

/** Ends whatever is under way for the photo before. */
let current = new AbortController();

/** The last alt text. */
let altText = "";

/** @typedef {typeof import("./insight.js")} Insight */

/** @returns {Promise<Insight>} */
const load = () =>
  import("./insight.js").catch(() => {
    throw new api.Trouble(SAY.gone, SAY.goneWhy);
  });

/** @param {File} file */
async function take(file) {
  current.abort();
  current = new AbortController();
  const { signal } = current;
  const megabytes = byId("choose").dataset.megabytes;
  if (file.size > 1e6 * Number(megabytes)) return refuse(new api.Trouble(SAY.tooLarge, SAY.tooLargeWhy(megabytes)), file);
  const readable = await file.slice(0, 1).arrayBuffer().then(() => true, () => false); // a folder is not
  if (signal.aborted) return;
  if (!readable) return refuse(new api.Trouble(SAY.unreadable, SAY.unreadableWhy), file);
  const picture = await photo.open(file);
  if (signal.aborted) return;
  try {
    await look(file, picture, signal);
  } catch (error) {
    if (!signal.aborted) fail(error, file);
  }
}

/**
 * @param {File} file
 * @param {photo.Picture} picture
 * @param {AbortSignal} signal
 */
async function look(file, picture, signal) {
  const model = api.model().catch(() => undefined);
  const insight = load();
  insight.catch(() => {}); // it is heard below, unless something fails before
  begin(picture);
  answer.stage("send");
  const said = await api.predict(file, {
    sending: (share) => answer.stage("send", SAY.sent(share)),
    sent: () => answer.stage("look"),
    signal,
  });
  const [facts, { layers, map, parse }] = await Promise.all([model, insight]);
  if (signal.aborted) return;
  const seen = see({ layers, parse }, file, picture, signal);
  photo.place(picture, said.image.crop, said.image);
  answer.show(said, facts, (choice) => map.choose(choice));
  describe(said);
  map.begin(file, seen, signal);
  const [first] = said.labels;
  if (first) map.choose({ id: first.id, kind: first.kind, name: first.label });
  byId("answer").classList.remove("working");
}

/** The empty answer, each part in its place. @param {photo.Picture} picture */
function begin(picture) {
  for (const id of ["answer", "layers"]) byId(id).hidden = false;
  byId("start").hidden = true;
  byId("answer").classList.add("working");
  byId("answer").classList.remove("trouble");
  byId("layers-body").classList.add("working");
  byId("layers-wait").textContent = "";
  byId("map-note").textContent = "";
  byId("copied").textContent = "";
  byId("copy").textContent = SAY.copyButton;
  photo.show(picture);
  answer.wait();
  scrollTo({ top: 0, behavior: "instant" });
  byId("sentence").focus({ preventScroll: true });
}

/** @param {any} said the answer of POST predict */
function describe(said) {
  altText = said.caption.alt_text;
  byId("photo").querySelector("img").alt = SAY.photoAlt(altText);
  byId("timing").textContent = said.timing_ms.model > 0 ? SAY.took(said.timing_ms.total) : SAY.remembered;
}

/**
 * Fetch and show what the layers saw; beside the answer, which does not wait for it.
 * @param {Pick<Insight, "layers" | "parse">} insight
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
    kernels.wake(layers.openKernel);
    words.textContent = "";
    byId("layers-body").classList.remove("working");
    return seen;
  } catch (error) {
    if (signal.aborted) return null;
    words.textContent = SAY.noLayers(error instanceof api.Trouble ? error.detail : SAY.strange);
    return null;
  }
}

/** No answer came: keep the photo where the server is to blame, else ask for another. @param {any} error @param {File} file */
function fail(error, file) {
  const trouble = error instanceof api.Trouble ? error : new api.Trouble(SAY.strange, String(error), { status: 500 });
  if (!trouble.passing) return refuse(trouble, file);
  byId("answer").classList.add("trouble");
  byId("answer").classList.remove("working");
  byId("layers").hidden = true;
  const { busy } = trouble;
  const title = busy ? SAY.busy : trouble.status === 0 ? trouble.title : `${trouble.title}.`;
  answer.apologise(title, busy ? SAY.busyFor(trouble.retryAfter) : `${trouble.detail} ${SAY.kept}`, () => take(file));
}

/** Back to the empty frame, which says what was wrong. @param {api.Trouble} trouble @param {File} [file] */
function refuse(trouble, file) {
  for (const id of ["answer", "layers"]) byId(id).hidden = true;
  byId("start").hidden = false;
  byId("start-h").textContent = `${trouble.title.replace(/\.$/, "")}.`;
  const words = byId("start-p");
  words.setAttribute("role", "alert");
  const name = document.createElement("b");
  name.textContent = file?.name ?? "";
  words.replaceChildren(...(file ? [name, ": "] : []), trouble.detail);
  scrollTo({ top: 0, behavior: "instant" });
  byId("start-h").focus({ preventScroll: true });
}

async function copy() {
  const done = await navigator.clipboard?.writeText(altText).then(() => true, () => false);
  byId("copied").textContent = done ? SAY.copied : SAY.notCopied(altText);
  byId("copy").textContent = done ? SAY.copied : SAY.copyButton;
}

listenForPhotos(take, refuse);
listenForKey();
kernels.listen();
byId("copy").addEventListener("click", copy);
document.documentElement.dataset.ready = "";
