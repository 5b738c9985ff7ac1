/** The list of what was shown before, with what became of it. */

import { href } from "./address.js";
import * as diary from "./diary.js";
import { byId, el } from "./dom.js";
import { SAY } from "./strings.js";

/** Photos of somebody's own that this visit still holds, by SHA-256. @type {Map<string, File>} */
const files = new Map();

let took = (/** @type {File} */ _) => {};

/** Keep a photo for another look, as long as the page is open. @param {string} id @param {File} file */
export const keep = (id, file) => files.set(id, file);

/** @param {diary.Entry} entry */
function item({ id, thumb, text, sample, verdict }) {
  const picture = thumb ? el("img", { src: thumb, alt: "", width: 112, height: 112 }) : el("i");
  const words = el("span", {}, text.replaceAll("'", "’"));
  const said = verdict ? [el("small", {}, SAY.verdicts[verdict] ?? "")] : [];
  if (sample) return el("li", {}, el("a", { href: href({ sample }) }, picture, words, ...said));
  const file = files.get(id);
  if (!file) return el("li", {}, el("div", {}, picture, words, ...said));
  const button = el("button", { type: "button" }, picture, words, ...said);
  button.addEventListener("click", () => took(file));
  return el("li", {}, button);
}

/** Draw the list anew. */
export function show() {
  const entries = diary.entries();
  byId("past").hidden = !entries.length;
  byId("past-list").replaceChildren(...entries.map(item));
  const count = (/** @type {string} */ verdict) => entries.filter((one) => one.verdict === verdict).length;
  const judged = entries.filter((one) => one.verdict).length;
  byId("tally").textContent = judged ? SAY.tally(count("right"), count("sort of"), count("wrong")) : "";
}

/** Draw it, and offer to forget it. @param {(file: File) => void} bring called with a photo to look at again */
export function listen(bring) {
  took = bring;
  byId("forget").addEventListener("click", () => {
    diary.forget();
    show();
    byId("main").focus({ preventScroll: true }); // the button is gone
  });
  addEventListener("storage", show);
  show();
}
