/** What is said of the square as it is now, in the answer's place: the sentence, and bars with arrows. */

import { reliability, row, sentence } from "../answer.js";
import { byId, el, find } from "../dom.js";
import { SAY as PAGE } from "../strings.js";
import { SAY } from "./strings.js";

const SHOWN = 5;
const STEADY = 1200; // milliseconds that an answer must stand before it is read out

/** @type {ReturnType<typeof setTimeout> | undefined} */
let speaking;

const pane = el(
  "section",
  { class: "live", "aria-label": SAY.live },
  el("p", { class: "note", "data-part": "about" }),
  el("h1", { class: "sentence", "data-part": "sentence" }),
  el("p", { class: "note", "data-part": "tier" }),
  el("ol", { class: "bars", "data-part": "bars" }),
  el("p", { class: "hide", role: "status", "data-part": "aloud" }),
);

/** @param {string} name */
const part = (name) => find(pane, `[data-part="${name}"]`);

/** Put it where the answer is, which waits below. */
export const open = () => find(byId("answer"), ".answer-text").prepend(pane);

export function close() {
  clearTimeout(speaking);
  pane.remove();
}

/** Say how it stands. @param {string} words */
export const about = (words) => {
  part("about").textContent = words;
};

/**
 * @param {Rest.PredictResponse} now
 * @param {Rest.PredictResponse} before of the square as it was
 */
export function show(now, before) {
  part("sentence").replaceChildren(...sentence(now.caption));
  part("tier").textContent = reliability(now.caption);
  const shown = now.labels.slice(0, SHOWN);
  const [first] = before.labels;
  const fallen = shown.some((label) => isSame(label, first)) ? [] : [now.labels.find((l) => isSame(l, first))];
  part("bars").replaceChildren(...[...shown, ...fallen].flatMap((label) => (label ? [bar(label, before)] : [])));
  clearTimeout(speaking);
  speaking = setTimeout(() => {
    const [{ label, score }] = now.labels;
    part("aloud").textContent = SAY.said(now.caption.text, label, PAGE.percent(score));
  }, STEADY);
}

/** @param {Rest.LabelAnswer} a @param {Rest.LabelAnswer} b */
const isSame = (a, b) => a.id === b.id && a.vocabulary === b.vocabulary;

/** @param {Rest.LabelAnswer} label @param {Rest.PredictResponse} before */
function bar(label, before) {
  const was = before.labels.find((other) => isSame(other, label))?.score ?? 0;
  const by = Math.round(100 * label.score) - Math.round(100 * was);
  const item = row(label);
  find(item, "small").textContent = PAGE.vocabularies[label.vocabulary] ?? label.vocabulary;
  find(item, ".pct").prepend(arrow(by), " ");
  return item;
}

/** @param {number} by in points */
function arrow(by) {
  if (by === 0) return el("span", { class: "hide" }, SAY.steady);
  const [sign, aloud] = by > 0 ? [SAY.rise(by), SAY.riseAloud(by)] : [SAY.fall(-by), SAY.fallAloud(-by)];
  return el(
    "span",
    { class: `change ${by > 0 ? "rise" : "fall"}` },
    el("span", { "aria-hidden": "true" }, sign),
    el("span", { class: "hide" }, aloud),
  );
}
