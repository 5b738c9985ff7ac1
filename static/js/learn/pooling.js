/** A window that keeps the largest number, overlapping its neighbours or not. */

import { el, find, onRadio, press } from "../dom.js";
import { roving, stop } from "../roving.js";
import { maxPool } from "./numbers.js";
import { shade } from "./sheet.js";
import { SAY } from "./strings.js";

const X = [
  [1, 3, 2, 0, 1, 2, 0],
  [4, 0, 1, 5, 2, 0, 1],
  [2, 1, 9, 1, 0, 3, 2],
  [0, 2, 1, 1, 6, 1, 0],
  [3, 1, 0, 2, 1, 0, 4],
  [1, 0, 4, 1, 2, 8, 1],
  [2, 5, 1, 0, 3, 1, 2],
];
const STRIDE = 2;
const MOST = Math.max(...X.flat());

export class Pool extends HTMLElement {
  /** Side of a window. */
  size = 3;

  /** The largest number of each window. @type {number[][]} */
  pooled = [];

  connectedCallback() {
    this.fill(this.input, X, (row, column) => this.look(row, column));
    onRadio(find(this, "fieldset"), (value) => {
      this.size = Number(value);
      this.pool();
    });
    for (const grid of [this.input, this.output]) roving(grid, (button) => button.click());
    this.pool();
  }

  get input() {
    return find(this, ".in");
  }

  get output() {
    return find(this, ".out");
  }

  pool() {
    this.pooled = maxPool({ x: X, size: this.size, stride: STRIDE });
    this.fill(this.output, this.pooled, (row, column) => this.find(row, column));
    this.look(2, 2); // the 9
  }

  /**
   * @param {HTMLElement} grid
   * @param {number[][]} plane
   * @param {(row: number, column: number) => void} chosen
   */
  fill(grid, plane, chosen) {
    grid.style.setProperty("--n", String(plane.length));
    const buttons = plane.flatMap((line, row) =>
      line.map((v, column) => {
        const label = SAY.cell(row, column, v);
        const button = el(
          "button",
          { type: "button", "aria-pressed": "false", "aria-label": label, tabindex: -1 },
          String(v),
        );
        button.style.setProperty("--shade", shade(v / MOST));
        button.classList.toggle("bright", v > MOST / 2);
        button.addEventListener("click", () => chosen(row, column));
        return button;
      }),
    );
    grid.replaceChildren(...buttons);
    stop(grid, buttons[0]);
  }

  /**
   * Whether a window holds a number of the map.
   * @param {[number, number]} window its row and column in the output
   * @param {number} row
   * @param {number} column
   */
  holds([wr, wc], row, column) {
    const inside = (/** @type {number} */ at, /** @type {number} */ from) => at >= from && at < from + this.size;
    return inside(row, wr * STRIDE) && inside(column, wc * STRIDE);
  }

  /** Which windows hold a number. @param {number} row @param {number} column */
  look(row, column) {
    const n = this.pooled.length;
    const windows = [...Array(n * n).keys()].map((i) => /** @type {[number, number]} */ ([Math.floor(i / n), i % n]));
    const held = windows.map((window) => this.holds(window, row, column));
    this.mark(this.input, (r, c) => r === row && c === column);
    this.mark(this.output, (r, c) => held[r * n + c], false);
    this.describe(SAY.inWindows(X[row][column], held.filter(Boolean).length));
  }

  /** Where the largest number of a window was found. @param {number} row @param {number} column */
  find(row, column) {
    this.mark(this.output, (r, c) => r === row && c === column);
    this.mark(this.input, (r, c) => this.holds([row, column], r, c), false);
    this.describe(SAY.largest(this.pooled[row][column]));
  }

  /**
   * @param {HTMLElement} grid
   * @param {(row: number, column: number) => boolean} chosen
   * @param {boolean} [pressed] the chosen one was pressed; else they are only shown
   */
  mark(grid, chosen, pressed = true) {
    const n = Math.sqrt(grid.children.length);
    const buttons = [...grid.querySelectorAll("button")];
    const on = buttons.filter((_, i) => chosen(Math.floor(i / n), i % n));
    for (const button of buttons) button.classList.toggle("held", on.includes(button));
    press(grid, pressed ? on[0] : null);
    if (pressed) stop(grid, on[0]);
  }

  /** @param {string} words */
  describe(words) {
    find(this, ".size").textContent = words;
  }
}
