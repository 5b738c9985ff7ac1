/** Three planes, three planes of weights, one sum. */

import { el } from "../dom.js";
import { entry } from "./entry.js";
import { correlateVolume } from "./numbers.js";
import { SAY, num } from "./strings.js";

const X = [[[1, 0], [2, 1]], [[0, 3], [1, 1]], [[2, 2], [0, 1]]];
const W = [[[1, -1], [0, 2]], [[1, 1], [1, 0]], [[0, -1], [3, 1]]];

export class Depth extends HTMLElement {
  connectedCallback() {
    this.w = structuredClone(W);
    this.bias = 1;
    const bias = entry({ label: SAY.bias, value: this.bias, changed: (v) => this.set(() => (this.bias = v)) });
    const cell = el("div", {}, el("span", {}, "+"), bias);
    const last = el("div", {}, el("h3", {}, SAY.bias), el("div", { class: "nine one" }, cell));
    this.querySelector(".planes").replaceChildren(...X.map((_, d) => this.plane(d)), last);
    this.update();
  }

  /** @param {() => void} change */
  set(change) {
    change();
    this.update();
  }

  /** @param {number} d */
  plane(d) {
    const cells = X[d].flatMap((row, i) =>
      row.map((x, j) => {
        const changed = (/** @type {number} */ v) => this.set(() => (this.w[d][i][j] = v));
        const label = SAY.planeWeight(SAY.planes[d], 2 * i + j);
        return el("div", {}, el("span", {}, SAY.times(x)), entry({ label, value: this.w[d][i][j], changed }));
      }),
    );
    return el("div", {}, el("h3", {}, SAY.planes[d]), el("div", { class: "nine four" }, ...cells));
  }

  update() {
    const sums = X.map((plane, d) => correlateVolume({ x: [plane], w: [this.w[d]] })[0][0]);
    const [[z]] = correlateVolume({ x: X, w: this.w, bias: this.bias });
    const all = el("span", { class: "secret" }, `${SAY.planesSum(sums, this.bias)} = `, el("b", {}, num(z)));
    this.querySelector(".size").replaceChildren(all);
  }
}
