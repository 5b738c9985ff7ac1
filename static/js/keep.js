/** What can be taken away from an answer: its alt text, the annotated picture, the numbers. */

import { annotate } from "./annotated.js";
import { byId } from "./dom.js";
import { SAY } from "./strings.js";

/** @typedef {{ said: any, picture: import("./photo.js").Picture, name: string }} Kept */

/** @type {Kept | null} */
let kept = null;

/**
 * Start with a new answer.
 * @param {any} said the answer of POST predict
 * @param {import("./photo.js").Picture} picture
 * @param {string} file its name
 */
export function begin(said, picture, file) {
  kept = { said, picture, name: `glassbot-${file.replace(/\.[^.]*$/, "") || "photo"}` };
  tell("");
}

/** @param {string} words @param {boolean} [seen] else only for who listens */
function tell(words, seen = false) {
  byId("copied").textContent = words;
  byId("copied").className = seen ? "note" : "hide";
}

/** @param {Kept} of */
async function copy({ said }) {
  const alt = said.caption.alt_text;
  const done = await navigator.clipboard?.writeText(alt).then(() => true, () => false);
  tell(done ? SAY.copied : SAY.notCopied(alt), !done);
  byId("copy").textContent = done ? SAY.copied : SAY.copyButton;
}

/** @param {Kept} of */
const savePicture = async ({ said, picture, name }) => {
  const blob = await annotate(picture, said);
  if (blob) save(blob, `${name}.jpg`);
  else tell(SAY.notSaved, true);
};

/** @param {Kept} of */
const saveNumbers = ({ said, name }) =>
  save(new Blob([JSON.stringify(said, null, 2)], { type: "application/json" }), `${name}.json`);

/** @param {Blob} blob @param {string} name */
function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000); // once the browser has it
}

/** Listen to the buttons, once. */
export function listen() {
  for (const [id, act] of /** @type {const} */ ([["copy", copy], ["save-picture", savePicture], ["save-json", saveNumbers]])) {
    byId(id).addEventListener("click", () => kept && act(kept));
  }
}
