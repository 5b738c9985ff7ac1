/** Kernels of the network's first layer, computed here and set beside what the network itself says. */

import { valueAt } from "../activations.js";
import { onRadio } from "../dom.js";
import { onReveal } from "./guess.js";
import { drawPhoto, present } from "./network.js";
import { correlateVolume, relu } from "./numbers.js";
import { lay, paint, places } from "./sheet.js";
import { SAY } from "./strings.js";

export class Conv1 extends HTMLElement {
  connectedCallback() {
    const { kernels, mean, scale, stride, padding, size } = this.dataset;
    this.kernels = JSON.parse(kernels);
    this.mean = mean.split(",").map(Number);
    this.scale = Number(scale);
    this.window = { stride: Number(stride), padding: Number(padding) };
    this.side = Number(size);
    this.place = /** @type {[number, number]} */ ([0, 0]);
    this.sheets = /** @type {HTMLElement[]} */ ([...this.querySelectorAll(".sheet")]);
    this.kernel = this.kernels[0];
    this.asked = false;
    this.drawKernel();
    onRadio(this.querySelector("fieldset"), (i) => {
      this.kernel = this.kernels[Number(i)];
      this.drawKernel();
      if (this.x) this.compute();
    });
    onReveal(this, () => this.asked || this.fetch());
  }

  /** @param {number} i @returns {HTMLCanvasElement} */
  canvas(i) {
    return this.sheets[i].querySelector("canvas");
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
    this.canvas(1).getContext("2d").putImageData(pixels, 0, 0);
  }

  fetch() {
    this.asked = true;
    present(this.querySelector(".size"), this.dataset.photo, (found) => {
      drawPhoto(this.canvas(0), found);
      this.x = this.read();
      this.layer = found.seen.layers.find(({ name }) => name === "conv1");
      const [, rows, columns] = this.layer.shape;
      places(
        this.sheets[0],
        () => this.place,
        [rows, columns],
        (row, column) => this.move(row, column),
      );
      this.compute();
    });
  }

  /** The photo as the network reads it: three planes. @returns {number[][][]} */
  read() {
    const { data } = this.canvas(0).getContext("2d").getImageData(0, 0, this.side, this.side);
    const value = (/** @type {number} */ d, /** @type {number} */ at) => (data[4 * at + d] - this.mean[d]) * this.scale;
    const line = (/** @type {number} */ d, /** @type {number} */ r) =>
      Array.from({ length: this.side }, (_, c) => value(d, r * this.side + c));
    return this.mean.map((_, d) => Array.from({ length: this.side }, (_, r) => line(d, r)));
  }

  compute() {
    const { number, weights, bias } = this.kernel;
    const z = correlateVolume({ x: this.x, w: weights, bias, ...this.window });
    this.map = z.map((x) => relu({ x }));
    this.said = this.map.map((row, r) => row.map((_, c) => valueAt(this.layer, number - 1, r, c)));
    paint(this.canvas(2), this.map);
    paint(this.canvas(3), this.said);
    const [top, across] = [this.map.flat().indexOf(Math.max(...this.map.flat())), this.map[0].length];
    this.move(Math.floor(top / across), top % across);
  }

  /** @param {number} row @param {number} column */
  move(row, column) {
    this.place = /** @type {[number, number]} */ ([row, column]);
    const { start, jump, receptiveField } = this.layer;
    lay(
      this.sheets[0],
      (start + column * jump) / this.side,
      (start + row * jump) / this.side,
      receptiveField / this.side,
    );
    const n = this.map.length;
    for (const sheet of this.sheets.slice(2)) lay(sheet, column / n, row / n, 1 / n);
    this.querySelector(".size").textContent = SAY.both(row, column, this.map[row][column], this.said[row][column]);
  }
}
