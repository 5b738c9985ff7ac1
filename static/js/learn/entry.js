/** A field for one number: what is typed counts at once; what is no number gets one sentence, and the old one stays. */

import { el, find } from "../dom.js";
import { num, SAY } from "./strings.js";

/** @param {string} text @returns {number} NaN where it is none */
const read = (text) => {
  const plain = text.trim().replace("−", "-").replace(",", ".");
  return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(plain) ? Number(plain) : NaN;
};

/** @type {Record<string, number>} */
const STEPS = { ArrowUp: 1, ArrowDown: -1 };

/**
 * A field for a number; called back with every good one.
 * @param {{ label: string, value: number, most?: number, changed: (value: number) => void }} options most: how far
 * from zero it may be
 * @returns {HTMLInputElement}
 */
export function entry({ label, value, most = 99, changed }) {
  const input = el("input", { type: "text", inputmode: "decimal", autocomplete: "off", "aria-label": label });
  const good = (/** @type {number} */ v) => Math.abs(v) <= most; // false for NaN
  const set = (/** @type {number} */ v) => {
    value = v;
    changed(v);
  };
  input.value = num(value);
  input.addEventListener("input", () => good(read(input.value)) && set(read(input.value)));
  input.addEventListener("change", () => {
    const typed = read(input.value);
    const wrong = Number.isNaN(typed) ? SAY.notANumber(input.value, value) : SAY.outOfRange(input.value, most, value);
    complain(input, good(typed) ? "" : wrong);
    input.value = num(value);
  });
  input.addEventListener("keydown", (event) => {
    const by = STEPS[event.key];
    if (!by) return;
    event.preventDefault();
    if (good(value + by)) set(value + by);
    input.value = num(value);
    complain(input, "");
  });
  input.addEventListener("focus", () => input.select());
  return input;
}

/** @param {Element} input @param {string} sentence */
function complain(input, sentence) {
  const figure = input.closest("figure");
  if (figure) find(figure, ".trouble").textContent = sentence;
}

/**
 * A slider beside the words for its value; called back with every change, and once at the start.
 * @param {Element} root
 * @param {string} name
 * @param {(value: number) => string | void} changed gives what stands beside it, where that is not the value itself
 */
export function dial(root, name, changed) {
  const slide = find(root, `.slide:has(input[name="${name}"])`);
  const input = find(slide, "input", HTMLInputElement);
  const output = find(slide, "output", HTMLOutputElement);
  const update = () => {
    const words = changed(Number(input.value)) || input.value;
    output.value = words;
    if (words !== input.value) input.setAttribute("aria-valuetext", words);
  };
  input.addEventListener("input", update);
  update();
  return input;
}
