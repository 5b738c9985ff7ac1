/** What can be taken away from an answer: its alt text, the annotated picture, the numbers; and handed to somebody. */

import { annotate } from "./annotated.js";
import { shown } from "./class-map.js";
import { byId, curly, el } from "./dom.js";
import { SAY } from "./strings.js";

/**
 * @typedef {object} Exportable
 * @property {Rest.PredictResponse} answer
 * @property {import("./photo.js").Picture} picture
 * @property {string} name of the file, without its ending
 * @property {boolean} isSample one that a link opens
 */

/** @type {Exportable | null} */
let current = null;

/**
 * Start with a new answer.
 * @param {Rest.PredictResponse} answer
 * @param {import("./photo.js").Picture} picture
 * @param {{ file: File, sample: string }} photo
 */
export function begin(answer, picture, { file, sample }) {
  const name = `glassbot-${file.name.replace(/\.[^.]*$/, "") || "photo"}`;
  current = { answer, picture, name, isSample: Boolean(sample) };
  report("");
}

/** @param {string} words @param {boolean} [visible] else only for who listens */
function report(words, visible = false) {
  byId("copied").textContent = words;
  byId("copied").className = visible ? "note" : "hide";
}

/** @param {string} text @returns {Promise<boolean>} whether the browser copied it */
const toClipboard = async (text) =>
  (await navigator.clipboard?.writeText(text).then(
    () => true,
    () => false,
  )) ?? false;

async function copy() {
  const alt = byId("alt", HTMLTextAreaElement).value;
  const copied = await toClipboard(alt);
  report(copied ? SAY.copied : SAY.notCopied(alt), !copied);
  byId("copy").textContent = copied ? SAY.copied : SAY.copyButton;
}

/** @param {Exportable} exportable */
async function savePicture({ answer, picture, name }) {
  const blob = await annotate(picture, answer, shown());
  if (blob) save(blob, `${name}.jpg`);
  else report(SAY.notSaved, true);
}

/** The answer as the service gave it, and the map that is shown. @param {Exportable} exportable */
const saveNumbers = ({ answer, name }) =>
  save(new Blob([JSON.stringify({ ...answer, map: shown() }, null, 2)], { type: "application/json" }), `${name}.json`);

/**
 * Hand the answer over: as a picture and the sentence where the browser can, else by copying the sentence. A sample has a
 * link as well; somebody's own photo is in none, and that is said.
 * @param {Exportable} exportable
 */
async function share(exportable) {
  const text = curly(exportable.answer.caption.text);
  const words = exportable.isSample ? { text, url: location.href } : { text };
  const outcome = await handOver(exportable, words);
  if (outcome === "left") return;
  const whole = Object.values(words).join("\n");
  const copied = outcome === "shared" || (await toClipboard(whole));
  const done = outcome === "shared" ? "" : copied ? SAY.sharedByCopy : SAY.notShared(whole);
  report([done, exportable.isSample ? "" : SAY.notInLink].filter(Boolean).join(" "), true);
}

/**
 * By the sheet that the system has for it.
 * @param {Exportable} exportable
 * @param {{ text: string, url?: string }} words
 * @returns {Promise<"shared" | "left" | "cannot">} left: the person thought better of it
 */
async function handOver({ answer, picture, name }, words) {
  if (!navigator.share) return "cannot";
  try {
    const card = await annotate(picture, answer, shown(), "image/png");
    const whole = { ...words, files: card ? [new File([card], `${name}.png`, { type: card.type })] : [] };
    await navigator.share(card && navigator.canShare?.(whole) ? whole : words);
    return "shared";
  } catch (error) {
    return error instanceof DOMException && error.name === "AbortError" ? "left" : "cannot";
  }
}

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
  ["share", share],
];

/** Listen to the buttons, once. */
export function listen() {
  for (const [id, act] of BUTTONS) {
    byId(id).addEventListener("click", () => current && act(current));
  }
}
