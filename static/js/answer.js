/** The answer for a photo: the stages on the way, the sentence, the bars, people's words. */

import { byId, curly, el, press, svg } from "./dom.js";
import { SAY } from "./strings.js";

/** @typedef {{ id: string, vocabulary?: string, name?: string }} Choice what a class map can be drawn for */

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
 * @param {Pick<Rest.CaptionAnswer, "tier" | "right_times_in_ten">} caption
 */
export function reliability({ tier, right_times_in_ten: right }) {
  if (tier === "pass") return SAY.unknownReliability;
  return right === null ? SAY.unmeasured.join("") : SAY.right(right);
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
  return [el("div", { class: "ten", "aria-hidden": "true" }, ...panes), el("p", {}, reliability(caption))];
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
    button.addEventListener("click", () => choose(choice));
  };
  byId("bars").replaceChildren(...answer.labels.map((label) => bar(label, gloss(model, label), pick)));
  const vocabularies = new Set(answer.labels.map(({ vocabulary }) => vocabulary));
  byId("bars-note").textContent = vocabularies.size > 1 ? SAY.noSum : SAY.sumHint;
  const ofWords = model?.vocabularies.find(({ activation }) => activation === "sigmoid")?.name;
  byId("words").replaceChildren(...answer.words.map((word) => chip(word, ofWords, pick)));
  byId("words-note").textContent = answer.words.length ? SAY.peopleWouldSay : SAY.noWords;
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
 * What the map shows first: the evidence for what the sentence says. Where that is several labels together, which have no
 * map, the likeliest of their vocabulary.
 * @param {Pick<Rest.PredictResponse, "caption" | "labels" | "words">} answer
 * @returns {Choice | undefined}
 */
export function first({ caption, labels, words }) {
  const [{ node, vocabulary }] = caption.claims;
  const alike = labels.filter((label) => label.vocabulary === vocabulary);
  if (alike.length) return choiceOf(alike.find(({ label }) => label === node) ?? alike[0]);
  const entry = words.find(({ word }) => word === node) ?? words[0];
  if (entry) return { id: entry.word, vocabulary, name: entry.word };
  return labels.length ? choiceOf(labels[0]) : undefined;
}

/** @param {Rest.LabelAnswer} label @returns {Choice} */
const choiceOf = ({ id, vocabulary, label }) => ({ id, vocabulary, name: label });

/** Press the button of a choice, where it has one. @param {Choice} choice */
export function mark({ id, vocabulary }) {
  const buttons = [...byId("answer").querySelectorAll("button")].filter(({ dataset }) => dataset.label === id);
  const chosen = buttons.find(({ dataset }) => !vocabulary || dataset.vocabulary === vocabulary);
  press(byId("answer"), chosen ?? null);
}

/**
 * A label's name, its share, and that share as a bar.
 * @param {Rest.LabelAnswer} label
 * @param {string} meaning
 * @returns {Node[]}
 */
function measure({ label, vocabulary, score }, meaning) {
  const noun = SAY.vocabularies[vocabulary] ?? vocabulary;
  const small = el("small", { title: meaning || false }, [noun, meaning].filter(Boolean).join(": "));
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
