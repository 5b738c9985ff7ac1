/** The answer for a photo: the stages on the way, the sentence and how it came about, the bars, people's words. */

import { choiceOfClaim, derivation, difference } from "./derivation.js";
import { byId, curly, el, find, press, svg } from "./dom.js";
import { SAY } from "./strings.js";

/**
 * @typedef {object} Choice what a class map can be drawn for: a label, or a claim of several, of which it names the first
 * @property {string} id
 * @property {string} [vocabulary]
 * @property {string} [name]
 * @property {number} [claim] place in the sentence
 * @property {string} [phrase] how the sentence names the claim
 */

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
export function showFailure(title, detail, again) {
  byId("sentence").textContent = curly(title);
  const button = el("button", { type: "button", class: "btn main" }, SAY.tryAgain);
  button.addEventListener("click", again);
  below(el("p", {}, curly(detail)), el("div", { class: "acts" }, button));
}

/**
 * The doubt is in the accent, the claim in ink.
 * @param {Pick<Rest.CaptionAnswer, "text" | "tier">} caption
 * @returns {(Node | string)[]}
 */
export function sentence({ text, tier }) {
  const at = tier === "pass" ? text.indexOf(". ") + 1 : text.lastIndexOf(" it's ");
  return at > 0 ? [el("mark", {}, curly(text.slice(0, at))), curly(text.slice(at))] : [curly(text)];
}

/**
 * How often such a sentence is right, in words.
 * @param {Pick<Rest.CaptionAnswer, "tier" | "right_times_in_ten" | "additions">} caption
 */
export function reliability({ tier, right_times_in_ten: right, additions }) {
  if (tier === "pass") return SAY.unknownReliability;
  return right === null ? SAY.unmeasured.join("") : SAY.right(right, additions.length > 0);
}

/**
 * The same as elements: ten panes, as many of them full, and the words.
 * @param {Rest.CaptionAnswer} caption
 * @returns {Node[]}
 */
function reliabilityPanes(caption) {
  const right = caption.right_times_in_ten;
  if (caption.tier === "pass") return [el("p", {}, SAY.unknownReliability)];
  if (right === null) {
    const [before, todo, after] = SAY.unmeasured;
    return [el("p", {}, before, el("span", { class: "todo" }, todo), after)];
  }
  const panes = Array.from({ length: 10 }, (_, i) => el("span", { class: i >= right && "off" }));
  const words = el("p", {}, reliability(caption), difference(caption));
  return [el("div", { class: "ten", "aria-hidden": "true" }, ...panes), words];
}

/**
 * Show an answer. Labels and words are buttons that choose the class map.
 * @param {Rest.PredictResponse} answer
 * @param {Rest.ModelResponse | undefined} model undefined where it did not come
 * @param {(choice: Choice) => void} choose
 */
export function show(answer, model, choose) {
  byId("sentence").replaceChildren(...sentence(answer.caption));
  below(...reliabilityPanes(answer.caption));
  const pick = (/** @type {HTMLButtonElement} */ button, /** @type {Choice} */ choice) => {
    Object.assign(button.dataset, { label: choice.id, vocabulary: choice.vocabulary ?? "" });
    if (choice.claim !== undefined) button.dataset.claim = String(choice.claim);
    button.addEventListener("click", () => choose(choice));
  };
  byId("derivation").replaceChildren(...derivation(answer.caption, pick));
  byId("alt", HTMLTextAreaElement).value = answer.caption.alt_text;
  const names = [...new Set(answer.labels.map(({ vocabulary }) => vocabulary))];
  byId("bars").replaceChildren(...names.map((name) => group(name, answer, model, pick)));
  byId("bars-note").textContent = names.length > 1 ? SAY.noSum : SAY.sumHint;
  const ofWords = model?.vocabularies.find(({ activation }) => activation === "sigmoid")?.name;
  byId("words").replaceChildren(...answer.words.map((word) => chip(word, ofWords, pick)));
  byId("words-note").textContent = answer.words.length ? SAY.peopleWouldSay : SAY.noWords;
}

/**
 * The labels of one vocabulary, and how probable it is that it is none of them.
 * @param {string} name
 * @param {Rest.PredictResponse} answer
 * @param {Rest.ModelResponse | undefined} model
 * @param {(button: HTMLButtonElement, choice: Choice) => void} pick
 */
function group(name, { labels, gates }, model, pick) {
  const size = model?.vocabularies.find((vocabulary) => vocabulary.name === name)?.size;
  const bars = labels.filter(({ vocabulary }) => vocabulary === name);
  const none = 1 - (gates[name] ?? 1);
  return el(
    "div",
    {},
    el("h3", {}, SAY.groups[name] ?? name),
    el("ol", { class: "bars" }, ...bars.map((label) => bar(label, gloss(model, label), pick))),
    el(
      "p",
      { class: "note" },
      name === "taught" ? SAY.noneOfOwn(none) : SAY.noneOf(size, SAY.groups[name] ?? name, none),
    ),
  );
}

/**
 * What a label means, as the model's vocabulary explains it.
 * @param {Rest.ModelResponse | undefined} model
 * @param {Rest.LabelAnswer} label
 */
function gloss(model, label) {
  const vocabulary = model?.vocabularies.find(({ name }) => name === label.vocabulary);
  return curly(vocabulary?.labels.find(({ id }) => id === label.id)?.gloss ?? "");
}

/**
 * What the map shows first: the evidence for what the sentence says first.
 * @param {Pick<Rest.PredictResponse, "caption">} answer
 * @returns {Choice | undefined}
 */
export const first = ({ caption }) => choiceOfClaim(caption.claims[0], 0);

/** @param {Rest.LabelAnswer} label @returns {Choice} */
const choiceOf = ({ id, vocabulary, label }) => ({ id, vocabulary, name: label });

/** Press the button of a choice, where it has one. @param {Choice} choice */
export function mark({ id, vocabulary, name, claim }) {
  const buttons = [...byId("answer").querySelectorAll("button")].filter(
    ({ dataset }) => dataset.label === id || dataset.label === name,
  );
  const alike = buttons.filter(({ dataset }) => dataset.claim === (claim === undefined ? undefined : String(claim)));
  const chosen = alike.find(({ dataset }) => !vocabulary || dataset.vocabulary === vocabulary);
  press(byId("answer"), chosen ?? null);
}

const narrow = matchMedia("(max-width: 63.99rem)");

/** Beside a photo there is room below it for what changes it and its map; on a phone the sentence comes before them. */
function arrange() {
  const controls = [find(byId("answer"), ".play"), byId("about-map")];
  if (narrow.matches) byId("claim").after(...controls);
  else byId("shown").append(...controls);
}

/** Where the answer was wrong, lead to where one can say what it is. @param {Event} event */
function judged({ target }) {
  if (!(target instanceof HTMLInputElement) || target.value !== "wrong") return;
  document.dispatchEvent(new CustomEvent("glassbot:wrong"));
  document.getElementById("really")?.scrollIntoView({ block: "start" });
}

/** Listen to the width of the page and to the verdict, once. */
export function listen() {
  arrange();
  narrow.addEventListener("change", arrange);
  byId("verdict").addEventListener("change", judged);
}

/**
 * A label's name, its share, and that share as a bar.
 * @param {Rest.LabelAnswer} label
 * @param {string} meaning
 * @returns {Node[]}
 */
function measure({ label, score }, meaning) {
  const small = el("small", { title: meaning || false }, meaning);
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

/** A label that is no button. @param {Rest.LabelAnswer} label */
export const row = (label) => el("li", { class: "row" }, ...measure(label, ""));

/**
 * @param {Rest.LabelAnswer} label
 * @param {string} meaning
 * @param {(button: HTMLButtonElement, choice: Choice) => void} pick
 */
function bar(label, meaning, pick) {
  const button = el("button", { type: "button", "aria-pressed": "false" }, ...measure(label, meaning));
  pick(button, choiceOf(label));
  return el("li", {}, button);
}

/**
 * @param {Rest.WordAnswer} answer
 * @param {string | undefined} vocabulary that of the words
 * @param {(button: HTMLButtonElement, choice: Choice) => void} pick
 */
function chip({ word, people_in_five: people }, vocabulary, pick) {
  const pips = Array.from({ length: 5 }, (_, i) => el("i", { class: i < people && "on" }));
  const button = el(
    "button",
    { type: "button", class: "chip", "aria-pressed": "false" },
    word,
    el("span", { class: "pips", "aria-hidden": "true" }, ...pips),
    el("small", {}, SAY.inFive(people)),
  );
  pick(button, { id: word, vocabulary, name: word });
  return el("li", {}, button);
}
