/** One number's sum, written out: what came from each channel, then all that follows. */

import { el } from "../dom.js";
import { grid, heat, scaleOf } from "./heat.js";
import { PHOTO } from "./source.js";
import { cents, plusCents, SAY } from "./strings.js";

/**
 * @typedef {import("./source.js").Cell} Cell
 * @typedef {import("./source.js").WindowTerm} WindowTerm
 * @typedef {import("./source.js").ProductTerm} ProductTerm
 * @typedef {import("./heat.js").Scale} Scale
 */

/** The terms of a convolution; none where the layer is linear. @param {Cell} cell */
export const windows = ({ terms }) => terms.filter((term) => "inputs" in term);

/** How the windows of a cell and its weights are coloured. @param {Cell} cell @returns {{ inputs: Scale, weights: Scale }} */
export function scales(cell) {
  const terms = windows(cell);
  const kind = cell.input.layer === PHOTO ? "pixels" : "inputs";
  return {
    inputs: scaleOf(
      terms.map(({ inputs }) => inputs),
      kind,
    ),
    weights: scaleOf(
      terms.map(({ weights }) => weights),
      "weights",
    ),
  };
}

/** @param {Cell} cell @param {WindowTerm | ProductTerm} term */
export function nameOf({ input: { layer, shape } }, term) {
  if (!("inputs" in term)) return `${layer} · ${term.cell ? SAY.at(term.cell) : (term.unit ?? 0) + 1}`;
  if (layer === PHOTO) return SAY.planes[term.channel];
  return shape[0] > 1 ? `${layer} · ${term.channel + 1}` : layer;
}

/** @param {WindowTerm | ProductTerm} term */
const worth = (term) => ("inputs" in term ? term.sum : term.product);

/**
 * A bar to the right of a line in the middle, or to its left.
 * @param {number} v
 * @param {number} most
 */
function bar(v, most) {
  const part = el("i", { class: v < 0 ? "minus" : "plus" });
  part.style.setProperty("--share", String(Math.abs(v) / most));
  return el("span", { class: "ledger-bar", "aria-hidden": "true" }, part);
}

/**
 * @param {string} name
 * @param {Node | string} middle
 * @param {number} v
 * @param {number} most
 */
const row = (name, middle, v, most) =>
  el(
    "li",
    {},
    el("span", {}, name),
    el("span", { class: "ledger-how" }, middle),
    bar(v, most),
    el("b", {}, plusCents(v)),
  );

/**
 * The ledger of a cell. The rows of a convolution are buttons, which show their numbers.
 * @param {Cell} cell
 * @param {number} chosen place of the term whose numbers are shown
 */
export function ledger(cell, chosen) {
  const { terms, others, bias } = cell;
  const isLinear = cell.operation === "linear";
  const named = [...terms.map(worth), bias];
  const largest = named.reduce((top, v) => Math.max(top, Math.abs(v)), 0);
  const isFar = Math.abs(others.sum) > 2 * largest; // then its bar would leave nothing of the others'
  const all = isFar ? named : [...named, others.sum];
  const least = all.reduce((low, v) => Math.min(low, v), 0);
  const most = all.reduce((top, v) => Math.max(top, v), least + 1e-9) - least; // from the longest bar to the left to that to the right
  const colours = scales(cell);
  const rows = terms.map((term, i) => {
    const name = nameOf(cell, term);
    if (!("inputs" in term)) return row(name, SAY.product(term.input, term.weight), worth(term), most);
    const pair = [heat(term.inputs, colours.inputs), " × ", heat(term.weights, colours.weights)];
    const button = el(
      "button",
      { type: "button", tabindex: i === chosen ? 0 : -1, "aria-pressed": String(i === chosen), "data-term": i },
      el("span", {}, name),
      el("span", { class: "ledger-how" }, ...pair),
      bar(worth(term), most),
      el("b", {}, plusCents(worth(term))),
    );
    button.setAttribute("aria-label", SAY.term(name, worth(term)));
    return el("li", {}, button);
  });
  if (others.count)
    rows.push(
      row(SAY.others(others.count, isLinear ? SAY.inputs : SAY.channels), "", others.sum, isFar ? Infinity : most),
    );
  rows.push(row(SAY.bias, "", bias, most));
  const list = el("ul", { class: `ledger${isLinear ? " linear" : ""}` }, ...rows);
  list.style.setProperty("--zero", String(-least / most)); // where the bars begin
  return list;
}

/** What follows the terms: sum, activation function, normalisation, pooling. @param {Cell} cell */
export function rest(cell) {
  const { terms, others, bias, sum, activation, value, kept, after } = cell;
  const all = terms.reduce((total, term) => total + worth(term), 0);
  const line = (/** @type {string} */ name, /** @type {Node | string} */ how, /** @type {number} */ v) =>
    el("li", {}, el("span", {}, name), el("span", {}, how, " = ", el("b", {}, cents(v))));
  const how = SAY.summed(all, ...(others.count ? [others.sum] : []), bias);
  const lines = [line(SAY.sum, how, sum)];
  if (activation) lines.push(line(SAY.activations[activation] ?? activation, SAY.activation(activation, sum), value));
  if (Math.abs(kept - value) >= 0.005) lines.push(line(SAY.kept, "", kept));
  let before = value;
  for (const { step, value: result, window } of after) {
    const how = window ? grid(window, scaleOf([window], "inputs")) : SAY.after(step, before);
    lines.push(line(SAY.steps[step], how, result));
    before = result;
  }
  return el("ol", { class: "ledger-rest" }, ...lines);
}
