/** A row of numbers, a filter as a pane of glass laid over it, and the sums that come out. */

import { el, find, findAll, onRadio, press } from "../dom.js";
import { dial, entry } from "./entry.js";
import { convolve1d, correlate1d, flip, outputSize, pad } from "./numbers.js";
import { num, SAY } from "./strings.js";

/** @param {string} name @param {number} i */
const sign = (name, i) => [el("i", {}, name), el("sub", {}, String(i + 1))];

export class Strip extends HTMLElement {
  /** @type {number[]} */
  x = [];

  /** @type {number[]} */
  w = [];

  padding = 0;
  stride = 1;

  /** Whether the filter is turned round. */
  turned = false;

  /** The stop at which the filter lies. */
  chosen = 0;

  connectedCallback() {
    const { x = "", w = "", padding, stride } = this.dataset;
    this.x = x.split(",").map(Number);
    this.w = w.split(",").map(Number);
    this.padding = Number(padding);
    this.stride = Number(stride);
    for (const { name } of findAll(this, 'input[type="range"]', HTMLInputElement)) {
      dial(this, name, (value) => {
        this[name === "padding" ? "padding" : "stride"] = value;
        this.build();
      });
    }
    for (const group of findAll(this, "fieldset")) {
      onRadio(group, (value) => {
        this.turned = value === "turned";
        this.build();
      });
    }
    this.build();
  }

  /** The weights in the order in which they lie over the input. */
  get laid() {
    return this.turned ? flip({ w: this.w }) : this.w;
  }

  /** The number of the weight that lies there. @param {number} i */
  under(i) {
    return this.turned ? this.w.length - 1 - i : i;
  }

  /** The inputs under the filter at a stop. @param {number} k */
  covered(k) {
    return pad(this).slice(k * this.stride, k * this.stride + this.w.length);
  }

  build() {
    const count = outputSize({ size: this.x.length, kernel: this.w.length, ...this.window });
    this.chosen = Math.min(this.chosen, count - 1);
    const lane = find(this, ".lane");
    lane.style.setProperty("--n", String(this.x.length + 2 * this.padding));
    lane.style.setProperty("--f", String(this.w.length));
    const pane = el("div", { class: "pane" }, ...this.w.map((_, i) => this.weight(i)));
    lane.replaceChildren(...this.inputs(), pane, ...Array.from({ length: count }, (_, k) => this.stop(k)));
    for (const math of this.querySelectorAll("[data-when]")) {
      math.toggleAttribute("hidden", (math.getAttribute("data-when") === "turned") !== this.turned);
    }
    this.update();
  }

  get window() {
    return { padding: this.padding, stride: this.stride };
  }

  inputs() {
    return pad(this).map((value, at) => {
      const i = at - this.padding;
      const real = i >= 0 && i < this.x.length;
      const name = el("small", {}, ...(real ? sign("x", i) : ["\u00a0"]));
      const number = real ? this.field("x", this.x, i) : el("b", {}, num(value));
      const cell = el("div", { class: real ? "cell" : "cell zero" }, name, number);
      cell.style.setProperty("--at", String(2 * at + 1));
      return cell;
    });
  }

  /** @param {string} name @param {number[]} list @param {number} i */
  field(name, list, i) {
    const changed = (/** @type {number} */ value) => {
      list[i] = value;
      this.update();
    };
    return entry({ label: SAY.named(name, i), value: list[i], changed });
  }

  /** @param {number} i place under the pane */
  weight(i) {
    const w = this.under(i);
    const name = el("small", {}, ...sign("w", w));
    return el("div", { class: "cell" }, this.field("w", this.w, w), name, el("span", { class: "product" }));
  }

  /** @param {number} k */
  stop(k) {
    const name = el("span", { class: "hide" }, SAY.named("z", k));
    const button = el("button", { type: "button", "aria-pressed": "false" }, name, el("span"));
    button.addEventListener("click", () => {
      this.chosen = k;
      this.update();
    });
    const cell = el("div", { class: "cell out" }, button, el("small", {}, ...sign("z", k)));
    cell.style.setProperty("--at", String(2 * k * this.stride + this.w.length));
    return cell;
  }

  update() {
    const z = (this.turned ? convolve1d : correlate1d)({ x: this.x, w: this.w, ...this.window });
    press(find(this, ".lane"), findAll(this, ".out button")[this.chosen]);
    findAll(this, ".out button > span:last-child").forEach((sum, k) => {
      sum.textContent = num(z[k]);
    });
    find(this, ".pane").style.setProperty("--k", String(this.chosen * this.stride));
    const covered = this.covered(this.chosen);
    findAll(this, ".product").forEach((product, i) => {
      product.textContent = SAY.product(this.laid[i], covered[i]);
    });
    find(this, ".eqs").replaceChildren(...z.map((sum, k) => this.equation(k, sum)));
    for (const size of findAll(this, ".size")) size.replaceChildren(...this.sizes(z.length));
  }

  /** The product at place i of a stop, in letters. @param {number} k @param {number} i */
  letters(k, i) {
    const x = k * this.stride + i - this.padding;
    return [i ? " + " : "", ...sign("w", this.under(i)), ...(x in this.x ? sign("x", x) : [" · 0"])];
  }

  /** @param {number} k @param {number} z */
  equation(k, z) {
    const letters = this.w.flatMap((_, i) => this.letters(k, i));
    return el(
      "p",
      { class: k === this.chosen ? "on" : "" },
      el("span", {}, ...sign("z", k), " = ", ...letters),
      " ",
      el("span", {}, `= ${SAY.sum(this.laid, this.covered(k))}`),
      " ",
      el("span", {}, "= ", el("b", {}, num(z))),
    );
  }

  /** @param {number} count */
  sizes(count) {
    const m = (/** @type {string} */ of) => [el("i", {}, "M"), el("sub", {}, of)];
    const [p, s] = [el("i", {}, "p"), el("i", {}, "s")];
    const letters = el("span", {}, ...m("z"), " = ⌊(", ...m("x"), " + 2", p, " − ", ...m("F"), ") / ", s, "⌋ + 1");
    const worked = SAY.size({ size: this.x.length, kernel: this.w.length, ...this.window });
    return [letters, " ", el("span", {}, worked), " ", el("span", {}, "= ", el("b", {}, String(count)))];
  }
}
