/** A kernel that steps over a real picture, stop by stop. */

import { context2d, el, find, findAll, onRadio } from "../dom.js";
import { entry } from "./entry.js";
import { onReveal } from "./guess.js";
import { correlate2d, outputSize } from "./numbers.js";
import { Player } from "./play.js";
import { drawSquare, lay, paint, places } from "./sheet.js";
import { num, SAY } from "./strings.js";

const SIDE = 64;
const K = 3;
const STOPS = outputSize({ size: SIDE, kernel: K });
/** @type {Record<string, number[][]>} */
const KERNELS = {
  vertical: [
    [-1, 0, 1],
    [-1, 0, 1],
    [-1, 0, 1],
  ],
  horizontal: [
    [-1, -1, -1],
    [0, 0, 0],
    [1, 1, 1],
  ],
  outline: [
    [-1, -1, -1],
    [-1, 8, -1],
    [-1, -1, -1],
  ],
  sharpen: [
    [0, -1, 0],
    [-1, 5, -1],
    [0, -1, 0],
  ],
  mean: [
    [1, 1, 1],
    [1, 1, 1],
    [1, 1, 1],
  ].map((row) => row.map((v) => v / 9)),
  nothing: [
    [0, 0, 0],
    [0, 1, 0],
    [0, 0, 0],
  ],
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
  w = structuredClone(KERNELS.vertical);
  row = 0;
  column = 0;

  /** Stops whose sums are written down, row by row. */
  done = 0;

  /** The photo's grey values, once it is here. @type {number[][]} */
  x = [];

  /** The sums of all stops. @type {number[][]} */
  z = [];

  connectedCallback() {
    const animation = { tick: () => this.tick(), finish: () => this.reach(STOPS ** 2) };
    const player = new Player(this.button("play"), find(this, ".size"), animation);
    this.listen(player);
    this.weights();
    greys(this.dataset.photo ?? "").then(
      (x) => this.begin(x, player),
      () => {
        find(this, ".trouble").textContent = SAY.noPhoto;
      },
    );
  }

  /** @param {string} name */
  button(name) {
    return find(this, `[data-do="${name}"]`, HTMLButtonElement);
  }

  /** The photo with its pane, and the map with its own. */
  get sheets() {
    return findAll(this, ".sheet");
  }

  /** @param {Player} player */
  listen(player) {
    const [photo] = this.sheets;
    onRadio(find(this, "fieldset"), (name) => {
      this.w = structuredClone(KERNELS[name]);
      this.weights();
      this.changed();
    });
    this.button("step").addEventListener("click", () => this.reach(this.done + 1));
    this.button("all").addEventListener("click", () => this.reach(STOPS ** 2));
    this.button("again").addEventListener("click", () => {
      player.stop();
      this.reach(1);
    });
    places(
      photo,
      () => [this.row + 1, this.column + 1],
      [SIDE, SIDE],
      (row, column) => {
        // The kernel's middle goes there.
        const clip = (/** @type {number} */ v) => Math.max(0, Math.min(STOPS - 1, v - 1));
        this.move(clip(row), clip(column));
      },
    );
  }

  /** @param {number[][]} x @param {Player} player */
  begin(x, player) {
    this.x = x;
    const pixels = new ImageData(SIDE, SIDE);
    x.flat().forEach((v, at) => {
      pixels.data.set([v, v, v, 255], 4 * at);
    });
    context2d(find(this.sheets[0], "canvas", HTMLCanvasElement)).putImageData(pixels, 0, 0);
    this.z = correlate2d({ x, w: this.w });
    this.reach(1);
    onReveal(this, () => this.done === 1 && player.play());
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
    find(this, ".nine").replaceChildren(...cells);
  }

  changed() {
    if (!this.x.length) return;
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
    if (!this.x.length) return;
    this.done = Math.min(done, STOPS ** 2);
    this.draw();
    this.move(Math.floor((this.done - 1) / STOPS), (this.done - 1) % STOPS);
  }

  draw() {
    const reached = this.z.map((row, r) => row.map((v, c) => (r * STOPS + c < this.done ? v : undefined)));
    const [least, most] = paint(find(this.sheets[1], "canvas", HTMLCanvasElement), reached);
    find(this, ".low").textContent = num(least, 0);
    find(this, ".high").textContent = num(most, 0);
  }

  /** @param {number} row @param {number} column */
  move(row, column) {
    if (!this.x.length) return;
    this.row = row;
    this.column = column;
    const [photo, map] = this.sheets;
    lay(photo, column / SIDE, row / SIDE, K / SIDE);
    lay(map, column / STOPS, row / STOPS, 1 / STOPS);
    const under = this.x.slice(row, row + K).flatMap((line) => line.slice(column, column + K));
    findAll(this, ".nine span").forEach((factor, i) => {
      factor.textContent = SAY.times(under[i]);
    });
    find(this, ".size").textContent = SAY.stop(row, column, this.z[row][column]);
  }
}
