/** What is said of the photo: the stages on the way, the sentence, the bars, people's words. */

import { byId, el, press, svg } from "./dom.js";
import { SAY } from "./strings.js";

/** @param {string} text */
const curly = (text) => text.replaceAll("'", "’");

/**
 * What stands below the sentence. A new element each time: the old one goes, and does not move.
 * @param {...Node} parts
 */
const below = (...parts) => byId("tier").replaceWith(el("div", { class: "tier", id: "tier" }, ...parts));

/**
 * Say what is being done just now.
 * @param {"open" | "send" | "look"} now
 * @param {string} [words] in place of the stage's own
 */
export function stage(now, words) {
  const names = /** @type {("open" | "send" | "look")[]} */ (Object.keys(SAY.stages));
  const at = names.indexOf(now);
  const steps = names.map((name, i) =>
    el(
      "li",
      { class: i < at ? "done" : "", "aria-current": i === at && "step" },
      i === at && words ? words : SAY.stages[name],
    ),
  );
  below(el("ol", { class: "stages" }, ...steps));
}

/** The sentence's place, while there is none yet. */
export function wait() {
  byId("sentence").textContent = SAY.looking;
  stage("open");
}

/**
 * What stands in the sentence's place when no answer came, with one way on.
 * @param {string} title
 * @param {string} detail
 * @param {() => void} again
 */
export function apologise(title, detail, again) {
  byId("sentence").textContent = curly(title);
  const button = el("button", { type: "button", class: "btn main" }, SAY.tryAgain);
  button.addEventListener("click", again);
  below(el("p", {}, curly(detail)), el("div", { class: "acts" }, button));
}

/**
 * The doubt is in the accent, the claim in ink.
 * @param {{ text: string, tier: string }} caption
 * @returns {(Node | string)[]}
 */
export function sentence({ text, tier }) {
  const at = tier === "pass" ? text.indexOf(". ") + 1 : text.lastIndexOf(" it's ");
  return at > 0 ? [el("mark", {}, curly(text.slice(0, at))), curly(text.slice(at))] : [curly(text)];
}

/** How often such a sentence is right, in words. @param {{ tier: string, right_times_in_ten: number | null }} caption */
export function promised({ tier, right_times_in_ten: right }) {
  if (tier === "pass") return SAY.noPromise;
  return right === null ? SAY.unmeasured.join("") : SAY.right(right);
}

/** @param {{ tier: string, right_times_in_ten: number | null }} caption @returns {Node[]} */
function promise(caption) {
  const right = caption.right_times_in_ten;
  if (caption.tier === "pass") return [el("p", {}, SAY.noPromise)];
  if (right === null) {
    const [before, todo, after] = SAY.unmeasured;
    return [el("p", {}, before, el("span", { class: "todo" }, todo), after)];
  }
  const panes = Array.from({ length: 10 }, (_, i) => el("span", { class: i >= right && "off" }));
  return [el("div", { class: "ten", "aria-hidden": "true" }, ...panes), el("p", {}, promised(caption))];
}

/**
 * @typedef {{ id: string, kind?: string, name?: string }} Choice what a class map can be drawn for
 *
 * Show an answer. Labels and words are buttons that choose the class map.
 * @param {any} answer of POST predict
 * @param {any} model of GET model, or undefined where it did not come
 * @param {(choice: Choice) => void} choose
 */
export function show(answer, model, choose) {
  byId("sentence").replaceChildren(...sentence(answer.caption));
  below(...promise(answer.caption));
  const pick = (/** @type {any} */ button, /** @type {Choice} */ choice) => {
    Object.assign(button.dataset, { label: choice.id, kind: choice.kind ?? "" });
    button.addEventListener("click", () => choose(choice));
  };
  byId("bars").replaceChildren(...answer.labels.map((/** @type {any} */ label) => bar(label, gloss(model, label), pick)));
  const kinds = new Set(answer.labels.map((/** @type {any} */ label) => label.kind));
  byId("bars-note").textContent = kinds.size > 1 ? SAY.noSum : SAY.sumHint;
  const wordKind = model?.vocabularies.find((/** @type {any} */ v) => v.kind === "independent")?.name;
  byId("words").replaceChildren(...answer.words.map((/** @type {any} */ word) => chip(word, wordKind, pick)));
  byId("words-note").textContent = answer.words.length ? SAY.peopleWouldSay : SAY.noWords;
}

/** @param {any} model @param {{ id: string, kind: string }} label @returns {string} */
function gloss(model, { id, kind }) {
  const vocabulary = model?.vocabularies.find((/** @type {any} */ v) => v.name === kind);
  return curly(vocabulary?.labels.find((/** @type {any} */ one) => one.id === id)?.gloss ?? "");
}

/**
 * What the map shows first: the evidence for what the sentence says. Where that is several labels together, which have no
 * map, the likeliest of their kind.
 * @param {any} answer of POST predict
 * @returns {Choice | undefined}
 */
export function first({ caption, labels, words }) {
  const [{ node, kind }] = caption.claims;
  const label = (/** @type {any} */ one) => one && { id: one.id, kind: one.kind, name: one.label };
  const alike = labels.filter((/** @type {any} */ one) => one.kind === kind);
  if (alike.length) return label(alike.find((/** @type {any} */ one) => one.label === node) ?? alike[0]);
  const said = words.find((/** @type {any} */ { word }) => word === node) ?? words[0];
  return said ? { id: said.word, kind, name: said.word } : label(labels[0]);
}

/** Press the button of a choice, where it has one. @param {Choice} choice */
export function mark({ id, kind }) {
  const buttons = [...byId("answer").querySelectorAll("button[data-label]")];
  const chosen = buttons.find(({ dataset }) => dataset.label === id && (!kind || dataset.kind === kind));
  press(byId("answer"), chosen ?? null);
}

/** @param {any} label @param {string} meaning @returns {Node[]} its name, its share, and that share as a bar */
function measure({ label, kind, score }, meaning) {
  const small = el("small", { title: meaning || false }, [SAY.kinds[kind] ?? kind, meaning].filter(Boolean).join(": "));
  return [
    el("span", { class: "name" }, label, " ", small),
    el("span", { class: "pct" }, SAY.percent(score)),
    svg(
      "svg",
      { class: "bar", "aria-hidden": "true" },
      svg("rect", { class: "all", width: "100%", height: 4 }),
      svg("rect", { class: "part", width: `${100 * score}%`, height: 4 }),
    ),
  ];
}

/** A label that is no button. @param {any} label */
export const row = (label) => el("li", { class: "row" }, ...measure(label, ""));

/**
 * @param {any} label
 * @param {string} meaning
 * @param {(button: any, choice: Choice) => void} pick
 */
function bar(label, meaning, pick) {
  const button = el("button", { type: "button", "aria-pressed": "false" }, ...measure(label, meaning));
  pick(button, { id: label.id, kind: label.kind, name: label.label });
  return el("li", {}, button);
}

/**
 * @param {{ word: string, people_in_five: number }} word
 * @param {string | undefined} kind the vocabulary of words
 * @param {(button: any, choice: Choice) => void} pick
 */
function chip({ word, people_in_five: people }, kind, pick) {
  const pips = Array.from({ length: 5 }, (_, i) => el("i", { class: i < people && "on" }));
  const button = el(
    "button",
    { type: "button", class: "chip", "aria-pressed": "false" },
    word,
    el("span", { class: "pips", "aria-hidden": "true" }, ...pips),
    el("small", {}, SAY.inFive(people)),
  );
  pick(button, { id: word, kind, name: word });
  return el("li", {}, button);
}
