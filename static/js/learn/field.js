/** Two layers over a row of inputs: how many of those one cell of the second sees. */

import { el, find, svg } from "../dom.js";
import { dial } from "./entry.js";
import { outputSize, pixelsSeen, slide } from "./numbers.js";
import { SAY } from "./strings.js";

const INPUTS = 15;
const LEVELS = [156, 90, 24]; // heights of the three rows of cells

/** @typedef {import("./numbers.js").View & { size: number }} Level a row of cells, and what they see */

export class Field extends HTMLElement {
  kernels = [3, 3];
  strides = [1, 1];

  connectedCallback() {
    this.turn("kernel1", this.kernels, 0);
    this.turn("stride1", this.strides, 0);
    this.turn("kernel2", this.kernels, 1);
  }

  /**
   * Let a slider set one number.
   * @param {string} name
   * @param {number[]} list
   * @param {number} i
   */
  turn(name, list, i) {
    dial(this, name, (value) => {
      list[i] = value;
      this.update();
    });
  }

  /** Every row of cells, from the inputs up. @returns {Level[]} */
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
    const [from, to] = pixelsSeen({ ...rows[2], cell });
    // A cell of a row below is reached where all that it sees is pixelsSeen from the top.
    const reached = rows.map((row) => (/** @type {number} */ i) => {
      const [first, last] = pixelsSeen({ ...row, cell: i });
      return first >= from && last <= to;
    });
    const x = (/** @type {Level} */ row, /** @type {number} */ i) =>
      16 + 32 * (row.start + i * row.jump + (row.field - 1) / 2);
    this.draw(rows, cell, reached, x);
    this.describe(rows);
  }

  /**
   * @param {Level[]} rows
   * @param {number} cell the marked one of the top row
   * @param {((i: number) => boolean)[]} reached
   * @param {(row: Level, i: number) => number} x
   */
  draw(rows, cell, reached, x) {
    const marked = (/** @type {number} */ level, /** @type {number} */ i) =>
      level === 2 ? i === cell : reached[level](i);
    const lines = rows.slice(1).flatMap((row, below) =>
      Array.from({ length: row.size }, (_, i) =>
        Array.from({ length: this.kernels[below] }, (_, j) =>
          svg("line", {
            class: marked(below + 1, i) ? "on" : "",
            x1: x(row, i),
            y1: LEVELS[below + 1],
            x2: x(rows[below], i * this.strides[below] + j),
            y2: LEVELS[below],
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
    find(this, "svg", SVGSVGElement).replaceChildren(...lines, ...cells);
  }

  /** @param {Level[]} rows */
  describe([, first, second]) {
    const sum = SAY.seesBy(first.field, this.kernels[1], first.jump);
    const worked = el("span", {}, sum, " = ", el("b", {}, String(second.field)));
    find(this, ".size").replaceChildren(`${SAY.sees(second.field)}: `, worked);
  }
}
