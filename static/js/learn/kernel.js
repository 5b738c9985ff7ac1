/** A kernel that steps over a real picture, stop by stop; what it multiplies and adds is written out beside it. */

import { context2d, el, find, findAll, onRadio } from "../dom.js";
import { entry } from "./entry.js";
import { correlate2d, outputSize } from "./numbers.js";
import { Player } from "./play.js";
import { drawSquare, lay, paint, places, put } from "./sheet.js";
import { inSight } from "./sight.js";
import { num, SAY, term } from "./strings.js";

const SIDE = 128;
const K = 3;
const STOPS = outputSize({ size: SIDE, kernel: K });
const STRIDE = 3; // stops of the first row for one frame of playing; then whole rows
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
    const animation = { tick: () => this.tick(), finish: () => this.finish() };
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
    const [photo, map] = this.sheets;
    onRadio(find(this, "fieldset"), (name) => {
      this.w = structuredClone(KERNELS[name]);
      this.weights();
      this.changed();
    });
    this.button("step").addEventListener("click", () => this.reach(this.done + 1));
    this.button("all").addEventListener("click", () => this.finish());
    this.button("again").addEventListener("click", () => {
      player.stop();
      this.reach(1);
    });
    const clip = (/** @type {number} */ v) => Math.max(0, Math.min(STOPS - 1, v));
    const to = (/** @type {number} */ row, /** @type {number} */ column) => {
      if (player.frame) player.end();
      this.move(clip(row), clip(column));
    };
    // The kernel's middle goes where the photo is pointed at.
    const middle = (/** @type {number} */ row, /** @type {number} */ column) => to(row - 1, column - 1);
    places(photo, () => [this.row + 1, this.column + 1], [SIDE, SIDE], middle);
    places(map, () => [this.row, this.column], [STOPS, STOPS], to);
    for (const part of findAll(this, ".nine, .terms")) {
      const over = (/** @type {Event} */ { target }) => {
        const cell = target instanceof Element && target.closest("[data-i]");
        this.point(cell instanceof HTMLElement ? Number(cell.dataset.i) : undefined);
      };
      for (const type of ["pointerover", "focusin"]) part.addEventListener(type, over);
      for (const type of ["pointerleave", "focusout"]) part.addEventListener(type, () => this.point());
    }
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
    inSight(this, () => player.play(), "-20%");
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
        const field = entry({ label: SAY.weightAt(i, j), value, changed });
        return el("div", { "data-i": 3 * i + j }, el("span", {}), field, el("small", {}));
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

  /** The first row a few stops at a time, the others whole. */
  tick() {
    this.reach(this.done + (this.done < STOPS ? STRIDE : STOPS));
    if (this.done < STOPS ** 2) return true;
    this.finish();
    return false;
  }

  /** Everything written down, and the kernel where its sum is farthest from zero. */
  finish() {
    this.reach(STOPS ** 2);
    const all = this.z.flat().map(Math.abs);
    const most = all.indexOf(all.reduce((top, v) => Math.max(top, v), 0));
    this.move(Math.floor(most / STOPS), most % STOPS);
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
    this.work(under);
    find(this, ".size").replaceChildren(`${SAY.stop(row, column)} = `, el("b", {}, num(this.z[row][column])));
  }

  /** Write the products down, and their sum. @param {number[]} under the nine pixels */
  work(under) {
    const weights = this.w.flat();
    findAll(this, ".nine > div").forEach((cell, i) => {
      find(cell, "span").textContent = SAY.times(under[i]);
      find(cell, "small").textContent = SAY.equals(weights[i] * under[i]);
    });
    const terms = under.map((x, i) =>
      el("span", { "data-i": i }, `${i ? "+ " : "= "}${i ? term(weights[i]) : num(weights[i])} · ${x}`),
    );
    const rows = [0, 3, 6].map((i) => el("p", {}, ...terms.slice(i, i + K).flatMap((one) => [one, " "])));
    find(this, ".terms").replaceChildren(...rows);
  }

  /** Show one of the nine products in all of its places. @param {number} [i] none of them where it is left out */
  point(i) {
    for (const part of findAll(this, "[data-i]")) part.classList.toggle("on", Number(part.dataset.i) === i);
    const dot = find(this.sheets[0], ".dot");
    dot.hidden = i === undefined;
    if (i === undefined) return;
    const [row, column] = [this.row + Math.floor(i / K), this.column + (i % K)];
    put(dot, column / SIDE, row / SIDE, 1 / SIDE, 1 / SIDE);
  }
}
