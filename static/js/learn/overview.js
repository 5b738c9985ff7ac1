/** A photo on its way through the network that runs here. */

import { isFlat, valueAt } from "../activations.js";
import { el, onRadio } from "../dom.js";
import { SAY as COMMON } from "../strings.js";
import { onReveal } from "./guess.js";
import { drawPhoto, present } from "./network.js";
import { paint } from "./sheet.js";

const PER_ROW = 64; // units of fc6 and fc7, which have no place

/** The numbers to draw for a layer: its strongest channel. @param {import("../activations.js").Layer} layer */
function strongest(layer) {
  const flat = isFlat(layer);
  const channel = layer.maxima.indexOf(layer.top);
  const [, rows, columns] = flat ? [1, layer.shape[0] / PER_ROW, PER_ROW] : layer.shape;
  const at = (/** @type {number} */ r, /** @type {number} */ c) =>
    flat ? valueAt(layer, r * PER_ROW + c, 0, 0) : valueAt(layer, channel, r, c);
  return Array.from({ length: rows }, (_, r) => Array.from({ length: columns }, (_, c) => at(r, c)));
}

export class Overview extends HTMLElement {
  connectedCallback() {
    const seg = this.querySelector("fieldset");
    const details = this.closest("section").querySelector("details");
    onRadio(seg, (file) => details.open && this.show(file));
    onReveal(this, () => {
      const { value } = /** @type {HTMLInputElement} */ (seg.querySelector(":checked"));
      if (value !== this.file) this.show(value);
    });
  }

  /** @param {string} file of the gallery */
  show(file) {
    this.file = file;
    present(this.querySelector(".working"), file, (found) => file === this.file && this.draw(found));
  }

  /** @param {import("./network.js").Look} found */
  draw(found) {
    drawPhoto(this.canvas("photo"), found);
    for (const layer of found.seen.layers) {
      const canvas = this.canvas(layer.name);
      if (!canvas) continue;
      paint(canvas, strongest(layer));
    }
    const labels = found.said.labels.map((/** @type {any} */ one) =>
      el(
        "li",
        {},
        `${one.label} `,
        el("small", {}, `${COMMON.kinds[one.kind] ?? one.kind}, ${COMMON.percent(one.score)}`),
      ),
    );
    const said = el("p", { class: "said" }, found.said.caption.text.replaceAll("'", "’"));
    this.querySelector(".labels").replaceChildren(said, el("ol", {}, ...labels));
  }

  /** @param {string} stage @returns {HTMLCanvasElement | null} */
  canvas(stage) {
    return this.querySelector(`[data-stage="${stage}"] canvas`);
  }
}
