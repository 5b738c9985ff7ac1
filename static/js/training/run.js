/**
 * One run: keeps the chosen step, and has the curves, the kernels and the layers show it.
 *
 * @typedef {import("./curve.js").Chart} Chart
 * @typedef {import("./sheets.js").Snapshot} Snapshot
 * @typedef {import("./sheets.js").Sheet} Sheet
 *
 * @typedef {object} Figures what training/runs/{name}.json answers
 * @property {string} [problem] why there are none
 * @property {Snapshot[]} sheets by step
 * @property {Chart[]} charts
 * @property {number} end the last step
 * @property {import("./curve.js").Mark[]} marks
 */

import { byId, find, findAll, onRadio } from "../dom.js";
import { LearningCurve } from "./curve.js";
import { player } from "./player.js";
import { Sheets } from "./sheets.js";
import { count, SAY } from "./strings.js";
import { SheetTiles } from "./tiles.js";

const REST = 300; // milliseconds after which a step counts as chosen, for the history

export class TrainingRun extends HTMLElement {
  #leave = new AbortController();
  #index = 0;
  #frame = 0;
  #rest = 0;
  #reach = 1; // neighbours fetched ahead

  /** @type {number[]} */
  #stops = [];

  /** @type {Figures} */
  #data = { sheets: [], charts: [], end: 0, marks: [] };

  /** @type {Sheets} */
  #sheets = new Sheets([], "");

  /** The strongest of each block in the whole run. @type {Record<string, number>} */
  #tops = {};

  #scale = "tile";

  async connectedCallback() {
    const src = this.getAttribute("src");
    if (!src) return;
    try {
      const answer = await fetch(src, { cache: "no-cache", signal: this.#leave.signal });
      const data = await answer.json();
      if (!answer.ok) throw new Error(data.detail);
      if (data.problem)
        this.#complain(data.problem); // since the page was made
      else this.#begin(data, src.replace(/\.json$/, ""));
    } catch {
      if (!this.#leave.signal.aborted) this.#complain(SAY.noFigures);
    }
  }

  disconnectedCallback() {
    this.#leave.abort();
    clearTimeout(this.#rest);
    cancelAnimationFrame(this.#frame);
  }

  /** @param {Figures} data @param {string} folder of the sheets */
  #begin(data, folder) {
    this.#data = data;
    this.#sheets = new Sheets(data.sheets, folder);
    this.#tops = topsOf(data.sheets);
    this.#stops = stopsOf(data);
    for (const chart of data.charts) {
      const figure = this.#figure(chart.name);
      for (const curve of figure ? findAll(figure, "learning-curve", LearningCurve) : []) {
        curve.show(chart, data.end, data.marks);
      }
    }
    this.#listen();
    this.go(this.#linked());
    this.dataset.ready = "";
  }

  #listen() {
    const { signal } = this.#leave;
    const slider = byId("step", HTMLInputElement);
    const steps = this.#stops.length;
    slider.max = String(steps - 1);
    slider.disabled = steps < 2;
    const run = {
      steps,
      at: () => this.#index,
      fetch: (/** @type {number} */ index) => this.#sheets.load(this.#sheets.at(this.#stops[index])).catch(() => {}),
      show: (/** @type {number} */ index) => this.go(index),
      rested: () => this.#settle(),
    };
    const stop = player(byId("play", HTMLButtonElement), run, signal);
    const move = (/** @type {number} */ index) => {
      stop();
      this.#move(index);
    };
    const back = () => {
      if (!/^(#step=\d+)?$/.test(location.hash)) return; // to another place of the page
      stop();
      this.go(this.#linked());
    };
    slider.addEventListener("input", () => move(Number(slider.value)));
    this.addEventListener("seek", (event) => {
      if (event instanceof CustomEvent) move(nearest(this.#stops, event.detail));
    });
    addEventListener("popstate", back, { signal });
    for (const group of findAll(this, "#scale")) onRadio(group, (value) => this.#shade(value));
  }

  /** @param {string} scale */
  #shade(scale) {
    this.#scale = scale;
    this.#draw();
  }

  /** The stop that the address names, or the last. */
  #linked() {
    const step = /^#step=(\d+)$/.exec(location.hash)?.[1];
    return step === undefined ? this.#stops.length - 1 : nearest(this.#stops, Number(step));
  }

  /** Somebody chose a stop. @param {number} index */
  #move(index) {
    this.#reach = 4; // others may follow
    this.go(index);
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => this.#settle(), REST);
  }

  /** Let the address name the step, so that it can be kept and gone back to. */
  #settle() {
    const hash = `#step=${this.#stops[this.#index]}`;
    if (hash !== location.hash) history.pushState(null, "", hash);
  }

  /** Show a stop. @param {number} index */
  go(index) {
    this.#index = index;
    const step = this.#stops[index];
    const slider = byId("step", HTMLInputElement);
    slider.value = String(index);
    slider.setAttribute("aria-valuetext", SAY.place(step, index, this.#stops.length));
    find(this, "output[for=step]", HTMLOutputElement).value = count(step);
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  /** Everything, at the chosen stop; a picture that is not here yet follows when it is. */
  #draw() {
    const step = this.#stops[this.#index];
    for (const chart of this.#data.charts) this.#read(chart, step);
    for (const curve of findAll(this, "learning-curve", LearningCurve)) curve.point(step);
    if (!this.#sheets.list.length) return;
    const index = this.#sheets.at(step);
    const here = this.#sheets.here(index);
    if (here) this.#paint(here);
    else this.#fetch(index);
  }

  /** @param {number} index of a sheet */
  async #fetch(index) {
    const current = () => this.#sheets.at(this.#stops[this.#index]) === index && this.isConnected;
    await new Promise((resume) => setTimeout(resume, 40)); // whoever drags past does not want it
    if (!current()) return;
    try {
      const sheet = await this.#sheets.load(index);
      if (current()) this.#paint(sheet);
    } catch {
      if (current()) this.#complain(SAY.noSheet(this.#data.sheets[index].step));
    }
  }

  /** @param {Sheet} sheet */
  #paint(sheet) {
    byId("trouble").hidden = true;
    for (const tiles of findAll(this, "sheet-tiles", SheetTiles)) tiles.show(sheet, this.#tops, this.#scale);
    for (const words of this.querySelectorAll("[data-snapshot]")) words.textContent = count(sheet.step);
    this.#sheets.near(this.#sheets.at(sheet.step), this.#reach);
  }

  /** The last figures of a chart until the step; before the first there are none. @param {Chart} chart @param {number} step */
  #read(chart, step) {
    const at = chart.steps.findLastIndex((measured) => measured <= step);
    const figure = this.#figure(chart.name);
    if (!figure) return;
    for (const [name, values] of Object.entries(chart.curves)) {
      const value = values[at] ?? null;
      find(figure, `[data-curve="${name}"] dd`).textContent =
        value === null ? SAY.missing : (name === "loss" ? SAY.loss : SAY.percent)(value);
    }
    find(figure, "[data-at]").textContent = at < 0 ? SAY.notYet(chart.steps[0]) : SAY.at(chart.steps[at]);
  }

  /** @param {string} name of a chart @returns {HTMLElement | null} */
  #figure(name) {
    return this.querySelector(`[data-chart="${CSS.escape(name)}"]`);
  }

  /** @param {string} words */
  #complain(words) {
    const place = byId("trouble");
    place.textContent = words;
    place.hidden = false;
  }
}

/** Where the slider stops: at each snapshot; where there are not two, at everything written down. @param {Figures} data */
function stopsOf({ sheets, charts, end }) {
  const snapshots = sheets.map(({ step }) => step);
  if (snapshots.length > 1) return snapshots;
  const all = new Set([...snapshots, ...charts.flatMap(({ steps }) => steps)]);
  return all.size ? [...all].sort((a, b) => a - b) : [end];
}

/** @param {number[]} sorted at least one @param {number} wanted @returns {number} index of the nearest; the later of two */
function nearest(sorted, wanted) {
  return sorted.reduce((best, value, i) => (Math.abs(value - wanted) <= Math.abs(sorted[best] - wanted) ? i : best), 0);
}

/** The strongest of each block in the whole run. @param {Snapshot[]} sheets @returns {Record<string, number>} */
function topsOf(sheets) {
  /** @type {Record<string, number>} */
  const tops = {};
  for (const { name, peaks } of sheets.flatMap((sheet) => sheet.blocks))
    tops[name] = Math.max(tops[name] ?? 0, ...peaks);
  return tops;
}
