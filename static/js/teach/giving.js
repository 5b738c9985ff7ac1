/** Every way in for photos: typed name, choose, camera, drop, paste, history. */

import { byId } from "../dom.js";
import { dropping } from "../intake.js";
import { tidy } from "./adding.js";
import * as past from "./past.js";
import { OUTSIDE } from "./store.js";
import { SAY } from "./strings.js";

/**
 * @typedef {object} Takers
 * @property {(name: string, files: File[]) => void} give
 * @property {(file: File) => void} trial
 */

/** Photos that wait for a name. @type {File[]} */
let waiting = [];

/** The card that photos were asked for; undefined for the form. @type {string | undefined} */
let wanted;

const field = () => byId("name", HTMLInputElement);

/** What the form says while nothing has to be said. @type {Node[]} */
let hint = [];

/** @param {string} [words] */
function note(words) {
  byId("new-note").replaceChildren(...(words ? [words] : hint));
  byId("give").hidden = !waiting.length;
}

/** Hand photos over, or ask for their name first. @param {File[]} files @param {Takers["give"]} give */
function bring(files, give) {
  if (!files.length) return;
  const name = tidy(field().value);
  if (!name) {
    waiting.push(...files);
    note(SAY.needsName(waiting.length));
    return field().focus();
  }
  const all = [...waiting, ...files];
  waiting = [];
  field().value = "";
  note();
  give(name, all);
}

/**
 * A button that opens a file field.
 * @param {string} buttonId
 * @param {string} inputId
 * @param {(files: File[]) => void} took
 */
function chooser(buttonId, inputId, took) {
  const button = byId(buttonId, HTMLButtonElement);
  const input = byId(inputId, HTMLInputElement);
  button.disabled = false;
  button.addEventListener("click", () => {
    wanted = undefined;
    input.click();
  });
  input.addEventListener("change", () => {
    const files = [...(input.files ?? [])];
    input.value = ""; // so that the same files can be chosen again
    took(files);
  });
}

/** Ask for photos of a name that is there already. @param {string} name OUTSIDE for photos of other things */
export function ask(name) {
  wanted = name;
  byId("files", HTMLInputElement).click();
}

/** The page takes drops: a card its own, the place to try one to try, everything else as the form does. @param {Takers} takers */
function takeDrops({ give, trial }) {
  dropping((dropped, where) => {
    const files = [...(dropped ?? [])];
    const target = where instanceof Element ? where : document.body;
    const card = target.closest(".thing");
    if (card instanceof HTMLElement) give(card.dataset.name ?? OUTSIDE, files);
    else if (target.closest("#try") && files.length) trial(files[0]);
    else bring(files, give);
  });
}

/** Listen to all of them, once. @param {Takers} takers */
export function listen({ give, trial }) {
  hint = [...byId("new-note").childNodes];
  const took = (/** @type {File[]} */ files) => {
    const name = wanted;
    wanted = undefined;
    if (name === undefined) bring(files, give);
    else if (files.length) give(name, files);
  };
  chooser("pick", "files", took);
  chooser("snap", "shot", took);
  chooser("try-pick", "try-file", ([file]) => file && trial(file));
  chooser("try-snap", "try-shot", ([file]) => file && trial(file));
  byId("new").addEventListener("submit", (event) => {
    event.preventDefault();
    if (!tidy(field().value)) return note(waiting.length ? SAY.needsName(waiting.length) : SAY.noName);
    if (waiting.length) return bring(waiting.splice(0), give);
    note(SAY.noPhotos);
  });
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return; // text goes where text goes
    event.preventDefault();
    bring(files, give);
  });
  takeDrops({ give, trial });
  past.listen((files) => bring(files, give));
}
