/** Two layers over a row of inputs: how many of those one cell of the second sees. */

import { el, svg } from "../dom.js";
import { dial } from "./entry.js";
import { outputSize, seen, slide } from "./numbers.js";
import { SAY } from "./strings.js";

const INPUTS = 15;
const LEVELS = [156, 90, 24]; // heights of the three rows of cells

export class Field extends HTMLElement {
  connectedCallback() {
    this.kernels = [3, 3];
    this.strides = [1, 1];
    dial(this, "kernel1", (v) => this.set(() => (this.kernels[0] = v)));
    dial(this, "stride1", (v) => this.set(() => (this.strides[0] = v)));
    dial(this, "kernel2", (v) => this.set(() => (this.kernels[1] = v)));
  }

  /** @param {() => void} change */
  set(change) {
    change();
    this.update();
  }

  /** What is known of a cell in each row, from the inputs up. */
  get rows() {
    const rows = [{ size: INPUTS, field: 1, jump: 1, start: 0 }];
    this.kernels.forEach((kernel, i) => {
      const window = { kernel, stride: this.strides[i] };
      rows.push({ size: outputSize({ size: rows[i].size, ...window }), ...slide({ ...rows[i], ...window }) });
    });
    return rows;
  }

  update() {
    const rows = this.rows;
    const cell = Math.floor((rows[2].size - 1) / 2);
    const [from, to] = seen({ ...rows[2], cell });
    // A cell of a row below is reached where all that it sees is seen from the top.
    const reached = rows.map((row) => (/** @type {number} */ i) => {
      const [first, last] = seen({ ...row, cell: i });
      return first >= from && last <= to;
    });
    const x = (/** @type {any} */ row, /** @type {number} */ i) =>
      16 + 32 * (row.start + i * row.jump + (row.field - 1) / 2);
    this.draw(rows, cell, reached, x);
    this.tell(rows);
  }

  /**
   * @param {any[]} rows
   * @param {number} cell the marked one of the top row
   * @param {((i: number) => boolean)[]} reached
   * @param {(row: any, i: number) => number} x
   */
  draw(rows, cell, reached, x) {
    const marked = (/** @type {number} */ level, /** @type {number} */ i) =>
      level === 2 ? i === cell : reached[level](i);
    const lines = rows.slice(1).flatMap((row, below) =>
      Array.from({ length: row.size }, (_, i) =>
        Array.from({ length: this.kernels[below] }, (_, j) =>
          svg("line", {
            class: marked(below + 1, i) ? "on" : "",
            x1: x(row, i), y1: LEVELS[below + 1], x2: x(rows[below], i * this.strides[below] + j), y2: LEVELS[below],
          }),
        ),
      ).flat(),
    );
    const cells = rows.flatMap((row, level) =>
      Array.from({ length: row.size }, (_, i) =>
        svg("rect", {
          class: marked(level, i) ? "on" : "",
          x: x(row, i) - 11,
          y: LEVELS[level] - 11,
          width: 22,
          height: 22,
        }),
      ),
    );
    this.querySelector("svg").replaceChildren(...lines, ...cells);
  }

  /** @param {any[]} rows */
  tell([, first, second]) {
    const sum = SAY.seesBy(first.field, this.kernels[1], first.jump);
    const worked = el("span", {}, sum, " = ", el("b", {}, String(second.field)));
    this.querySelector(".size").replaceChildren(`${SAY.sees(second.field)}: `, worked);
  }
}
