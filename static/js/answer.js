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
  const cut = tier === "pass" ? ". " : " it's ";
  const at = text.indexOf(cut);
  if (at < 0) return [curly(text)];
  const doubt = tier === "pass" ? at + 1 : at;
  return [el("mark", {}, curly(text.slice(0, doubt))), curly(text.slice(doubt))];
}

/** @param {{ tier: string, right_times_in_ten: number | null }} caption @returns {Node[]} */
function promise({ tier, right_times_in_ten: right }) {
  if (tier === "pass") return [el("p", {}, SAY.noPromise)];
  if (right === null) {
    const [before, todo, after] = SAY.unmeasured;
    return [el("p", {}, before, el("span", { class: "todo" }, todo), after)];
  }
  const panes = Array.from({ length: 10 }, (_, i) => el("span", { class: i >= right && "off" }));
  return [el("div", { class: "ten", "aria-hidden": "true" }, ...panes), el("p", {}, SAY.right(right))];
}

/**
 * @typedef {{ id: string, kind?: string, name: string }} Choice what a class map can be drawn for
 *
 * Show an answer. Labels and words are buttons that choose the class map.
 * @param {any} answer of POST predict
 * @param {any} model of GET model, or undefined where it did not come
 * @param {(choice: Choice) => void} choose
 */
export function show(answer, model, choose) {
  byId("sentence").replaceChildren(...sentence(answer.caption));
  below(...promise(answer.caption));
  const group = byId("answer");
  const pick = (/** @type {any} */ button, /** @type {Choice} */ choice) =>
    button.addEventListener("click", () => {
      press(group, button);
      choose(choice);
    });
  const one = (/** @type {any} */ label, /** @type {number} */ i) => bar(label, gloss(model, label), i === 0, pick);
  byId("bars").replaceChildren(...answer.labels.map(one));
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
 * @param {any} label
 * @param {string} meaning
 * @param {boolean} pressed
 * @param {(button: any, choice: Choice) => void} pick
 */
function bar(label, meaning, pressed, pick) {
  const kind = SAY.kinds[label.kind] ?? label.kind;
  const small = el("small", { title: meaning || false }, meaning ? `${kind}: ${meaning}` : kind);
  const button = el(
    "button",
    { type: "button", "aria-pressed": String(pressed) },
    el("span", { class: "name" }, label.label, " ", small),
    el("span", { class: "pct" }, SAY.percent(label.score)),
    svg(
      "svg",
      { class: "bar", "aria-hidden": "true" },
      svg("rect", { class: "all", width: "100%", height: 4 }),
      svg("rect", { class: "part", width: `${100 * label.score}%`, height: 4 }),
    ),
  );
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
