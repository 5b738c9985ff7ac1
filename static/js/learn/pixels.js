/** A photo under a glass that shows a few of its pixels as the numbers that they are. */

import { el } from "../dom.js";
import { drawSquare, lay, places } from "./sheet.js";
import { SAY } from "./strings.js";

const K = 3; // pixels under the glass, across and down

export class Pixels extends HTMLElement {
  connectedCallback() {
    this.sheet = /** @type {HTMLElement} */ (this.querySelector(".sheet"));
    const canvas = this.sheet.querySelector("canvas");
    this.side = canvas.width;
    const cell = () => el("div", {}, el("i"), el("span", { class: "secret" }, "\u00a0"));
    this.querySelector(".pixels").replaceChildren(...Array.from({ length: K * K }, cell));
    drawSquare(canvas, this.dataset.photo).then(
      (pen) => this.begin(pen),
      () => (this.querySelector(".trouble").textContent = SAY.noPhoto),
    );
  }

  /** @param {CanvasRenderingContext2D} pen */
  begin(pen) {
    this.pen = pen;
    const { sheet, side } = this;
    places(sheet, () => [this.row, this.column], [side, side], (row, column) => this.move(row, column));
    this.move(Math.floor(0.4 * side), Math.floor(0.25 * side)); // an eye, in the first sample
    this.dataset.ready = "";
  }

  /** Lay the middle of the glass there. @param {number} row @param {number} column */
  move(row, column) {
    const clip = (/** @type {number} */ v) => Math.max(1, Math.min(this.side - K + 1, v));
    this.row = clip(row);
    this.column = clip(column);
    lay(this.sheet, (this.column - 1) / this.side, (this.row - 1) / this.side, K / this.side);
    const { data } = this.pen.getImageData(this.column - 1, this.row - 1, K, K);
    [...this.querySelector(".pixels").children].forEach((cell, i) => {
      const colour = [...data.slice(4 * i, 4 * i + 3)];
      const [swatch, words] = /** @type {any} */ (cell.children);
      swatch.style.background = `rgb(${colour.join(" ")})`;
      words.textContent = colour.join(" ");
    });
    const middle = 4 * Math.floor((K * K) / 2);
    this.querySelector(".size").textContent = SAY.pixel(this.row, this.column, [...data.slice(middle, middle + 3)]);
  }
}
