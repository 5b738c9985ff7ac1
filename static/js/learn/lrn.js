/** Local response normalisation: on eight numbers, and on all kernels of conv1 at one place of a photo. */

import { valueAt } from "../activations.js";
import { el, onRadio, svg } from "../dom.js";
import { dial, entry } from "./entry.js";
import { onReveal } from "./guess.js";
import { drawPhoto, present } from "./network.js";
import { localResponseNorm } from "./numbers.js";
import { lay, places } from "./sheet.js";
import { SAY, fine, num } from "./strings.js";

const EIGHT = [0, 3, 3, 100, 3, 3, 0, 3];
const [WIDTH, HEIGHT] = [480, 200]; // of the bars

export class ResponseNorm extends HTMLElement {
  connectedCallback() {
    const { size, alpha, beta, k, pixels } = this.dataset;
    this.norm = { size: Number(size), alpha: Number(alpha), beta: Number(beta), k: Number(k) };
    this.paper = { ...this.norm };
    this.factor = 1;
    this.asked = false;
    this.place = /** @type {[number, number] | null} */ (null);
    this.eight = [...EIGHT];
    this.row();
    dial(this, "alpha", (power) => {
      this.norm.alpha = Number((10 ** power).toPrecision(1));
      this.bars();
      return fine(this.norm.alpha);
    });
    dial(this, "size", (n) => {
      this.norm.size = n;
      this.bars();
    });
    const seg = this.querySelector("fieldset");
    if (seg) {
      onRadio(seg, (value) => {
        this.factor = value ? Number(pixels) : 1;
        this.bars();
      });
    }
    if (this.dataset.photo) onReveal(this, () => this.asked || this.fetch());
  }

  row() {
    const cells = this.eight.map((value, i) => {
      const changed = (/** @type {number} */ v) => {
        this.eight[i] = v;
        this.normed();
      };
      const field = entry({ label: SAY.neighbour(i), value, most: 999, changed });
      return el("div", { class: "cell" }, field, el("b", {}, el("span", { class: "secret" })));
    });
    this.querySelector(".eight").replaceChildren(...cells);
    this.normed();
  }

  normed() {
    const b = localResponseNorm({ a: this.eight, ...this.paper });
    this.querySelectorAll(".eight .secret").forEach((one, i) => (one.textContent = num(b[i])));
  }

  fetch() {
    this.asked = true;
    present(this.querySelector(".working"), this.dataset.photo, (found) => {
      this.layer = found.seen.layers.find(({ name }) => name === "conv1");
      drawPhoto(this.querySelector("canvas"), found);
      this.begin(found.seen.inputSize);
    });
  }

  /** @param {number} input side of the network's input, in pixels */
  begin(input) {
    const sheet = /** @type {HTMLElement} */ (this.querySelector(".sheet"));
    const [, rows, columns] = this.layer.shape;
    const { receptiveField, jump, start } = this.layer;
    const go = (/** @type {number} */ row, /** @type {number} */ column) => {
      this.place = /** @type {[number, number]} */ ([row, column]);
      lay(sheet, (start + column * jump) / input, (start + row * jump) / input, receptiveField / input);
      this.bars();
    };
    places(sheet, () => this.place, [rows, columns], go);
    go(...this.loudest());
  }

  /** Where the sum of all squares is largest. @returns {[number, number]} */
  loudest() {
    const [, rows, columns] = this.layer.shape;
    let [best, most] = [0, -1];
    for (let at = 0; at < rows * columns; at++) {
      const power = this.answers(Math.floor(at / columns), at % columns).reduce((sum, a) => sum + a * a, 0);
      if (power > most) [best, most] = [at, power];
    }
    return [Math.floor(best / columns), best % columns];
  }

  /** What all kernels answer at a place. @param {number} row @param {number} column */
  answers(row, column) {
    return Array.from({ length: this.layer.shape[0] }, (_, c) => valueAt(this.layer, c, row, column));
  }

  bars() {
    if (!this.place) return;
    const a = this.answers(this.place[0], this.place[1]).map((v) => v * this.factor);
    const b = localResponseNorm({ a, ...this.norm });
    const most = Math.max(...a);
    const wide = WIDTH / a.length;
    const bar = (/** @type {string} */ name, /** @type {number} */ v, /** @type {number} */ i) => {
      const height = most && (HEIGHT * v) / most;
      return svg("rect", { class: name, x: i * wide, y: HEIGHT - height, width: 0.8 * wide, height });
    };
    const bars = [...a.map((v, i) => bar("before", v, i)), ...b.map((v, i) => bar("after", v, i))];
    this.querySelector(".bars").replaceChildren(...bars);
    this.tell(a, b);
  }

  /** @param {number[]} a @param {number[]} b */
  tell(a, b) {
    const shares = a.flatMap((v, i) => (v > 0 ? [v / b[i]] : []));
    const top = a.indexOf(Math.max(...a));
    const words = `${SAY.loudest(top, a[top], b[top])} ${SAY.divided(Math.min(...shares), Math.max(...shares))}`;
    this.querySelector(".spot .note").textContent = shares.length ? words : SAY.silentPlace;
  }
}
