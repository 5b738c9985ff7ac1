/** The list of photos that were shown before, each with its sentence and the verdict on it. */

import { href } from "./address.js";
import { arrange, byId, curly, el } from "./dom.js";
import * as store from "./history-store.js";
import * as photos from "./photo-store.js";
import { SAY } from "./strings.js";

/** Looks at a photo again. */
let reopen = (/** @type {string} */ _) => {};

/** What is shown, by all that it depends on. @type {Map<string, HTMLLIElement>} */
let shown = new Map();

/** @param {store.Entry} entry */
function item({ id, thumb, text, sample, verdict }) {
  const picture = thumb ? el("img", { src: thumb, alt: "", width: 112, height: 112 }) : el("i");
  const parts = [picture, el("span", {}, curly(text))];
  if (verdict) parts.push(el("small", {}, SAY.verdicts[verdict] ?? ""));
  if (sample) return el("li", {}, el("a", { href: href({ sample }) }, ...parts));
  if (!photos.has(id)) return el("li", {}, el("div", {}, ...parts));
  const button = el("button", { type: "button" }, ...parts);
  button.addEventListener("click", () => reopen(id));
  return el("li", {}, button);
}

/** Draw what has changed; the rest stays, also under a finger that is on its way. */
export function show() {
  const entries = store.entries();
  byId("history").hidden = !entries.length;
  const key = (/** @type {store.Entry} */ entry) => JSON.stringify([entry, photos.has(entry.id)]);
  shown = new Map(entries.map((entry) => [key(entry), shown.get(key(entry)) ?? item(entry)]));
  arrange(byId("history-list"), [...shown.values()]);
  const count = (/** @type {string} */ verdict) => entries.filter((entry) => entry.verdict === verdict).length;
  const judged = entries.some(({ verdict }) => verdict);
  byId("tally").textContent = judged ? SAY.tally(count("right"), count("sort of"), count("wrong")) : "";
}

/** Draw it, once it is known which photos can be opened. */
async function load() {
  show();
  if (!store.entries().some(({ sample }) => !sample)) return;
  await photos.load();
  show();
}

/** Draw it, and offer to forget it. @param {(image: string) => void} again called with the photo to look at again */
export function listen(again) {
  reopen = again;
  const keep = byId("keep-photos", HTMLInputElement);
  keep.checked = photos.isKeeping();
  keep.addEventListener("change", async () => {
    await photos.keep(keep.checked);
    show();
  });
  byId("forget").addEventListener("click", () => {
    store.clear();
    photos.clear();
    show();
    byId("main").focus({ preventScroll: true }); // the button is gone
  });
  addEventListener("storage", load);
  load();
}
