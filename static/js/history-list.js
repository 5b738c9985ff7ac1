/** The list of photos that were shown before, each with its sentence and the verdict on it. */

import { href } from "./address.js";
import { byId, curly, el } from "./dom.js";
import * as store from "./history-store.js";
import { SAY } from "./strings.js";

/** Photos of somebody's own that this visit still holds, by SHA-256. @type {Map<string, File>} */
const files = new Map();

/** Looks at a photo again. */
let reopen = (/** @type {File} */ _) => {};

/** Hold a photo for another look, as long as the page is open. @param {string} id @param {File} file */
export const hold = (id, file) => files.set(id, file);

/** @param {store.Entry} entry */
function item({ id, thumb, text, sample, verdict }) {
  const picture = thumb ? el("img", { src: thumb, alt: "", width: 112, height: 112 }) : el("i");
  const parts = [picture, el("span", {}, curly(text))];
  if (verdict) parts.push(el("small", {}, SAY.verdicts[verdict] ?? ""));
  if (sample) return el("li", {}, el("a", { href: href({ sample }) }, ...parts));
  const file = files.get(id);
  if (!file) return el("li", {}, el("div", {}, ...parts));
  const button = el("button", { type: "button" }, ...parts);
  button.addEventListener("click", () => reopen(file));
  return el("li", {}, button);
}

/** Draw the list anew. */
export function show() {
  const entries = store.entries();
  byId("history").hidden = !entries.length;
  byId("history-list").replaceChildren(...entries.map(item));
  const count = (/** @type {string} */ verdict) => entries.filter((entry) => entry.verdict === verdict).length;
  const judged = entries.some(({ verdict }) => verdict);
  byId("tally").textContent = judged ? SAY.tally(count("right"), count("sort of"), count("wrong")) : "";
}

/** Draw it, and offer to forget it. @param {(file: File) => void} bring called with a photo to look at again */
export function listen(bring) {
  reopen = bring;
  byId("forget").addEventListener("click", () => {
    store.clear();
    show();
    byId("main").focus({ preventScroll: true }); // the button is gone
  });
  addEventListener("storage", show);
  show();
}
