/** A kernel that steps over a real picture, stop by stop. */

import { el, onRadio } from "../dom.js";
import { entry } from "./entry.js";
import { onReveal } from "./guess.js";
import { correlate2d, outputSize } from "./numbers.js";
import { Player } from "./play.js";
import { drawSquare, lay, paint, places } from "./sheet.js";
import { SAY, num } from "./strings.js";

const SIDE = 64;
const K = 3;
const STOPS = outputSize({ size: SIDE, kernel: K });
const KERNELS = {
  upright: [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]],
  level: [[-1, -1, -1], [0, 0, 0], [1, 1, 1]],
  outline: [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
  sharpen: [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
  mean: [[1, 1, 1], [1, 1, 1], [1, 1, 1]].map((row) => row.map((v) => v / 9)),
  nothing: [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
};

/**
 * The brightness of a photo, 0 to 255, in the largest square from its middle.
 * @param {string} address
 * @returns {Promise<number[][]>} SIDE rows of SIDE
 */
async function greys(address) {
  const pen = await drawSquare(el("canvas", { width: SIDE, height: SIDE }), address);
  const { data } = pen.getImageData(0, 0, SIDE, SIDE);
  const grey = (/** @type {number} */ at) => Math.round(0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2]);
  return Array.from({ length: SIDE }, (_, r) => Array.from({ length: SIDE }, (_, c) => grey(4 * (r * SIDE + c))));
}

export class KernelWalk extends HTMLElement {
  connectedCallback() {
    this.w = KERNELS.upright.map((row) => [...row]);
    this.row = 0;
    this.column = 0;
    this.done = 0; // stops whose sums are written down, row by row
    const [photo, map] = /** @type {NodeListOf<HTMLElement>} */ (this.querySelectorAll(".sheet"));
    this.photo = photo;
    this.map = map;
    const does = { tick: () => this.tick(), finish: () => this.reach(STOPS ** 2) };
    this.player = new Player(this.button("play"), this.querySelector(".size"), does);
    this.listen();
    this.weights();
    greys(this.dataset.photo).then(
      (x) => this.begin(x),
      () => (this.querySelector(".trouble").textContent = SAY.noPhoto),
    );
  }

  /** @param {string} name */
  button(name) {
    return /** @type {HTMLButtonElement} */ (this.querySelector(`[data-do="${name}"]`));
  }

  listen() {
    onRadio(this.querySelector("fieldset"), (name) => {
      this.w = KERNELS[name].map((/** @type {number[]} */ row) => [...row]);
      this.weights();
      this.changed();
    });
    this.button("step").addEventListener("click", () => this.reach(this.done + 1));
    this.button("all").addEventListener("click", () => this.reach(STOPS ** 2));
    this.button("again").addEventListener("click", () => {
      this.player.stop();
      this.reach(1);
    });
    places(
      this.photo,
      () => [this.row + 1, this.column + 1],
      [SIDE, SIDE],
      (row, column) => {
        // The kernel's middle goes there.
        const clip = (/** @type {number} */ v) => Math.max(0, Math.min(STOPS - 1, v - 1));
        this.move(clip(row), clip(column));
      },
    );
  }

  /** @param {number[][]} x */
  begin(x) {
    this.x = x;
    const pixels = new ImageData(SIDE, SIDE);
    x.flat().forEach((v, at) => pixels.data.set([v, v, v, 255], 4 * at));
    this.photo.querySelector("canvas").getContext("2d").putImageData(pixels, 0, 0);
    this.z = correlate2d({ x, w: this.w });
    this.reach(1);
    onReveal(this, () => this.done === 1 && this.player.play());
    this.dataset.ready = "";
  }

  /** One field for each weight, under the pixel that it is multiplied with. */
  weights() {
    const cells = this.w.flatMap((row, i) =>
      row.map((value, j) => {
        const changed = (/** @type {number} */ v) => {
          this.w[i][j] = v;
          this.changed();
        };
        return el("div", {}, el("span", {}), entry({ label: SAY.weightAt(i, j), value, changed }));
      }),
    );
    this.querySelector(".nine").replaceChildren(...cells);
  }

  changed() {
    if (!this.x) return;
    this.z = correlate2d({ x: this.x, w: this.w });
    this.draw();
    this.move(this.row, this.column);
  }

  /** The first row stop by stop, the others by half rows. */
  tick() {
    this.reach(this.done + (this.done < STOPS ? 1 : STOPS / 2));
    return this.done < STOPS ** 2;
  }

  /** @param {number} done so many stops */
  reach(done) {
    if (!this.x) return;
    this.done = Math.min(done, STOPS ** 2);
    this.draw();
    this.move(Math.floor((this.done - 1) / STOPS), (this.done - 1) % STOPS);
  }

  draw() {
    const known = this.z.map((row, r) => row.map((v, c) => (r * STOPS + c < this.done ? v : undefined)));
    const [least, most] = paint(this.map.querySelector("canvas"), known);
    this.querySelector(".low").textContent = num(least, 0);
    this.querySelector(".high").textContent = num(most, 0);
  }

  /** @param {number} row @param {number} column */
  move(row, column) {
    if (!this.x) return;
    this.row = row;
    this.column = column;
    lay(this.photo, column / SIDE, row / SIDE, K / SIDE);
    lay(this.map, column / STOPS, row / STOPS, 1 / STOPS);
    const under = this.x.slice(row, row + K).flatMap((line) => line.slice(column, column + K));
    this.querySelectorAll(".nine span").forEach((one, i) => (one.textContent = SAY.times(under[i])));
    this.querySelector(".size").textContent = SAY.stop(row, column, this.z[row][column]);
  }
}
