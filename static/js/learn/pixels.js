/** A photo under a glass that shows a few of its pixels as the numbers that they are. */

import { el, find, findAll } from "../dom.js";
import { drawSquare, lay, places } from "./sheet.js";
import { SAY } from "./strings.js";

const K = 3; // pixels under the glass, across and down

export class Pixels extends HTMLElement {
  row = 0;
  column = 0;

  connectedCallback() {
    const canvas = find(this, "canvas", HTMLCanvasElement);
    const cell = () => el("div", {}, el("i"), el("span", {}, "\u00a0"));
    find(this, ".pixels").replaceChildren(...Array.from({ length: K * K }, cell));
    drawSquare(canvas, this.dataset.photo ?? "").then(
      (pen) => this.begin(pen, canvas.width),
      () => {
        find(this, ".trouble").textContent = SAY.noPhoto;
      },
    );
  }

  /** @param {CanvasRenderingContext2D} pen @param {number} side of the photo, in pixels */
  begin(pen, side) {
    const move = (/** @type {number} */ row, /** @type {number} */ column) => this.move(pen, side, row, column);
    places(find(this, ".sheet"), () => [this.row, this.column], [side, side], move);
    move(Math.floor(0.4 * side), Math.floor(0.25 * side)); // off the middle, where a photo is seldom of one colour
    this.dataset.ready = "";
  }

  /**
   * Lay the middle of the glass there.
   * @param {CanvasRenderingContext2D} pen
   * @param {number} side of the photo, in pixels
   * @param {number} row
   * @param {number} column
   */
  move(pen, side, row, column) {
    const clip = (/** @type {number} */ v) => Math.max(1, Math.min(side - K + 1, v));
    this.row = clip(row);
    this.column = clip(column);
    lay(find(this, ".sheet"), (this.column - 1) / side, (this.row - 1) / side, K / side);
    const { data } = pen.getImageData(this.column - 1, this.row - 1, K, K);
    findAll(this, ".pixels > div").forEach((cell, i) => {
      const colour = [...data.slice(4 * i, 4 * i + 3)];
      find(cell, "i").style.background = `rgb(${colour.join(" ")})`;
      find(cell, "span").textContent = colour.join(" ");
    });
    const middle = 4 * Math.floor((K * K) / 2);
    find(this, ".size").textContent = SAY.pixel(this.row, this.column, [...data.slice(middle, middle + 3)]);
  }
}
