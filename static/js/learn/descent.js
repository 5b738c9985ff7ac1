/** Two weights on their way down a valley, by the paper's update rule. */

import { el, find, svg } from "../dom.js";
import { dial } from "./entry.js";
import { bowl, descend } from "./numbers.js";
import { Player } from "./play.js";
import { paint } from "./sheet.js";
import { inSight } from "./sight.js";
import { num, SAY } from "./strings.js";

const VALLEY = { w: [-6, -1.5], curvature: [1, 20], centre: [3, 1] };
const STEPS = 60;
const [LEFT, WIDTH, TOP, HEIGHT] = [-8, 16, 4, 8]; // of the picture, in weights; 20 pixels for one

const at = (/** @type {number[]} */ [x, y]) => [(320 * (x - LEFT)) / WIDTH, (160 * (TOP - y)) / HEIGHT];
const inside = (/** @type {number[]} */ [x, y]) => Math.abs(x) < 9 && Math.abs(y) < 5;

export class Descent extends HTMLElement {
  /** @type {import("./numbers.js").UpdateRule} */
  rule = { momentum: 0, decay: 0, rate: 0 };

  step = 0;

  connectedCallback() {
    this.surface();
    const choose = (
      /** @type {"decay" | "rate"} */ name,
      /** @type {number} */ power,
      /** @type {number} */ digits,
    ) => {
      this.rule[name] = Number((10 ** power).toPrecision(digits));
      this.update();
      return num(this.rule[name], 5);
    };
    dial(this, "momentum", (value) => {
      this.rule.momentum = value;
      this.update();
      return num(value);
    });
    dial(this, "decay", (power) => choose("decay", power, 1));
    dial(this, "rate", (power) => choose("rate", power, 2));
    const steps = dial(this, "step", (k) => {
      this.step = k;
      this.update();
    });
    this.play(steps);
  }

  /** @param {HTMLInputElement} steps the slider, which playing moves */
  play(steps) {
    const go = (/** @type {number} */ k) => {
      steps.value = String(k);
      steps.dispatchEvent(new Event("input"));
    };
    const tick = () => {
      go(this.step + 1);
      return this.step < STEPS;
    };
    const button = find(this, "[data-do]", HTMLButtonElement);
    button.addEventListener("click", () => this.step === STEPS && go(0));
    const player = new Player(button, find(this, ".size"), { tick, finish: () => go(STEPS) });
    inSight(this, () => player.play(), "-20%");
  }

  surface() {
    const canvas = find(this, "canvas", HTMLCanvasElement);
    const { width, height } = canvas;
    const loss = (/** @type {number} */ row, /** @type {number} */ column) =>
      bowl({ ...VALLEY, w: [LEFT + (WIDTH * column) / width, TOP - (HEIGHT * row) / height] }).loss;
    const rows = Array.from({ length: height }, (_, r) => Array.from({ length: width }, (_, c) => loss(r, c)));
    paint(
      canvas,
      rows.map((row) => row.map((v) => Math.round(6 * Math.log1p(v)))),
    ); // steps, so that it has contours
  }

  update() {
    const path = descend({ ...VALLEY, ...this.rule, steps: STEPS });
    const plain = descend({ ...VALLEY, ...this.rule, momentum: 0, steps: STEPS });
    find(this, "svg", SVGSVGElement).replaceChildren(...this.trace(plain, "plain"), ...this.trace(path, "path"));
    this.describe(path, plain);
  }

  /** @param {number[][]} path @param {string} name */
  trace(path, name) {
    const gone = path.findIndex((w) => !inside(w));
    const shown = path.slice(0, Math.min(this.step, gone < 0 ? STEPS : gone) + 1);
    const [x, y] = at(shown[shown.length - 1]);
    const points = shown.map((w) => at(w).map((v) => v.toFixed(1)));
    const d = `M${points.join("L")}`;
    const dot = svg("circle", { class: name, cx: x, cy: y, r: 4 });
    return [svg("path", { class: `${name} under`, d }), svg("path", { class: name, d }), dot];
  }

  /** @param {number[][]} path @param {number[][]} plain */
  describe(path, plain) {
    const { step: k, rule } = this;
    const loss = (/** @type {number[][]} */ way) => SAY.height(bowl({ ...VALLEY, w: way[k] }).loss);
    const lines = [`${SAY.with(rule.momentum)}: ${loss(path)}. ${SAY.without}: ${loss(plain)}.`];
    const sum = k ? this.sum(path, k) : [SAY.resting];
    find(this, ".size").replaceChildren(el("p", {}, ...sum), el("p", {}, ...lines));
  }

  /** How the first weight's k-th step came about. @param {number[][]} path @param {number} k */
  sum(path, k) {
    const [w, next] = [path[k - 1], path[k]];
    const v = k > 1 ? w[0] - path[k - 2][0] : 0;
    const gradient = bowl({ ...VALLEY, w }).gradient[0];
    const sum = SAY.update({ ...this.rule, v, w: w[0], gradient });
    const moved = el("span", {}, "= ", el("b", {}, num(next[0] - w[0], 4)));
    return [el("span", {}, el("i", {}, "v"), ` = ${sum}`), " ", moved];
  }
}
