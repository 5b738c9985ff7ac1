/** The curves of one chart, drawn by uPlot, with a cursor at the chosen step; a press on it chooses another. */

import { el } from "../dom.js";
import { count, SAY } from "./strings.js";

/**
 * @typedef {{ name: string, steps: number[], curves: Record<string, (number | null)[]> }} Chart
 * @typedef {{ step: number, label: string, text: string }} Mark
 */

const HEIGHT = 230;
const DARK = matchMedia("(prefers-color-scheme: dark)");

/** What uPlot would listen to; the slider and a press of ours move its cursor instead. */
const EVENTS = ["mousedown", "mouseup", "click", "dblclick", "mousemove", "mouseleave", "mouseenter"];

/** The bundle is a classic script that leaves one name behind. */
const { uPlot } = window;

/** @param {string} name a custom property of the page */
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export class LearningCurve extends HTMLElement {
  #leave = new AbortController();

  /** @type {import("uplot") | undefined} */
  #plot;

  #step = 0;

  /** @type {{ chart: Chart, end: number, marks: Mark[] } | undefined} */
  #drawn;

  connectedCallback() {
    const watch = new ResizeObserver(() => this.#fit());
    watch.observe(this);
    this.#leave.signal.addEventListener("abort", () => watch.disconnect());
    DARK.addEventListener("change", () => this.#draw(), { signal: this.#leave.signal });
  }

  disconnectedCallback() {
    this.#leave.abort();
    this.#plot?.destroy();
  }

  /**
   * @param {Chart} chart
   * @param {number} end the last step
   * @param {Mark[]} marks what changed, by the step after which it did
   */
  show(chart, end, marks) {
    this.#drawn = { chart, end, marks };
    this.#draw();
  }

  /** Move the cursor. @param {number} step */
  point(step) {
    this.#step = step;
    this.#plot?.setCursor({ left: this.#plot.valToPos(step, "x"), top: 0 });
    this.dataset.step = String(step);
  }

  #draw() {
    if (!this.#drawn) return;
    const { chart, end } = this.#drawn;
    this.#plot?.destroy();
    const hooks = { draw: [() => this.#marks(), () => this.point(this.#step)] };
    const plot = new uPlot(
      { ...options(chart, end, this.clientWidth), hooks },
      [chart.steps, ...Object.values(chart.curves)],
      this,
    );
    this.#plot = plot;
    listen(plot.over, (left) => {
      this.dispatchEvent(new CustomEvent("seek", { detail: plot.posToVal(left, "x"), bubbles: true }));
    });
  }

  #fit() {
    if (!this.#plot || !this.clientWidth) return;
    this.#plot.setSize({ width: this.clientWidth, height: HEIGHT });
  }

  /** Vertical lines where something changed; words stand on those of the loss, whose chart is the widest. */
  #marks() {
    if (!this.#plot) return;
    const { over } = this.#plot;
    for (const old of over.querySelectorAll(".mark")) old.remove();
    if (this.#drawn?.chart.name !== "loss") return;
    for (const { step, label } of this.#drawn.marks) {
      const left = this.#plot.valToPos(step, "x");
      const mark = el("span", { class: left > over.clientWidth / 2 ? "mark late" : "mark" }, el("span", {}, label));
      mark.style.left = `${left}px`;
      over.append(mark);
    }
  }
}

/** @param {Chart} chart @param {number} end @param {number} width @returns {import("uplot").Options} */
function options({ name, curves }, end, width) {
  const format = name === "loss" ? SAY.loss : SAY.whole;
  const font = `13px ${css("--ui")}`;
  const axis = { stroke: css("--ink-3"), font, grid: { stroke: css("--hair"), width: 1 }, ticks: { show: false } };
  const along = { grid: { show: false }, label: SAY.along, labelFont: font, labelSize: 18, size: 28 };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: false, y: false },
      bind: Object.fromEntries(EVENTS.map((event) => [event, () => null])),
      points: { size: 11, width: 2, fill: css("--glass"), stroke: css("--wall") },
    },
    scales: { x: { time: false, range: [0, end] }, y: { range: rangeOf(name, curves) } },
    axes: [
      { ...axis, ...along, values: ticks(count) },
      { ...axis, size: 52, values: ticks(format) },
    ],
    series: [{}, ...Object.keys(curves).map(lineOf)],
  };
}

/** Ticks in words, as uPlot asks for them. @param {(value: number) => string} format */
const ticks = (format) => (/** @type {unknown} */ _, /** @type {number[]} */ values) => values.map(format);

/**
 * Errors from 0 to 100; what is to rise, from 0; the loss as it is, with room above it for the marks.
 * @param {string} name
 * @param {Chart["curves"]} curves
 * @returns {import("uplot").Scale.Range | undefined}
 */
function rangeOf(name, curves) {
  if (name === "loss")
    return (_, least, most) => [least - 0.05 * (most - least), most + 0.3 * (most - least) || most + 1];
  if (!("map" in curves)) return [0, 100];
  return (_, __, most) => [0, 1.15 * most || 1];
}

/** The first line is whole, the second dashed: told apart without colour. @param {string} name */
function lineOf(name) {
  const second = name === "five";
  return {
    stroke: css(second ? "--ink-3" : "--ink"),
    width: 2,
    dash: second ? [6, 4] : undefined,
    spanGaps: true,
    points: { size: 7, fill: css("--wall") },
  };
}

/** A press or a drag along the chart. @param {HTMLElement} over @param {(left: number) => void} chose */
function listen(over, chose) {
  const follow = (/** @type {PointerEvent} */ event) => chose(event.clientX - over.getBoundingClientRect().left);
  over.addEventListener("pointerdown", (event) => {
    over.setPointerCapture(event.pointerId);
    follow(event);
  });
  over.addEventListener("pointermove", (event) => event.buttons && follow(event));
}
