/** The tiles of one block of a sheet, side by side: kernels in their own colours, activations in cividis. */

import { colour } from "../cividis.js";
import { context2d } from "../dom.js";
import { SAY } from "./strings.js";

/**
 * @typedef {import("./sheets.js").Sheet} Sheet
 * @typedef {import("./sheets.js").Block} Block
 */

const PER_ROW = 12; // of the sheet
const GAP = 3;
const WIDE = matchMedia("(min-width: 48rem)");
const DESK = matchMedia("(min-width: 78rem)");

/** Tiles a row of the page, and their side: 44 for a kernel's 11, so that each of its pixels is one square. */
const LAYOUT = {
  kernels: () => ({ across: DESK.matches ? 12 : 8, side: 44 }),
  few: () => ({ across: WIDE.matches ? 12 : 6, side: 108 }),
  many: () => ({ across: WIDE.matches ? 24 : 12, side: 54 }),
};

export class SheetTiles extends HTMLElement {
  /** @type {{ sheet: Sheet, tops: Record<string, number>, scale: string } | undefined} */
  #shown;

  #leave = new AbortController();
  #canvas = document.createElement("canvas");
  #label = "";

  connectedCallback() {
    this.replaceChildren(this.#canvas);
    this.#label = this.getAttribute("aria-label") ?? "";
    this.#measure(); // the place it takes, before it is drawn
    for (const media of [WIDE, DESK]) {
      media.addEventListener("change", () => this.#draw(), { signal: this.#leave.signal });
    }
  }

  disconnectedCallback() {
    this.#leave.abort();
  }

  /**
   * @param {Sheet} sheet
   * @param {Record<string, number>} tops the strongest of each block in the whole run
   * @param {string} scale "tile": each up to its own peak; "run": all up to the top
   */
  show(sheet, tops, scale) {
    this.#shown = { sheet, tops, scale };
    this.setAttribute("aria-label", SAY.after(this.#label, sheet.step));
    this.dataset.step = String(sheet.step);
    this.#draw();
  }

  /** Make the canvas as large as its tiles want. */
  #measure() {
    const [name, from, to] = ["block", "from", "to"].map((key) => this.getAttribute(key) ?? "");
    const number = Number(to) - Number(from);
    const { across, side } = LAYOUT[name === "kernels" ? "kernels" : number > PER_ROW ? "many" : "few"]();
    this.#canvas.width = across * (side + GAP) - GAP;
    this.#canvas.height = Math.ceil(number / across) * (side + GAP) - GAP;
    return { name, from: Number(from), to: Number(to), across, side };
  }

  #draw() {
    if (!this.#shown) return;
    const { name, from, to, across, side } = this.#measure();
    const block = this.#shown.sheet.blocks.find((candidate) => candidate.name === name);
    if (!block) return;
    const context = context2d(this.#canvas);
    context.imageSmoothingEnabled = false;
    const drawing = coloured(this.#shown, block);
    for (let i = from; i < Math.min(to, block.peaks.length); i++) {
      const [x, y] = [(i % PER_ROW) * block.side, Math.floor(i / PER_ROW) * block.side];
      const [left, top] = [((i - from) % across) * (side + GAP), Math.floor((i - from) / across) * (side + GAP)];
      context.drawImage(drawing, x, y, block.side, block.side, left, top, side, side);
    }
  }
}

/**
 * The block in the colours of the page.
 * @param {{ sheet: Sheet, tops: Record<string, number>, scale: string }} shown
 * @param {Block} block
 */
function coloured({ sheet: { pixels }, tops, scale }, block) {
  const canvas = document.createElement("canvas");
  canvas.width = PER_ROW * block.side;
  canvas.height = Math.ceil(block.peaks.length / PER_ROW) * block.side;
  const context = context2d(canvas);
  if (block.name === "kernels") {
    context.putImageData(pixels, 0, -block.y);
    return canvas;
  }
  const image = new ImageData(canvas.width, canvas.height);
  const factors = block.peaks.map((peak) => (scale === "run" && tops[block.name] > 0 ? peak / tops[block.name] : 1));
  for (let at = 0; at < image.width * image.height; at++) {
    const [x, y] = [at % image.width, Math.floor(at / image.width)];
    const tile = Math.floor(y / block.side) * PER_ROW + Math.floor(x / block.side);
    const share = pixels.data[4 * ((block.y + y) * pixels.width + x)] / 252; // 252 is all of a tile's peak
    colour(image.data, at, 255 * Math.min(1, (share || 0) * (factors[tile] ?? 0)));
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
