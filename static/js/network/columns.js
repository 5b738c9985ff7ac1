/** The elements of the connected view: the photo, a column for each layer, the answers and the sentence. */

import { el, svg } from "../dom.js";
import { PALETTES } from "../palettes.js";
import * as sheet from "../sheet.js";
import { keyOf } from "./graph.js";
import { PHOTO } from "./source.js";
import { SAY } from "./strings.js";

/**
 * @typedef {import("./source.js").Source} Source
 * @typedef {import("./source.js").LayerLinks} LayerLinks
 *
 * @typedef {object} Columns
 * @property {HTMLElement[]} elements left to right
 * @property {Map<string, HTMLElement>} nodes by key, where edges begin and end
 * @property {HTMLButtonElement[][]} grid for the arrow keys: the buttons of each layer
 * @property {SVGSVGElement} marks over the photo
 */

/** @param {string} name @param {string} caption @param {string} size */
const header = (name, caption, size) =>
  el("header", {}, el("b", {}, name), el("span", {}, caption), el("small", {}, size));

/** @param {Source} source @returns {Columns} */
export function build(source) {
  const layers = source.connections.layers;
  /** @type {Columns["nodes"]} */
  const nodes = new Map();
  const marks = svg("svg", {
    viewBox: `0 0 ${source.activations.inputSize} ${source.activations.inputSize}`,
    "aria-hidden": "true",
  });
  const photo = photoColumn(source, marks, nodes);
  const columns = layers.slice(0, -1).map((layer) => layerColumn(source, layer, nodes));
  const last = answerColumn(source, nodes);
  const grid = [...columns, last].map((column) => [...column.querySelectorAll("button")]);
  return { elements: [photo, ...columns, last], nodes, grid, marks };
}

/** @param {Source} source @param {SVGSVGElement} marks @param {Columns["nodes"]} nodes */
function photoColumn(source, marks, nodes) {
  const canvas = el("canvas", { "aria-hidden": "true" });
  source.drawPhoto(canvas);
  canvas.classList.toggle("px", canvas.width < 64);
  const frame = el("div", { class: "net-frame" }, canvas, marks);
  nodes.set(keyOf(PHOTO, 0), frame);
  const head = header(source.photoName, "", SAY.photoSize(source.activations.inputSize));
  return el("div", { class: "net-layer net-photo" }, head, el("div", { class: "net-maps" }, frame));
}

/** @param {Source} source @param {LayerLinks} links @param {Columns["nodes"]} nodes */
function layerColumn({ connections, activations, captions }, links, nodes) {
  const isFlat = links.shape.length === 1;
  const layer = activations.layers.find(({ name }) => name === links.name);
  const most = links.channels.reduce((top, { relevance }) => Math.max(top, Math.abs(relevance)), 0) || 1;
  const buttons = links.channels.map(({ channel, relevance }) => {
    const canvas = el("canvas", { "aria-hidden": "true" });
    if (layer)
      sheet.draw(canvas, layer, { palette: PALETTES.cividis, scale: "channel" }, { order: [channel], perRow: 1 });
    const button = el(
      "button",
      {
        type: "button",
        tabindex: -1,
        "data-layer": links.name,
        "data-channel": channel,
        "aria-pressed": "false",
        "aria-label": SAY.node(links.name, channel, relevance, connections.label.label),
      },
      canvas,
      el("i", { class: relevance < 0 ? "minus" : "plus" }),
    );
    button.style.setProperty("--share", String(Math.abs(relevance) / most));
    nodes.set(keyOf(links.name, channel), button);
    return button;
  });
  const head = header(links.name, captions[links.name] ?? "", SAY.of(buttons.length, links.shape[0]));
  const crisp = (layer?.shape[1] ?? 1) <= 13 ? " crisp" : "";
  return el(
    "div",
    { class: `net-layer${isFlat ? " net-strip" : ""}${crisp}` },
    head,
    el("div", { class: "net-maps" }, ...buttons),
  );
}

/** The most likely labels as bars; the one whose connections are shown is where the edges end. @param {Source} source @param {Columns["nodes"]} nodes */
function answerColumn({ connections, labels, sentence }, nodes) {
  const { label, layers } = connections;
  const last = layers[layers.length - 1];
  const bars = labels.map(({ id, vocabulary, name, score }, i) => {
    const isChosen = id === label.id && vocabulary === label.vocabulary;
    const button = el(
      "button",
      {
        type: "button",
        tabindex: -1,
        "data-label": i,
        "data-layer": last.name,
        "aria-pressed": "false",
        "aria-current": isChosen && "true",
        "aria-label": SAY.label(name, score),
      },
      el("span", {}, name),
      el("span", { class: "pct" }, SAY.percent(score)),
      el("i", {}),
    );
    button.style.setProperty("--share", String(score));
    if (isChosen) {
      button.dataset.channel = String(last.channels[0].channel);
      nodes.set(keyOf(last.name, last.channels[0].channel), button);
    }
    return button;
  });
  const says = el("p", { class: "net-says" }, el("small", {}, SAY.says), sentence);
  return el(
    "div",
    { class: "net-layer net-answer" },
    header(SAY.answer, SAY.answerCaption(last.name), ""),
    el("div", { class: "net-maps" }, el("div", { class: "net-bars" }, ...bars), says),
  );
}
