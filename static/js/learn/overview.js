/** A photo on its way through the network that runs here. */

import { isFlat, valueAt } from "../activations.js";
import { curly, el, find, findAll, onRadio } from "../dom.js";
import { SAY as COMMON } from "../strings.js";
import { drawPhoto, present } from "./network.js";
import { paint } from "./sheet.js";
import { inSight } from "./sight.js";

const PER_ROW = 64; // units of a fully connected layer, which have no position

/** The numbers to draw for a layer: its strongest map. @param {import("../activations.js").Layer} layer */
function strongest(layer) {
  const flat = isFlat(layer);
  const channel = layer.maxima.indexOf(layer.top);
  const [, rows, columns] = flat ? [1, layer.shape[0] / PER_ROW, PER_ROW] : layer.shape;
  const at = (/** @type {number} */ r, /** @type {number} */ c) =>
    flat ? valueAt(layer, r * PER_ROW + c, 0, 0) : valueAt(layer, channel, r, c);
  return Array.from({ length: rows }, (_, r) => Array.from({ length: columns }, (_, c) => at(r, c)));
}

export class Overview extends HTMLElement {
  /** The photo that is shown. */
  file = "";

  connectedCallback() {
    const photos = find(this, "fieldset");
    onRadio(photos, (file) => this.show(file));
    inSight(this, () => this.file || this.show(find(photos, ":checked", HTMLInputElement).value));
  }

  /** @param {string} file of the gallery */
  show(file) {
    this.file = file;
    present(find(this, ".working"), file, (look) => file === this.file && this.draw(look));
  }

  /** @param {import("./network.js").Look} look */
  draw(look) {
    const { labels, caption } = look.prediction;
    for (const canvas of this.canvases("photo")) drawPhoto(canvas, look);
    for (const layer of look.activations.layers) {
      for (const canvas of this.canvases(layer.name)) paint(canvas, strongest(layer));
    }
    const items = labels.map(({ label, vocabulary, score }) => {
      const noun = COMMON.vocabularies[vocabulary] ?? vocabulary;
      return el("li", {}, `${label} `, el("small", {}, `${noun}, ${COMMON.percent(score)}`));
    });
    const sentence = el("p", { class: "caption" }, curly(caption.text));
    find(this, ".labels").replaceChildren(sentence, el("ol", {}, ...items));
  }

  /** The canvas of a stage, where it has one. @param {string} stage */
  canvases(stage) {
    return findAll(this, `[data-stage="${stage}"] canvas`, HTMLCanvasElement);
  }
}
