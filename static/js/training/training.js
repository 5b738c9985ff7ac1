/** The training page: its elements, and looking again at a run that may have gone on. */

import { byId } from "../dom.js";
import { LearningCurve } from "./curve.js";
import { TrainingRun } from "./run.js";
import { SAY } from "./strings.js";
import { SheetTiles } from "./tiles.js";

customElements.define("learning-curve", LearningCurve);
customElements.define("sheet-tiles", SheetTiles);
customElements.define("training-run", TrainingRun);

/**
 * Put the run as the server shows it now in the place of the old; without scripts the same link loads the page.
 * @param {string} address
 * @returns {Promise<string>} what to say of it
 */
async function lookAgain(address) {
  const page = await fetch(address, { cache: "no-cache" }).then((answer) => answer.text(), () => "");
  const made = new DOMParser().parseFromString(page, "text/html");
  const [old, fresh] = [document, made].map((from) => /** @type {any} */ (from.querySelector("training-run")));
  if (!fresh) return SAY.gone;
  if (old.dataset.fingerprint === fresh.dataset.fingerprint) return SAY.noNews;
  old.replaceWith(fresh);
  return fresh.dataset.end ? SAY.news(Number(fresh.dataset.end)) : "";
}

byId("again")?.addEventListener("click", async (/** @type {any} */ event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  byId("news").textContent = "";
  byId("news").textContent = await lookAgain(event.currentTarget.href);
});
document.documentElement.dataset.ready = "";
