/** What can be taken away from an answer: its alt text, the annotated picture, the numbers. */

import { annotate } from "./annotated.js";
import { byId, el } from "./dom.js";
import { SAY } from "./strings.js";

/** @typedef {{ answer: Rest.PredictResponse, picture: import("./photo.js").Picture, name: string }} Exportable */

/** @type {Exportable | null} */
let current = null;

/**
 * Start with a new answer.
 * @param {Rest.PredictResponse} answer
 * @param {import("./photo.js").Picture} picture
 * @param {string} file its name
 */
export function begin(answer, picture, file) {
  current = { answer, picture, name: `glassbot-${file.replace(/\.[^.]*$/, "") || "photo"}` };
  report("");
}

/** @param {string} words @param {boolean} [visible] else only for who listens */
function report(words, visible = false) {
  byId("copied").textContent = words;
  byId("copied").className = visible ? "note" : "hide";
}

async function copy() {
  const alt = byId("alt", HTMLTextAreaElement).value;
  const copied = await navigator.clipboard?.writeText(alt).then(
    () => true,
    () => false,
  );
  report(copied ? SAY.copied : SAY.notCopied(alt), !copied);
  byId("copy").textContent = copied ? SAY.copied : SAY.copyButton;
}

/** @param {Exportable} exportable */
async function savePicture({ answer, picture, name }) {
  const blob = await annotate(picture, answer);
  if (blob) save(blob, `${name}.jpg`);
  else report(SAY.notSaved, true);
}

/** @param {Exportable} exportable */
const saveNumbers = ({ answer, name }) =>
  save(new Blob([JSON.stringify(answer, null, 2)], { type: "application/json" }), `${name}.json`);

/** @param {Blob} blob @param {string} name */
function save(blob, name) {
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000); // once the browser has it
}

/** @type {[string, (exportable: Exportable) => void][]} */
const BUTTONS = [
  ["copy", copy],
  ["save-picture", savePicture],
  ["save-json", saveNumbers],
];

/** Listen to the buttons, once. */
export function listen() {
  for (const [id, act] of BUTTONS) {
    byId(id).addEventListener("click", () => current && act(current));
  }
}
