/** A small network whose hidden units are dropped at random, and the sum that comes out of it. */

import { el, find, findAll, onButton, svg } from "../dom.js";
import { dropoutTest, dropoutTraining, weightedSum } from "./numbers.js";
import { num, SAY } from "./strings.js";

const A = [2, 1, 4, 0, 3, 2]; // activations of the hidden units
const W = [1, -2, 0.5, 3, 1, -1]; // from each of them to the output
const RATE = 0.5;
const INPUTS = 4;
const LINE = { least: -6, most: 10, left: 24, width: 432 }; // all sums lie in there

/** Places of n units in a column. @param {number} n @param {number} x */
const column = (n, x) => Array.from({ length: n }, (_, i) => ({ x, y: 110 + (i - (n - 1) / 2) * 36 }));

/** @typedef {{ x: number, y: number }} Point in the drawing */

export class Dropout extends HTMLElement {
  /** 1 for each unit that is active, 0 for each that is dropped. @type {number[]} */
  mask = A.map((_, i) => 1 - (i % 2));

  /** The output of each draw. @type {number[]} */
  sums = [];

  connectedCallback() {
    find(this, ".units").replaceChildren(...A.map((a, i) => this.unit(a, i)));
    onButton(find(this, ".acts"), ({ dataset: { draws } }) => {
      if (draws) this.draw(Number(draws));
    });
    this.wire();
    this.update();
  }

  get net() {
    return find(this, ".net", SVGSVGElement);
  }

  /** @param {number} a @param {number} i */
  unit(a, i) {
    const button = el("button", { type: "button", "aria-label": SAY.unit(i, a) }, String(a));
    button.addEventListener("click", () => {
      this.mask[i] = 1 - this.mask[i];
      this.update();
    });
    return button;
  }

  /** Every line and unit of the net, once. */
  wire() {
    const [inputs, hidden, [output]] = [column(INPUTS, 60), column(A.length, 240), column(1, 420)];
    const net = this.net;
    const line = (/** @type {Point} */ from, /** @type {Point} */ to, /** @type {number} */ i) =>
      svg("line", { "data-unit": i, x1: from.x, y1: from.y, x2: to.x, y2: to.y });
    const circle = (/** @type {Point} */ { x, y }, /** @type {number} */ i) =>
      svg("circle", { "data-unit": i, cx: x, cy: y, r: i < 0 && x > 400 ? 18 : 12 });
    hidden.forEach((unit, i) => {
      for (const input of inputs) net.append(line(input, unit, i));
      net.append(line(unit, output, i));
    });
    net.append(...inputs.map((input) => circle(input, -1)), ...hidden.map(circle), circle(output, -1));
    hidden.forEach(({ x, y }, i) => {
      const between = { x: 0.6 * x + 0.4 * output.x, y: 0.6 * y + 0.4 * output.y };
      const weight = svg("text", { class: "weight", "data-unit": i, ...between }, num(W[i]));
      net.append(svg("text", { "data-unit": i, x, y: y + 5 }, String(A[i])), weight);
    });
    net.append(svg("text", { class: "sum", x: output.x, y: output.y + 5 }));
  }

  /** @param {number} times 0 forgets all draws */
  draw(times) {
    if (times === 0) this.sums = [];
    for (let i = 0; i < times; i++) {
      this.mask = A.map(() => Number(Math.random() >= RATE));
      this.sums.push(this.sum);
    }
    this.update();
  }

  get sum() {
    return weightedSum({ a: dropoutTraining({ a: A, mask: this.mask }), w: W });
  }

  update() {
    for (const part of findAll(this.net, "[data-unit]", SVGElement)) {
      part.classList.toggle("off", this.mask[Number(part.dataset.unit)] === 0);
    }
    findAll(this, ".units button").forEach((button, i) => {
      button.setAttribute("aria-pressed", String(this.mask[i] === 1));
    });
    find(this.net, ".sum", SVGElement).textContent = num(this.sum);
    const mean = this.sums.reduce((total, sum) => total + sum, 0) / this.sums.length;
    const used = weightedSum({ a: dropoutTest({ a: A, rate: RATE }), w: W });
    this.plot(mean, used);
    const words = [SAY.draw(this.sum), SAY.mean(this.sums.length, mean), SAY.halved(used)];
    find(this, ".size").textContent = words.join(" ");
  }

  /** @param {number} mean @param {number} used the sum when all units are active, halved */
  plot(mean, used) {
    const x = (/** @type {number} */ v) => LINE.left + (LINE.width * (v - LINE.least)) / (LINE.most - LINE.least);
    const counts = new Map();
    for (const z of this.sums) counts.set(z, (counts.get(z) ?? 0) + 1);
    const most = Math.max(...counts.values());
    const bars = [...counts].map(([z, n]) => {
      const height = (40 * n) / most;
      return svg("rect", { x: x(z) - 3, y: 50 - height, width: 6, height });
    });
    const rule = (/** @type {string} */ name, /** @type {number} */ v) =>
      svg("line", { class: name, x1: x(v), x2: x(v), y1: 4, y2: 52 });
    const axis = svg("line", { class: "axis", x1: x(LINE.least), x2: x(LINE.most), y1: 50, y2: 50 });
    const ticks = [-6, -2, 2, 6, 10].map((v) => svg("text", { x: x(v), y: 68 }, SAY.tick(v)));
    const rules = [rule("used", used), ...(this.sums.length ? [rule("mean", mean)] : [])];
    find(this, ".plot", SVGSVGElement).replaceChildren(axis, ...ticks, ...bars, ...rules);
  }
}
