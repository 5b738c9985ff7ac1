/** One map under the glass: enlarged, with the cell that is chosen, and beside it how the number in that cell came about. */

import { isFlat, peak, valueAt } from "../activations.js";
import { el, find, outline, svg } from "../dom.js";
import { PALETTES } from "../palettes.js";
import * as sheet from "../sheet.js";
import { BRIGHT, grid } from "./heat.js";
import { ledger, nameOf, rest, scales, windows } from "./ledger.js";
import { linkMaps, linkNumbers, readingOf } from "./links.js";
import { Slider } from "./slider.js";
import { sigmoidOf, softmaxOf } from "./softmax.js";
import { PHOTO } from "./source.js";
import { brief, SAY } from "./strings.js";

/**
 * @typedef {import("./source.js").Source} Source
 * @typedef {import("./source.js").Cell} Cell
 * @typedef {import("../activations.js").Layer} Layer
 */

const STEPS = /** @type {Record<string, [number, number]>} */ ({
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
});
const WRITTEN = 8; // cells on a side, up to which numbers fit on the map
const STYLE = { palette: PALETTES.cividis, scale: "channel" };

export class Bench {
  /** @type {Source | null} */
  source = null;
  /** @type {Layer | undefined} */
  layer;
  name = "";
  channel = 0;
  /** Which number is looked at. @type {{ row: number, column: number } | null} */
  cell = null;
  /** How it came about, once that is known. @type {Cell | null} */
  sum = null;
  term = 0;
  asked = new AbortController();
  moved = () => {};

  /** @param {() => void} closed */
  constructor(closed) {
    const close = el("button", { type: "button", class: "btn" }, SAY.close);
    close.addEventListener("click", closed);
    this.heading = el("h3", { id: "bench-h" });
    this.canvas = el("canvas", { class: "px", "aria-hidden": "true" });
    this.mark = svg("svg", { "aria-hidden": "true" });
    this.map = el("div", { class: "map", tabindex: 0, role: "group", "aria-label": SAY.map }, this.canvas, this.mark);
    this.note = el("p", { class: "note", "aria-live": "polite" });
    const next = el("button", { type: "button", class: "btn" }, SAY.step);
    const slide = el("button", { type: "button", class: "btn" }, SAY.slide);
    this.slider = new Slider(slide, () => this.next());
    next.addEventListener("click", () => this.next());
    this.side = el(
      "div",
      { class: "bench-map" },
      this.map,
      this.note,
      el("p", { class: "note" }, SAY.chooseCell),
      el("div", { class: "acts" }, next, slide),
    );
    this.out = el("div", { class: "bench-sum" });
    this.root = el(
      "section",
      { class: "bench", "aria-labelledby": "bench-h", tabindex: -1, hidden: true },
      el("header", {}, this.heading, close),
      this.side,
      this.out,
    );
    this.root.addEventListener("keydown", (event) => event.key === "Escape" && closed());
    this.listen();
  }

  listen() {
    const point = (/** @type {PointerEvent} */ event) => {
      if (event.type === "pointermove" && !event.buttons) return;
      const box = this.map.getBoundingClientRect();
      const [, rows, columns] = this.layer?.shape ?? [1, 1, 1];
      const row = Math.floor(((event.clientY - box.top) / box.height) * rows);
      this.go(row, Math.floor(((event.clientX - box.left) / box.width) * columns));
    };
    this.map.addEventListener("pointerdown", point);
    this.map.addEventListener("pointermove", point);
    this.map.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (!step || !this.cell) return;
      event.preventDefault();
      this.go(this.cell.row + step[0], this.cell.column + step[1]);
    });
    this.out.addEventListener("click", ({ target }) => this.pick(target));
    this.out.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (!step || !(event.target instanceof HTMLElement) || !event.target.dataset.term) return;
      event.preventDefault();
      const all = [...this.out.querySelectorAll("button[data-term]")];
      this.pick(all[Math.max(0, Math.min(all.length - 1, this.term + step[0] + step[1]))]);
    });
  }

  /**
   * @param {Source} source
   * @param {string} name
   * @param {number} channel
   * @param {() => void} moved called when another cell is chosen
   */
  open(source, name, channel, moved) {
    Object.assign(this, { source, name, channel, moved, term: 0, sum: null });
    this.slider.stop();
    this.layer = source.activations.layers.find((layer) => layer.name === name);
    const { label, layers } = source.connections;
    const isLast = layers[layers.length - 1].name === name;
    this.heading.textContent = isLast ? SAY.headingOf(name, label.label) : SAY.heading(name, channel);
    const flat = !this.layer || isFlat(this.layer);
    this.root.classList.toggle("flat", flat);
    this.side.hidden = flat;
    this.root.hidden = false;
    this.out.replaceChildren(el("p", { class: "quiet" }, SAY.counting));
    if (this.layer && !flat) {
      sheet.draw(this.canvas, this.layer, STYLE, { order: [channel], perRow: 1 });
      this.cell = peak(this.layer, channel);
      this.point();
    } else this.cell = { row: 0, column: 0 };
    this.ask();
  }

  /** Go to the map, or to the sums where there is none. */
  reach() {
    this.root.scrollIntoView({ block: "start" });
    (this.side.hidden ? this.root : this.map).focus({ preventScroll: true });
  }

  close() {
    this.slider.stop();
    this.asked.abort();
    this.cell = null;
    this.root.hidden = true;
  }

  /** @param {number} row @param {number} column */
  go(row, column) {
    if (!this.layer || !this.cell) return Promise.resolve();
    const [, rows, columns] = this.layer.shape;
    const clip = (/** @type {number} */ v, /** @type {number} */ n) => Math.max(0, Math.min(n - 1, v));
    const to = { row: clip(row, rows), column: clip(column, columns) };
    if (to.row === this.cell.row && to.column === this.cell.column) return Promise.resolve();
    this.cell = to;
    this.point();
    this.moved();
    return this.ask();
  }

  /** One cell further, as a kernel slides: to the right, then the next row. */
  next() {
    if (!this.layer || !this.cell) return Promise.resolve();
    const [, rows, columns] = this.layer.shape;
    const at = (this.cell.row * columns + this.cell.column + 1) % (rows * columns);
    return this.go(Math.floor(at / columns), at % columns);
  }

  /** Mark the chosen cell. */
  point() {
    if (!this.layer || !this.cell) return;
    const [, rows, columns] = this.layer.shape;
    const { row, column } = this.cell;
    this.mark.setAttribute("viewBox", `0 0 ${columns} ${rows}`);
    const line = columns / 150;
    this.mark.replaceChildren(...this.numbers(), ...outline("rect", { x: column, y: row, width: 1, height: 1 }, line));
    this.note.textContent = SAY.chosenCell(row, column, valueAt(this.layer, this.channel, row, column));
  }

  /** Where the cells are large enough, their numbers are written on them. */
  numbers() {
    const { layer, channel } = this;
    if (!layer || layer.shape[2] > WRITTEN) return [];
    const [, rows, columns] = layer.shape;
    return Array.from({ length: rows * columns }, (_, i) => {
      const [row, column] = [Math.floor(i / columns), i % columns];
      const value = valueAt(layer, channel, row, column);
      const name = value > BRIGHT * layer.maxima[channel] ? "bright" : false;
      return svg("text", { x: column + 0.5, y: row + 0.5, "font-size": 0.4, class: name }, brief(value));
    });
  }

  /** Ask how the number came about; the sum before stays until this one is there. */
  async ask() {
    if (!this.source || !this.cell) return;
    this.asked.abort();
    this.asked = new AbortController();
    const { signal } = this.asked;
    try {
      const sum = await this.source.cell({ layer: this.name, channel: this.channel, ...this.cell }, signal);
      if (signal.aborted) return;
      const before = this.sum && windows(this.sum)[this.term]?.channel;
      this.sum = sum;
      this.term = Math.max(
        0,
        windows(sum).findIndex(({ channel }) => channel === before),
      );
      this.write();
    } catch (error) {
      if (signal.aborted) return;
      this.slider.stop();
      this.out.replaceChildren(
        el("p", { class: "quiet", role: "alert" }, SAY.noSum(error instanceof Error ? error.message : "")),
      );
    }
  }

  write() {
    if (!this.sum || !this.source) return;
    const { softmax, sigmoid, operation } = this.sum;
    const parts = operation === "convolution" ? [this.stage(this.sum)] : [];
    const books = el("div", { class: "books" }, ledger(this.sum, this.term), rest(this.sum));
    const { label } = this.source.connections.label;
    if (softmax) books.append(softmaxOf(softmax, label));
    if (sigmoid) books.append(sigmoidOf(sigmoid, label));
    this.out.replaceChildren(...parts, books);
    if (this.layer && this.cell && operation === "convolution") {
      this.note.textContent = SAY.chosenCell(this.cell.row, this.cell.column, this.sum.value);
    }
    this.out.dataset.value = String(this.sum.value);
  }

  /** The chosen channel of the input with the kernel on it, and their numbers. @param {Cell} cell */
  stage(cell) {
    const term = windows(cell)[this.term];
    const colours = scales(cell);
    const name = nameOf(cell, term);
    const figure = (/** @type {string} */ words, /** @type {Node} */ what) =>
      el("figure", {}, what, el("figcaption", { class: "note" }, words));
    const sign = (/** @type {string} */ text) => el("span", { class: "stage-sign", "aria-hidden": "true" }, text);
    const words = el("p", { class: "sum-line" });
    const input = this.input(cell);
    const stage = el(
      "div",
      { class: "reads" },
      figure(name, input),
      figure(SAY.patch, grid(term.inputs, colours.inputs)),
      sign("×"),
      figure(SAY.kernel, grid(term.weights, colours.weights)),
      words,
    );
    linkNumbers(stage, term, words);
    linkMaps(this.map, input, () => this.reading());
    return stage;
  }

  /** How the windows of the layer lie on its input. */
  reading() {
    if (!this.sum || !this.layer || !this.source) return null;
    const before = this.source.activations.layers.find(({ name }) => name === this.sum?.input.layer);
    const [, rows, columns] = this.layer.shape;
    return readingOf(this.sum, [rows, columns], this.layer.jump / (before?.jump ?? 1));
  }

  /** @param {Cell} cell */
  input(cell) {
    const { input, window } = cell;
    const canvas = el("canvas", { "aria-hidden": "true", class: "px" });
    const layer = this.source?.activations.layers.find(({ name }) => name === input.layer);
    if (input.layer === PHOTO) this.source?.drawPhoto(canvas);
    else if (layer) sheet.draw(canvas, layer, STYLE, { order: [windows(cell)[this.term].channel], perRow: 1 });
    const [, rows, columns] = input.shape;
    const over = svg("svg", { viewBox: `0 0 ${columns} ${rows}`, "aria-hidden": "true" });
    const box = { x: window?.left ?? 0, y: window?.top ?? 0, width: window?.width ?? 1, height: window?.height ?? 1 };
    over.append(...outline("rect", box, columns / 100));
    return el("div", { class: "map" }, canvas, over);
  }

  /** Show the numbers of another channel. @param {EventTarget | null} target */
  pick(target) {
    const button = target instanceof Element && target.closest("button[data-term]");
    if (!(button instanceof HTMLElement)) return;
    this.term = Number(button.dataset.term);
    this.write();
    find(this.out, `[data-term="${this.term}"]`).focus({ preventScroll: true });
  }
}
