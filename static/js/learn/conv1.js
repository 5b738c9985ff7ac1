/** Kernels of the network's first layer, computed here and set beside the map that the network itself made. */

import { valueAt } from "../activations.js";
import { context2d, el, find, findAll, onRadio } from "../dom.js";
import { drawPhoto, present } from "./network.js";
import { correlateVolume, relu } from "./numbers.js";
import { lay, paint, places } from "./sheet.js";
import { inSight } from "./sight.js";
import { num, SAY } from "./strings.js";

/**
 * @typedef {import("./numbers.js").Volume} Volume
 * @typedef {{ number: number, weights: Volume, bias: number }} Kernel number: from 1
 */

/** How far the two maps may be apart, as a share of the largest number. */
const TOLERANCE = 0.005;

export class Conv1 extends HTMLElement {
  /** @type {Kernel[]} */
  kernels = [];

  /** The chosen one. @type {Kernel} */
  kernel = { number: 1, weights: [], bias: 0 };

  /** The photo as the network reads it, once it is here. @type {Volume} */
  x = [];

  /** The network's own conv1 of that photo. @type {import("../activations.js").Layer | undefined} */
  layer;

  /** The chosen kernel's map, computed here. @type {number[][]} */
  computed = [];

  /** The same map from the network. @type {number[][]} */
  expected = [];

  /** Row and column that are looked at. @type {[number, number]} */
  place = [0, 0];

  /** @type {HTMLElement[]} */
  sheets = [];

  mean = [0, 0, 0];
  scale = 1;
  side = 0;
  window = { stride: 1, padding: 0 };

  connectedCallback() {
    const { kernels = "[]", mean = "", scale, stride, padding, size } = this.dataset;
    this.kernels = JSON.parse(kernels);
    this.mean = mean.split(",").map(Number);
    this.scale = Number(scale);
    this.window = { stride: Number(stride), padding: Number(padding) };
    this.side = Number(size);
    this.sheets = findAll(this, ".sheet");
    this.kernel = this.kernels[0];
    this.drawKernel();
    onRadio(find(this, "fieldset"), (i) => {
      this.kernel = this.kernels[Number(i)];
      this.drawKernel();
      if (this.layer) this.compute(this.layer);
    });
    inSight(this, () => this.fetch());
  }

  /** @param {number} i */
  canvas(i) {
    return find(this.sheets[i], "canvas", HTMLCanvasElement);
  }

  /** In colour, from its least to its most weight. */
  drawKernel() {
    const all = this.kernel.weights.flat(2);
    const [least, most] = [Math.min(...all), Math.max(...all)];
    const n = this.kernel.weights[0].length;
    const pixels = new ImageData(n, n);
    for (let at = 0; at < n * n; at++) {
      const colours = this.kernel.weights.map(
        (plane) => (255 * (plane[Math.floor(at / n)][at % n] - least)) / (most - least),
      );
      pixels.data.set([...colours, 255], 4 * at);
    }
    context2d(this.canvas(1)).putImageData(pixels, 0, 0);
  }

  fetch() {
    present(find(this, ".size"), this.dataset.photo ?? "", (look) => {
      const layer = look.activations.layers.find(({ name }) => name === "conv1");
      if (!layer) throw new RangeError("a network without conv1");
      drawPhoto(this.canvas(0), look);
      this.x = this.read();
      this.layer = layer;
      const [, rows, columns] = layer.shape;
      for (const sheet of [this.sheets[0], ...this.sheets.slice(2)]) {
        places(
          sheet,
          () => this.place,
          [rows, columns],
          (row, column) => this.move(row, column),
        );
      }
      this.compute(layer);
    });
  }

  /** The photo as the network reads it: three planes. @returns {Volume} */
  read() {
    const { data } = context2d(this.canvas(0)).getImageData(0, 0, this.side, this.side);
    const value = (/** @type {number} */ d, /** @type {number} */ at) => (data[4 * at + d] - this.mean[d]) * this.scale;
    const line = (/** @type {number} */ d, /** @type {number} */ r) =>
      Array.from({ length: this.side }, (_, c) => value(d, r * this.side + c));
    return this.mean.map((_, d) => Array.from({ length: this.side }, (_, r) => line(d, r)));
  }

  /** @param {import("../activations.js").Layer} layer */
  compute(layer) {
    const { number, weights, bias } = this.kernel;
    const z = correlateVolume({ x: this.x, w: weights, bias, ...this.window });
    this.computed = z.map((x) => relu({ x }));
    this.expected = this.computed.map((row, r) => row.map((_, c) => valueAt(layer, number - 1, r, c)));
    paint(this.canvas(2), this.computed);
    paint(this.canvas(3), this.expected);
    const all = this.computed.flat();
    const [top, across] = [all.indexOf(Math.max(...all)), this.computed[0].length];
    const apart = this.expected.flat().map((v, i) => Math.abs(v - all[i]));
    const expected = TOLERANCE * Math.max(...this.expected.flat());
    find(this, ".agreement").textContent = SAY.agreement(Math.max(...apart), expected, 100 * TOLERANCE);
    this.move(Math.floor(top / across), top % across);
  }

  /** @param {number} row @param {number} column */
  move(row, column) {
    if (!this.layer) return;
    this.place = [row, column];
    const { start, jump, receptiveField } = this.layer;
    lay(
      this.sheets[0],
      (start + column * jump) / this.side,
      (start + row * jump) / this.side,
      receptiveField / this.side,
    );
    const n = this.computed.length;
    for (const sheet of this.sheets.slice(2)) lay(sheet, column / n, row / n, 1 / n);
    const sum = `${SAY.planesSum(this.sums(row, column), this.kernel.bias)} = ${num(this.sum(row, column))}`;
    const both = SAY.both(row, column, this.computed[row][column], this.expected[row][column]);
    find(this, ".size").replaceChildren(el("p", {}, both), el("p", { class: "note" }, sum));
  }

  /** What each colour adds to the sum at a place. @param {number} row @param {number} column */
  sums(row, column) {
    const { stride, padding } = this.window;
    const [top, left] = [row * stride - padding, column * stride - padding];
    return this.kernel.weights.map((plane, d) =>
      plane.reduce(
        (sum, line, i) => sum + line.reduce((of, w, j) => of + w * (this.x[d][top + i]?.[left + j] ?? 0), 0),
        0,
      ),
    );
  }

  /** @param {number} row @param {number} column */
  sum(row, column) {
    return this.sums(row, column).reduce((all, one) => all + one, this.kernel.bias);
  }
}
