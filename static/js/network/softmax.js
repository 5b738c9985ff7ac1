/** How the last scores become shares: e to the power of each, divided by the sum of all. */

import { el } from "../dom.js";
import { num, SAY, scientific } from "./strings.js";

/** @typedef {import("./source.js").Softmax} Softmax */

/**
 * @param {Softmax} softmax
 * @param {string} chosen name of the label whose row it is
 * @returns {HTMLElement}
 */
export function softmaxOf({ logit, probability, top }, chosen) {
  if (!top.length) {
    return el(
      "section",
      { class: "softmax" },
      el("h4", {}, SAY.sigmoid),
      el("p", { class: "sum-line" }, SAY.sigmoidOf(logit, probability)),
    );
  }
  // The largest score is taken off all: no share changes, and no power is too small to write down.
  const most = top.reduce((best, label) => Math.max(best, label.logit), logit);
  const exp = Math.exp(logit - most);
  const total = exp / probability;
  const listed = top.some((label) => label.logit === logit)
    ? top
    : [...top, { id: "", label: chosen, logit, probability }];
  const known = listed.reduce((sum, label) => sum + Math.exp(label.logit - most), 0);
  const rows = listed.map((label) =>
    row(
      label.label,
      SAY.power(label.logit - most),
      Math.exp(label.logit - most),
      label.probability,
      label.logit === logit,
    ),
  );
  const left = Math.max(0, total - known);
  rows.push(row(SAY.rest, "", left, left / total, false));
  return el(
    "section",
    { class: "softmax" },
    el("h4", {}, SAY.softmax),
    el("p", { class: "note" }, SAY.softmaxWhy(most)),
    el("ul", { class: "ledger" }, ...rows),
    el("p", { class: "sum-line" }, `${chosen}: `, el("b", {}, SAY.share(exp, total, probability))),
  );
}

/**
 * @param {string} name
 * @param {string} power
 * @param {number} value
 * @param {number} share
 * @param {boolean} isChosen
 */
function row(name, power, value, share, isChosen) {
  const part = el("i", { class: "plus" });
  part.style.setProperty("--share", String(share));
  return el(
    "li",
    { class: isChosen && "on" },
    el("span", {}, name),
    el("span", { class: "ledger-how" }, power ? `${power} = ${scientific(value)}` : scientific(value)),
    el("span", { class: "ledger-bar whole", "aria-hidden": "true" }, part),
    el("b", {}, `${num(100 * share, 1)}%`),
  );
}
