/** Local response normalisation: on eight numbers, and on all kernels of conv1 at one place of a photo. */

import { valueAt } from "../activations.js";
import { el, find, findAll, onRadio, svg } from "../dom.js";
import { dial, entry } from "./entry.js";
import { drawPhoto, present } from "./network.js";
import { localResponseNorm } from "./numbers.js";
import { lay, places } from "./sheet.js";
import { inSight } from "./sight.js";
import { fine, num, SAY } from "./strings.js";

const EIGHT = [0, 3, 3, 100, 3, 3, 0, 3];
const [WIDTH, HEIGHT] = [480, 200]; // of the bars

/** @typedef {import("../activations.js").Layer} Layer */

export class ResponseNorm extends HTMLElement {
  /** The constants that the sliders set. */
  norm = { size: 0, alpha: 0, beta: 0, k: 0 };

  /** Those of the paper. */
  paper = this.norm;

  /** What the network's answers are multiplied with. */
  factor = 1;

  eight = [...EIGHT];

  /** The network's own conv1 of the photo. @type {Layer | null} */
  layer = null;

  /** Row and column that are looked at. @type {[number, number]} */
  place = [0, 0];

  connectedCallback() {
    const { size, alpha, beta, k, pixels } = this.dataset;
    this.norm = { size: Number(size), alpha: Number(alpha), beta: Number(beta), k: Number(k) };
    this.paper = { ...this.norm };
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
    for (const group of findAll(this, "fieldset")) {
      onRadio(group, (value) => {
        this.factor = value ? Number(pixels) : 1;
        this.bars();
      });
    }
    const { photo } = this.dataset;
    if (photo) inSight(this, () => this.fetch(photo));
  }

  row() {
    const cells = this.eight.map((value, i) => {
      const changed = (/** @type {number} */ v) => {
        this.eight[i] = v;
        this.normed();
      };
      const field = entry({ label: SAY.neighbour(i), value, most: 999, changed });
      return el("div", { class: "cell" }, field, el("b"));
    });
    find(this, ".eight").replaceChildren(...cells);
    this.normed();
  }

  normed() {
    const b = localResponseNorm({ a: this.eight, ...this.paper });
    findAll(this, ".eight b").forEach((result, i) => {
      result.textContent = num(b[i]);
    });
  }

  /** @param {string} photo of the gallery */
  fetch(photo) {
    present(find(this, ".working"), photo, (look) => {
      const layer = look.activations.layers.find(({ name }) => name === "conv1");
      if (!layer) throw new RangeError("a network without conv1");
      drawPhoto(find(this, "canvas", HTMLCanvasElement), look);
      this.begin(layer, look.activations.inputSize);
    });
  }

  /** @param {Layer} layer @param {number} input side of the network's input, in pixels */
  begin(layer, input) {
    this.layer = layer;
    const sheet = find(this, ".sheet");
    const [, rows, columns] = layer.shape;
    const { receptiveField, jump, start } = layer;
    const go = (/** @type {number} */ row, /** @type {number} */ column) => {
      this.place = [row, column];
      lay(sheet, (start + column * jump) / input, (start + row * jump) / input, receptiveField / input);
      this.bars();
    };
    places(sheet, () => this.place, [rows, columns], go);
    go(...strongestPlace(layer));
  }

  /** What all kernels answer at the place that is looked at. */
  get answers() {
    return this.layer ? answersAt(this.layer, ...this.place) : [];
  }

  bars() {
    if (!this.layer) return;
    const a = this.answers.map((v) => v * this.factor);
    const b = localResponseNorm({ a, ...this.norm });
    const most = Math.max(...a);
    const wide = WIDTH / a.length;
    const bar = (/** @type {string} */ name, /** @type {number} */ v, /** @type {number} */ i) => {
      const height = most && (HEIGHT * v) / most;
      return svg("rect", { class: name, x: i * wide, y: HEIGHT - height, width: 0.8 * wide, height });
    };
    const bars = [...a.map((v, i) => bar("before", v, i)), ...b.map((v, i) => bar("after", v, i))];
    find(this, ".bars", SVGSVGElement).replaceChildren(...bars);
    this.describe(a, b);
  }

  /** @param {number[]} a @param {number[]} b */
  describe(a, b) {
    const shares = a.flatMap((v, i) => (v > 0 ? [v / b[i]] : []));
    const top = a.indexOf(Math.max(...a));
    const words = `${SAY.strongest(top, a[top], b[top])} ${SAY.divided(Math.min(...shares), Math.max(...shares))}`;
    find(this, ".spot .note").textContent = shares.length ? words : SAY.nothingHere;
  }
}

/**
 * What all kernels of a layer answer at a place.
 * @param {Layer} layer
 * @param {number} row
 * @param {number} column
 */
const answersAt = (layer, row, column) =>
  Array.from({ length: layer.shape[0] }, (_, channel) => valueAt(layer, channel, row, column));

/** Row and column where the sum of all squares is largest. @param {Layer} layer @returns {[number, number]} */
function strongestPlace(layer) {
  const [, rows, columns] = layer.shape;
  let [best, most] = [0, -1];
  for (let at = 0; at < rows * columns; at++) {
    const power = answersAt(layer, Math.floor(at / columns), at % columns).reduce((sum, a) => sum + a * a, 0);
    if (power > most) [best, most] = [at, power];
  }
  return [Math.floor(best / columns), best % columns];
}
