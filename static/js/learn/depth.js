/** Three planes, three planes of weights, one sum. */

import { el, find } from "../dom.js";
import { entry } from "./entry.js";
import { correlateVolume } from "./numbers.js";
import { num, SAY } from "./strings.js";

const X = [
  [
    [1, 0],
    [2, 1],
  ],
  [
    [0, 3],
    [1, 1],
  ],
  [
    [2, 2],
    [0, 1],
  ],
];
const W = [
  [
    [1, -1],
    [0, 2],
  ],
  [
    [1, 1],
    [1, 0],
  ],
  [
    [0, -1],
    [3, 1],
  ],
];

export class Depth extends HTMLElement {
  w = structuredClone(W);
  bias = 1;

  connectedCallback() {
    const changed = (/** @type {number} */ value) => {
      this.bias = value;
      this.update();
    };
    const bias = entry({ label: SAY.bias, value: this.bias, changed });
    const cell = el("div", {}, el("span", {}, "+"), bias);
    const last = el("div", {}, el("h3", {}, SAY.bias), el("div", { class: "nine one" }, cell));
    find(this, ".planes").replaceChildren(...X.map((_, d) => this.plane(d)), last);
    this.update();
  }

  /** @param {number} d */
  plane(d) {
    const cells = X[d].flatMap((row, i) =>
      row.map((x, j) => {
        const changed = (/** @type {number} */ value) => {
          this.w[d][i][j] = value;
          this.update();
        };
        const label = SAY.planeWeight(SAY.planes[d], 2 * i + j);
        return el("div", {}, el("span", {}, SAY.times(x)), entry({ label, value: this.w[d][i][j], changed }));
      }),
    );
    return el("div", {}, el("h3", {}, SAY.planes[d]), el("div", { class: "nine four" }, ...cells));
  }

  update() {
    const sums = X.map((plane, d) => correlateVolume({ x: [plane], w: [this.w[d]] })[0][0]);
    const [[z]] = correlateVolume({ x: X, w: this.w, bias: this.bias });
    find(this, ".size").replaceChildren(`${SAY.planesSum(sums, this.bias)} = `, el("b", {}, num(z)));
  }
}
