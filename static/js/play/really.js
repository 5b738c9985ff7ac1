/** "What is it really?": any of its names, where that came in the answer, and what decided against it. */

import * as address from "../address.js";
import { about, Trouble } from "../api.js";
import { byId, curly, el, find } from "../dom.js";
import { turn } from "../photo-session.js";
import { SAY as PAGE } from "../strings.js";
import * as taught from "../teach/on-see.js";
import { Combobox } from "./combobox.js";
import * as decided from "./decided.js";
import { all, nearest, search } from "./names.js";
import { SAY } from "./strings.js";

/**
 * @typedef {import("./page.js").Answered} Answered
 * @typedef {import("./names.js").Name} Name
 */

const FIELD = "really-field";

/** @type {{ answered: Answered, model: Rest.ModelResponse, names: () => Name[], signal: AbortSignal } | null} */
let current = null;

/** Counts what was asked, so that what comes late is not shown. */
let asked = 0;

const note = el("p", { class: "note", role: "status" });
const result = el("div", { class: "really-result" });

/** What is said of the photo as one of a name that people taught. */
const adding = el("p", { class: "adding", role: "status" });

/** Begin with a photo. @param {Answered} answered @param {Rest.ModelResponse} model @param {AbortSignal} signal */
export function begin(answered, model, signal) {
  asked++;
  const known = all(model);
  const names = () => [...taught.names(), ...known]; // which may become more
  current = { answered, model, names, signal };
  const field = new Combobox({
    id: FIELD,
    label: SAY.field,
    list: SAY.options,
    search: (text) => search(names(), text),
    option: ({ name, vocabulary, gloss, kinds }) => [
      el("b", {}, name),
      " ",
      el("small", {}, [noun(vocabulary), gloss || (kinds[0] ? SAY.kindOf(kinds[0]) : "")].filter(Boolean).join(": ")),
    ],
    value: ({ name }) => name,
    chose,
    typed,
  });
  note.textContent = SAY.fieldHint(names().length);
  result.replaceChildren();
  adding.replaceChildren();
  byId("really-body").replaceChildren(field.element, note, adding, result);
}

/** @param {string} vocabulary */
const noun = (vocabulary) => PAGE.vocabularies[vocabulary] ?? vocabulary;

/** Bring somebody here who said that the answer is wrong. */
export function ask() {
  const field = document.getElementById(FIELD);
  if (!field) return;
  byId("really").scrollIntoView({ block: "start" });
  field.focus({ preventScroll: true });
}

/** @param {string} text @param {number} found */
function typed(text, found) {
  if (!current) return;
  if (!text.trim()) note.textContent = SAY.fieldHint(current.names().length);
  else if (found) note.textContent = SAY.found(found);
  else note.replaceChildren(...unknown(current, text.trim()));
}

/** It has no such name: say so, and offer the nearest. @param {NonNullable<typeof current>} current @param {string} text */
function unknown({ names, answered }, text) {
  const near = nearest(names(), text);
  const [first] = answered.prediction.labels;
  const own = names().filter(({ id, vocabulary }) => id === first.id && vocabulary === first.vocabulary);
  const offered = (near.length ? near : own).flatMap((name, i) => {
    const button = el("button", { type: "button", class: "link" }, name.name);
    button.addEventListener("click", () => chose(name));
    return i ? [", ", button] : [button];
  });
  const teach = taught.teachIt(adding, text, answered.image);
  return [SAY.noName(text), near.length ? SAY.nearest : SAY.nothingNear, ...offered, ". ", teach];
}

/** Compare with a name; one that people taught may have the photo, too. @param {Name} name */
function chose(name) {
  if (!current) return;
  adding.replaceChildren();
  if (name.vocabulary === taught.TAUGHT) {
    taught.offer(adding, name.name, current.answered.image);
    if (!taught.isKnown(name.name)) {
      note.textContent = "";
      return result.replaceChildren();
    }
  }
  compare(name);
}

/** @param {Name} name */
async function compare({ id, vocabulary, name }) {
  if (!current) return;
  const { answered, signal } = current;
  const mine = ++asked;
  note.textContent = SAY.comparing(name);
  const query = new URLSearchParams({ label: id, vocabulary });
  try {
    const response = await about(answered.image, `compare?${query}`, "application/json", signal);
    const [compared, activations] = await Promise.all([response.json(), answered.activations]);
    if (mine !== asked || signal.aborted) return;
    show(compared, activations);
  } catch (error) {
    if (mine !== asked || signal.aborted) return;
    note.textContent = SAY.failed(error instanceof Trouble ? error.detail : PAGE.strange);
  }
}

/** @param {Rest.CompareResponse} compared @param {import("../activations.js").Activations | null} activations */
function show(compared, activations) {
  if (!current) return;
  const { answered, model, signal } = current;
  const { label, rank, of, probability, vocabulary } = compared.label;
  const kinds = SAY.vocabularies[vocabulary] ?? vocabulary;
  const share = PAGE.percent(probability * (answered.prediction.gates[vocabulary] ?? 1));
  note.textContent = "";
  const row = model.layers.find(({ name }) => name === compared.layer);
  const cells = { receptiveField: 1, jump: 1, start: 0, inputSize: model.input_size };
  if (row) Object.assign(cells, { receptiveField: row.receptive_field, jump: row.jump, start: row.start });
  const onPhoto = el("button", { type: "button", class: "btn" }, SAY.onPhoto);
  onPhoto.addEventListener("click", () => {
    address.turn({ label: `${vocabulary}:${compared.label.id}` });
    turn();
    find(byId("answer"), ".photo").scrollIntoView({ block: "center" });
  });
  const first = rank === 1 ? SAY.first(label, of, kinds, share) : SAY.rank(label, rank, of, kinds, share);
  const heading = el("h3", { class: "standing", tabindex: -1 }, curly(first));
  result.replaceChildren(
    heading,
    el("div", { class: "why" }, ...decided.maps(answered, compared, cells, signal), decided.sum(compared)),
    ...decided.channels(compared, activations),
    decided.units(compared),
    el("div", { class: "acts" }, onPhoto),
  );
  heading.focus({ preventScroll: true });
}
