/** The layer table: each row opens the sums that lead to it, and what one of its cells sees. */

import { el, find, findAll, onButton, onRadio, outline } from "../dom.js";
import { layers, pixelsSeen } from "./numbers.js";
import { drawSquare } from "./sheet.js";
import { SAY } from "./strings.js";

/**
 * @typedef {import("./numbers.js").Windowed} Windowed
 * @typedef {import("./numbers.js").View & { shape: number[] }} Shaped
 * @typedef {ReturnType<typeof layers>[number]} Sums
 */

/** The rows of a table as they were written by the server. @param {Element} table @returns {Windowed[]} */
const read = (table) =>
  findAll(table, "tbody tr").map(({ dataset }) => {
    const { name = "", operation = "" } = dataset;
    return {
      name,
      operation,
      channels: Number(dataset.channels),
      kernel: Number(dataset.kernel),
      stride: Number(dataset.stride),
      padding: Number(dataset.padding),
      groups: Number(dataset.groups),
    };
  });

/** Only convolutions and linear layers have outputs of their own. @param {Windowed} row @returns {import("./numbers.js").Row} */
const withoutOutputs = (row) =>
  row.operation === "conv" || row.operation === "linear" ? row : { ...row, channels: undefined };

export class LayerTable extends HTMLElement {
  /** The row that opens below another. */
  below = el("tr", { class: "below" });

  /** Rows of the network that is shown. @type {Windowed[]} */
  rows = [];

  /** What follows from each of them. @type {Sums[]} */
  sums = [];

  /** Of the network's input, in pixels. */
  side = 0;

  connectedCallback() {
    const facts = find(this, ".facts-of");
    this.below.append(el("td", { colspan: 6 }, facts));
    facts.hidden = false;
    onRadio(find(this, "fieldset"), (name) => this.show(name));
    for (const table of findAll(this, "tbody")) onButton(table, (button) => this.open(button));
    this.show("served");
    const canvas = find(facts, "canvas", HTMLCanvasElement);
    drawSquare(canvas, this.dataset.photo ?? "").catch(() => {}); // the sums do without it
  }

  /** @param {string} network "served" or "paper" */
  show(network) {
    this.close();
    for (const table of findAll(this, "[data-network]")) table.hidden = table.dataset.network !== network;
    const shown = find(this, `[data-network="${network}"]`);
    this.side = Number(shown.dataset.picture);
    this.rows = read(shown);
    this.sums = layers({ picture: [3, this.side, this.side], rows: this.rows.map(withoutOutputs) });
  }

  close() {
    this.below.remove();
    this.querySelector("[aria-expanded=true]")?.setAttribute("aria-expanded", "false");
  }

  /** Open what belongs to a row below it, or close it again. @param {HTMLButtonElement} button */
  open(button) {
    const closing = button.getAttribute("aria-expanded") === "true";
    this.close();
    if (closing) return;
    button.setAttribute("aria-expanded", "true");
    button.closest("tr")?.after(this.below);
    const at = this.rows.findIndex(({ name }) => name === button.textContent);
    const before = at ? this.sums[at - 1] : { shape: [3, this.side, this.side], field: 1, jump: 1, start: 0 };
    const [row, after] = [this.rows[at], this.sums[at]];
    const paragraphs = sentences(row, before, after).map((sentence) => el("p", {}, sentence));
    find(this.below, ".sums").replaceChildren(...paragraphs);
    this.look(row, after);
  }

  /** Mark what the middle cell sees. @param {Windowed} row @param {Sums} after */
  look(row, after) {
    const all = row.operation === "linear";
    const [from, to] = all ? [0, this.side - 1] : pixelsSeen({ ...after, cell: Math.floor((after.shape[1] - 1) / 2) });
    const svg = find(this.below, "svg", SVGSVGElement);
    svg.setAttribute("viewBox", `0 0 ${this.side} ${this.side}`);
    const side = to - from + 1;
    svg.replaceChildren(...outline("rect", { x: from, y: from, width: side, height: side }, this.side / 80));
  }
}

/** What is said of a row, in sums. @param {Windowed} row @param {Shaped} before @param {Sums} after @returns {string[]} */
function sentences(row, before, after) {
  const [inputs, side = 1] = before.shape;
  const weights = after.parameters - row.channels;
  const stops = after.shape.slice(1).reduce((product, length) => product * length, 1);
  if (row.operation === "lrn") return [SAY.rowNorm];
  if (row.operation === "linear") {
    const reads = SAY.rowReads(row, before.shape, inputs * side * side, after.parameters);
    return [reads, SAY.rowWork(weights, stops, after.multiplyAdds), SAY.rowAll];
  }
  const [size, field] = [SAY.rowSize(row, side, after.shape[1]), SAY.rowField(row, before, after)];
  if (row.operation === "pool") return [SAY.rowPool, size, field];
  return [size, SAY.rowWeights(row, inputs, after.parameters), SAY.rowWork(weights, stops, after.multiplyAdds), field];
}
