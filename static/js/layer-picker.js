/** The layer picker, a row of radio buttons: each glyph is a stack of panes, as large as the layer's maps and as deep as its channels. */

import { isFlat } from "./activations.js";
import { byId, el, find, svg } from "./dom.js";
import { SAY } from "./strings.js";

/** @typedef {import("./activations.js").Layer} Layer */

const HEIGHT = 60;

/** @param {Layer} layer */
function glyph(layer) {
  const [channels, rows] = layer.shape;
  const [width, height] = isFlat(layer) ? [5, 48] : [10 + 0.56 * rows, 10 + 0.56 * rows];
  const depth = isFlat(layer) ? 1 : Math.round(channels / 64);
  const panes = Array.from({ length: depth }, (_, k) => {
    const back = 3 * (depth - 1 - k);
    return svg("rect", { x: back + 0.5, y: HEIGHT - 1.5 - height - back, width, height });
  });
  return svg("svg", { viewBox: `0 0 76 ${HEIGHT}`, "aria-hidden": "true" }, ...panes);
}

/** Two columns of small sheets, which is how all layers are shown. */
function glyphOfAll() {
  const sheets = Array.from({ length: 10 }, (_, i) => {
    const [x, y] = [0.5 + 26 * (i % 2), HEIGHT - 57.5 + 12 * Math.floor(i / 2)];
    return svg("rect", { x, y, width: 20, height: 8 });
  });
  return svg("svg", { viewBox: `0 0 76 ${HEIGHT}`, "aria-hidden": "true" }, ...sheets);
}

/**
 * One radio button of the picker.
 * @param {string} value
 * @param {string} chosen
 * @param {Element} drawing
 * @param {string} name
 * @param {string} size
 */
function option(value, chosen, drawing, name, size) {
  return el(
    "label",
    {},
    el("input", { type: "radio", name: "layer", value, autocomplete: "off", checked: value === chosen }),
    drawing,
    el("b", {}, name),
    el("small", {}, size),
  );
}

/**
 * Show the layers of a network.
 * @param {Layer[]} layers
 * @param {string} chosen "all" or the name of one
 * @param {number} inputSize
 * @returns {HTMLCanvasElement} where the photo's square goes
 */
export function show(layers, chosen, inputSize) {
  const picker = byId("layer-picker");
  const canvas = el("canvas", { width: 112, height: 112, "aria-hidden": "true" });
  const ends = svg("path", { d: "M1 58h34M1 50h22M1 42h12M1 34h7M1 26h4", stroke: "currentColor", "stroke-width": 3 });
  picker.replaceChildren(
    find(picker, "legend"),
    option("all", chosen, glyphOfAll(), SAY.pickerAll, SAY.pickerLayers(layers.length)),
    el("span", {}, canvas, el("b", {}, SAY.pickerPhoto), el("small", {}, SAY.shape([3, inputSize, inputSize]))),
    ...layers.map((layer) => option(layer.name, chosen, glyph(layer), layer.name, SAY.shape(layer.shape))),
    el(
      "span",
      {},
      svg("svg", { viewBox: `0 0 76 ${HEIGHT}`, "aria-hidden": "true" }, ends),
      el("b", {}, SAY.pickerEnd),
      el("small", {}, SAY.pickerAnswers),
    ),
  );
  return canvas;
}
