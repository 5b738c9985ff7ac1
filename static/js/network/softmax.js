/** How the last scores become shares: e to the power of each, divided by the sum of all. */

import { el } from "../dom.js";
import { num, SAY, scientific } from "./strings.js";

/** @typedef {import("./source.js").Probability} Probability */

/** Whether a fit stands between the logit and the power. @param {Probability} of */
const isFitted = ({ logit, scaled }) => Math.abs(logit - scaled) > 1e-9;

/** @param {string} name @param {string} sum */
const line = (name, sum) => el("p", { class: "sum-line" }, `${name}: `, el("b", {}, sum));

/**
 * One label for itself.
 * @param {Probability} of
 * @param {string} chosen name of the label
 */
export function sigmoidOf(of, chosen) {
  const fitted = isFitted(of) ? [line(SAY.fittedName, SAY.fitted(of))] : [];
  const share = line(chosen, SAY.sigmoidOf(of.scaled, of.probability));
  return el("section", { class: "softmax" }, el("h4", {}, SAY.sigmoid), ...fitted, share);
}

/**
 * One label among all of its vocabulary.
 * @param {Probability} of
 * @param {string} chosen name of the label
 */
export function softmaxOf(of, chosen) {
  const { logit, exp, total, probability, top, largest, gate = 1 } = of;
  const isListed = top.some((label) => label.logit === logit);
  const listed = isListed ? top : [...top, { id: "", label: chosen, logit, probability }];
  const rows = listed.map((label) =>
    row(label.label, label.probability * total, label.probability, label.logit === logit),
  );
  const left = Math.max(0, 1 - listed.reduce((sum, label) => sum + label.probability, 0));
  rows.push(row(SAY.rest, left * total, left, false));
  return el(
    "section",
    { class: "softmax" },
    el("h4", {}, SAY.softmax),
    el("p", { class: "note" }, SAY.softmaxWhy(largest, isFitted(of))),
    ...(isFitted(of) ? [line(SAY.fittedName, SAY.fitted(of))] : []),
    el("ul", { class: "ledger" }, ...rows),
    line(chosen, SAY.share(exp, total, probability)),
    ...(gate < 1 ? [line(SAY.gateName, SAY.gated(probability, gate))] : []),
  );
}

/**
 * @param {string} name
 * @param {number} power e to the score, with the largest taken off
 * @param {number} share
 * @param {boolean} isChosen
 */
function row(name, power, share, isChosen) {
  const part = el("i", { class: "plus" });
  part.style.setProperty("--share", String(share));
  const how = name === SAY.rest || power === 0 ? scientific(power) : SAY.power(Math.log(power), power);
  return el(
    "li",
    { class: isChosen && "on" },
    el("span", {}, name),
    el("span", { class: "ledger-how" }, how),
    el("span", { class: "ledger-bar", "aria-hidden": "true" }, part),
    el("b", {}, `${num(100 * share, 1)}%`),
  );
}
