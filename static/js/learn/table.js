/** The layer table: each row opens the sums that lead to it, and what one of its cells sees. */

import { el, onRadio, outline } from "../dom.js";
import { layers, seen } from "./numbers.js";
import { drawSquare } from "./sheet.js";
import { SAY } from "./strings.js";

/** @typedef {import("./numbers.js").Row} Row */

/** The rows of a table as they were written by the server. @param {Element} table @returns {Row[]} */
const read = (table) =>
  [...table.querySelectorAll("tbody tr")].map((/** @type {any} */ { dataset: { name, operation, ...numbers } }) => {
    const { channels, kernel, stride, padding, groups } = Object.fromEntries(
      Object.entries(numbers).map(([key, value]) => [key, Number(value)]),
    );
    return operation === "conv" || operation === "linear"
      ? { name, operation, channels, kernel, stride, padding, groups }
      : { name, operation, kernel, stride, padding };
  });

export class LayerTable extends HTMLElement {
  connectedCallback() {
    this.tables = /** @type {HTMLElement[]} */ ([...this.querySelectorAll("[data-network]")]);
    this.facts = /** @type {HTMLElement} */ (this.querySelector(".facts-of"));
    this.below = el("tr", { class: "below" }, el("td", { colspan: 6 }, this.facts));
    this.facts.hidden = false;
    onRadio(this.querySelector("fieldset"), (name) => this.show(name));
    this.addEventListener("click", (event) => {
      const button = /** @type {Element} */ (event.target).closest("tbody button");
      if (button) this.open(button);
    });
    this.show("served");
    drawSquare(this.facts.querySelector("canvas"), this.dataset.photo).catch(() => {}); // the sums do without it
  }

  /** @param {string} network "served" or "paper" */
  show(network) {
    this.close();
    this.table = this.tables.find(({ dataset }) => dataset.network === network);
    for (const one of this.tables) one.hidden = one !== this.table;
    this.side = Number(this.table.dataset.picture);
    this.rows = read(this.table);
    this.found = layers({ picture: [3, this.side, this.side], rows: this.rows });
  }

  close() {
    this.below.remove();
    this.querySelector("[aria-expanded=true]")?.setAttribute("aria-expanded", "false");
  }

  /** Open what belongs to a row below it, or close it again. @param {Element} button */
  open(button) {
    const closing = button.getAttribute("aria-expanded") === "true";
    this.close();
    if (closing) return;
    button.setAttribute("aria-expanded", "true");
    button.closest("tr").after(this.below);
    const at = this.rows.findIndex(({ name }) => name === button.textContent);
    const before = at ? this.found[at - 1] : { shape: [3, this.side, this.side], field: 1, jump: 1, start: 0 };
    const [row, after] = [this.rows[at], this.found[at]];
    const said = sentences(row, before, after).map((one) => el("p", {}, one));
    this.facts.querySelector(".sums").replaceChildren(...said);
    this.look(row, after);
  }

  /** Mark what the middle cell sees. @param {Row} row @param {any} after */
  look(row, after) {
    const all = row.operation === "linear";
    const [from, to] = all ? [0, this.side - 1] : seen({ ...after, cell: Math.floor((after.shape[1] - 1) / 2) });
    const svg = this.facts.querySelector("svg");
    svg.setAttribute("viewBox", `0 0 ${this.side} ${this.side}`);
    const side = to - from + 1;
    svg.replaceChildren(...outline("rect", { x: from, y: from, width: side, height: side }, this.side / 80));
  }
}

/** @param {Row} row @param {any} before @param {any} after @returns {string[]} */
function sentences(row, before, after) {
  const [inputs, side = 1] = before.shape;
  const weights = after.parameters - row.channels;
  const stops = after.shape.slice(1).reduce((/** @type {number} */ n, /** @type {number} */ m) => n * m, 1);
  if (row.operation === "lrn") return [SAY.rowNorm];
  if (row.operation === "linear") {
    const reads = SAY.rowReads(row, before.shape, inputs * side * side, after.parameters);
    return [reads, SAY.rowWork(weights, stops, after.multiplyAdds), SAY.rowAll];
  }
  const [size, field] = [SAY.rowSize(row, side, after.shape[1]), SAY.rowField(row, before, after)];
  if (row.operation === "pool") return [SAY.rowPool, size, field];
  return [size, SAY.rowWeights(row, inputs, after.parameters), SAY.rowWork(weights, stops, after.multiplyAdds), field];
}
