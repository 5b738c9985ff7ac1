/** ReLU, tanh and sigmoid, and what is left of their slopes. */

import { find, findAll, svg } from "../dom.js";
import { dial } from "./entry.js";
import * as numbers from "./numbers.js";
import { fine, num } from "./strings.js";

/** @type {{ name: string, values: (x: number[]) => number[], gradients: (x: number[]) => number[] }[]} */
const ACTIVATIONS = [
  { name: "relu", values: (x) => numbers.relu({ x }), gradients: (x) => numbers.reluGradient({ x }) },
  { name: "tanh", values: (x) => numbers.tanh({ x }), gradients: (x) => numbers.tanhGradient({ x }) },
  { name: "sigmoid", values: (x) => numbers.sigmoid({ x }), gradients: (x) => numbers.sigmoidGradient({ x }) },
];
const MOST = 8;
const DEPTH = 5; // convolutions of AlexNet
const POINTS = Array.from({ length: 321 }, (_, i) => (i - 160) / 20);

/** A plot of 320 by 200: x from -8 to 8, y between two values. */
class Plot {
  /** @param {Element} root @param {[number, number]} range of y @param {number} top what is written beside it */
  constructor(root, [least, most], top) {
    this.root = root;
    this.x = (/** @type {number} */ v) => 160 + (150 * v) / MOST;
    this.y = (/** @type {number} */ v) => 190 - (180 * (v - least)) / (most - least);
    const axis = (/** @type {Record<string, number>} */ ends) => svg("line", { class: "axis", ...ends });
    root.append(axis({ x1: 10, x2: 310, y1: this.y(0), y2: this.y(0) }), axis({ x1: 160, x2: 160, y1: 8, y2: 192 }));
    const ends = [-MOST, 0, MOST].map((v) => svg("text", { x: this.x(v), y: 206 }, num(v)));
    root.append(...ends, svg("text", { x: 148, y: this.y(top) + 5 }, num(top)));
  }

  /** @param {string} name @param {number[]} values at POINTS */
  line(name, values) {
    const points = values.map((v, i) => `${this.x(POINTS[i]).toFixed(1)} ${this.y(v).toFixed(1)}`);
    this.root.append(svg("path", { class: name, d: `M${points.join("L")}` }));
  }

  /** @param {number} x @param {number[]} values */
  mark(x, values) {
    this.root.querySelector(".now")?.remove();
    const dots = values.map((v) => svg("circle", { cx: this.x(x), cy: this.y(v), r: 4 }));
    const rule = svg("line", { x1: this.x(x), x2: this.x(x), y1: 8, y2: 192 });
    this.root.append(svg("g", { class: "now" }, rule, ...dots));
  }
}

export class Curves extends HTMLElement {
  connectedCallback() {
    const [functions, slopes] = findAll(this, ".plot", SVGSVGElement);
    const plots = [new Plot(functions, [-1.5, 8.2], MOST), new Plot(slopes, [-0.15, 1.15], 1)];
    for (const { name, values, gradients } of ACTIVATIONS) {
      plots[0].line(name, values(POINTS));
      plots[1].line(name, gradients(POINTS));
    }
    dial(this, "x", (x) => {
      const values = ACTIVATIONS.map((activation) => activation.values([x])[0]);
      const gradients = ACTIVATIONS.map((activation) => activation.gradients([x])[0]);
      plots[0].mark(x, values);
      plots[1].mark(x, gradients);
      ACTIVATIONS.forEach(({ name }, i) => {
        this.describe(name, values[i], gradients[i]);
      });
      return num(x, 1);
    });
  }

  /** @param {string} name @param {number} value @param {number} gradient */
  describe(name, value, gradient) {
    const row = find(this, `[data-name="${name}"]`);
    const [slope, through] = findAll(row, "td > span");
    find(row, "td").textContent = num(value, 3);
    slope.textContent = fine(gradient);
    through.textContent = fine(numbers.throughLayers({ gradient, layers: DEPTH }));
  }
}
