/**
 * The connected view: what lights up, what is said of it, and which map is pinned. A pointer or the focus lights the path
 * through a map; a click or Enter opens its sums below.
 */

import { peak } from "../activations.js";
import { el, outline, svg } from "../dom.js";
import { Bench } from "./bench.js";
import { build } from "./columns.js";
import { Edges } from "./edges.js";
import { Graph, keyOf } from "./graph.js";
import { PHOTO } from "./source.js";
import { SAY } from "./strings.js";

/**
 * @typedef {import("./source.js").Source} Source
 * @typedef {import("./columns.js").Columns} Columns
 */

const DARK = matchMedia("(prefers-color-scheme: dark)");

export class NetworkView {
  /** @type {Source | null} */
  source = null;
  /** @type {Graph | null} */
  graph = null;
  /** @type {Columns | null} */
  columns = null;

  hovered = "";
  focused = "";
  pinned = "";
  lit = "";
  frame = 0;

  /** @param {HTMLElement} root an empty element, which the view fills */
  constructor(root) {
    this.line = el("p", { class: "net-line", role: "status" });
    this.toSums = el("button", { type: "button", class: "btn" }, SAY.toSums);
    this.toSums.addEventListener("click", () => this.bench.reach());
    this.net = el("div", { class: "net", role: "group", "aria-label": SAY.group });
    const [all, lit] = ["net-all", "net-lit"].map((name) => el("canvas", { class: name, "aria-hidden": "true" }));
    this.canvases = [all, lit];
    this.edges = new Edges(this.net, all, lit);
    this.bench = new Bench(() => this.release());
    root.replaceChildren(el("div", {}, this.line, this.net), legend(), this.bench.root);
    this.listen();
  }

  listen() {
    const key = (/** @type {Event} */ { target }) => {
      const button = target instanceof Element && target.closest("button");
      return button ? keyOfButton(button) : "";
    };
    const change = (/** @type {Partial<{ hovered: string, focused: string }>} */ what) => {
      Object.assign(this, what);
      this.wake();
    };
    this.net.addEventListener(
      "pointerover",
      (event) => event.pointerType === "mouse" && change({ hovered: key(event) }),
    );
    this.net.addEventListener("pointerleave", () => change({ hovered: "" }));
    this.net.addEventListener("focusin", (event) => change({ focused: key(event) }));
    this.net.addEventListener("focusout", () => change({ focused: "" }));
    this.net.addEventListener("click", (event) => {
      const button = event.target instanceof Element && event.target.closest("button");
      if (button) this.choose(button);
    });
    this.net.addEventListener("keydown", (event) => this.press(event));
    new ResizeObserver(() => this.layOut()).observe(this.net);
    DARK.addEventListener("change", () => this.layOut());
  }

  /** Show another photo or label. @param {Source} source */
  show(source) {
    const wasAnswer = this.pinned.startsWith(`${this.source?.connections.layers.at(-1)?.name}:`);
    this.source = source;
    this.graph = new Graph(source.connections);
    this.columns = build(source);
    Object.assign(this, { hovered: "", focused: "", lit: "" });
    this.net.replaceChildren(...this.canvases, ...this.columns.elements);
    const [first] = this.columns.grid[0];
    if (first) first.tabIndex = 0;
    this.layOut();
    const last = source.connections.layers.at(-1);
    this.pin(wasAnswer && last ? keyOf(last.name, last.channels[0].channel) : "");
  }

  /** Edges anew, where the nodes are now. */
  layOut() {
    if (!this.columns || !this.graph || !this.net.clientWidth) return;
    this.edges.measure(this.columns.nodes);
    this.edges.drawAll(this.graph);
    this.lit = "?";
    this.wake();
  }

  /** Light up in the next frame what is to be lit by then. */
  wake() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      const key = this.hovered || this.focused || this.pinned;
      if (key !== this.lit) this.light(key);
    });
  }

  /** @param {string} key "" for nothing */
  light(key) {
    if (!this.columns || !this.graph) return;
    const { nodes, marks } = this.columns;
    this.lit = key;
    this.net.toggleAttribute("data-lit", Boolean(key));
    const path = key ? this.graph.path(key) : { nodes: new Set(), edges: [], sources: [] };
    for (const [name, node] of nodes) node.classList.toggle("lit", path.nodes.has(name));
    const patch = key ? this.patch(key) : null;
    const size = this.source?.activations.inputSize ?? 1;
    const middle = patch && (this.edges.isUpright ? patch.x : patch.y) + patch.side / 2;
    this.edges.drawLit(this.graph, path.edges, middle === null ? 0.5 : Math.min(0.96, Math.max(0.04, middle / size)));
    marks.replaceChildren(...(patch ? patchMarks(patch, size) : []));
    this.line.replaceChildren(...this.words(key, path.sources), ...(key && key === this.pinned ? [this.toSums] : []));
  }

  /** What the strongest cell of a map sees of the photo; null where that is all of it. @param {string} key */
  patch(key) {
    const [name, channel] = parts(key);
    const layer = this.source?.activations.layers.find((candidate) => candidate.name === name);
    if (!layer || layer.shape[1] === 1) return null;
    const { row, column } = this.pinned === key && this.bench.cell ? this.bench.cell : peak(layer, channel);
    return { x: layer.start + column * layer.jump, y: layer.start + row * layer.jump, side: layer.receptiveField };
  }

  /** @param {string} key @param {import("./source.js").Edge[]} sources */
  words(key, sources) {
    if (!this.source) return [];
    const { label, layers } = this.source.connections;
    if (!key) return [SAY.idle(label.label)];
    const [name, channel] = parts(key);
    const [before] = sources[0]?.from ?? [PHOTO];
    const from = sources.slice(0, 2).map((edge) => edge.from[1]);
    if (name === layers[layers.length - 1].name) return [SAY.answerPath(label.label, before, from)];
    const links = layers.find((layer) => layer.name === name);
    const share = links?.channels.find((one) => one.channel === channel)?.relevance ?? 0;
    return [
      SAY.path(name, channel, before, from),
      el("b", { class: share < 0 ? "minus" : "plus" }, SAY.worth(share, label.label)),
    ];
  }

  /** @param {HTMLButtonElement} button */
  choose(button) {
    const key = keyOfButton(button);
    this.stop(button);
    if (key) return this.pin(this.pinned === key ? "" : key);
    const label = this.source?.labels[Number(button.dataset.label)];
    const last = this.source?.connections.layers.at(-1);
    if (!label || !last) return;
    this.pinned = keyOf(last.name, 0); // so that the next label's sum is opened
    this.source?.choose(label);
  }

  /** Open the sums of a map. @param {string} key "" to let go */
  pin(key) {
    this.pinned = key;
    for (const [name, node] of this.columns?.nodes ?? []) {
      if (node instanceof HTMLButtonElement) node.setAttribute("aria-pressed", String(name === key));
    }
    if (key && this.source) this.bench.open(this.source, ...parts(key), () => this.moved());
    else this.bench.close();
    this.lit = "?";
    this.wake();
  }

  /** Let go, and go back to the map that was pinned. */
  release() {
    this.columns?.nodes.get(this.pinned)?.focus();
    this.pin("");
  }

  /** Another cell is chosen: its patch is another one. */
  moved() {
    this.lit = "?";
    this.wake();
  }

  /** @param {HTMLButtonElement} button */
  stop(button) {
    for (const other of this.net.querySelectorAll("button[tabindex='0']")) other.setAttribute("tabindex", "-1");
    button.tabIndex = 0;
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (event.key === "Escape") {
      this.hovered = this.focused = "";
      return this.pin("");
    }
    const to = this.target(event.key);
    if (!to) return;
    event.preventDefault();
    this.hovered = "";
    this.stop(to);
    to.focus();
  }

  /** The button that a key leads to. @param {string} key */
  target(key) {
    const grid = (this.columns?.grid ?? []).filter((buttons) => buttons.length);
    const at = grid.findIndex((buttons) => buttons.some((button) => button === document.activeElement));
    if (at < 0) return undefined;
    const layer = grid[at];
    const here = layer.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    const [next, previous, later, earlier] = this.edges.isUpright
      ? ["ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp"]
      : ["ArrowDown", "ArrowUp", "ArrowRight", "ArrowLeft"];
    if (key === next) return layer[Math.min(layer.length - 1, here + 1)];
    if (key === previous) return layer[Math.max(0, here - 1)];
    if (key === "Home") return layer[0];
    if (key === "End") return layer[layer.length - 1];
    const other = key === later ? grid[at + 1] : key === earlier ? grid[at - 1] : undefined;
    return other?.find((button) => button.ariaCurrent) ?? other?.[Math.min(other.length - 1, here)];
  }
}

/** @param {string} key @returns {[string, number]} */
const parts = (key) => [key.slice(0, key.indexOf(":")), Number(key.slice(key.indexOf(":") + 1))];

/** @param {HTMLElement} button */
const keyOfButton = ({ dataset: { layer, channel } }) => (layer && channel ? keyOf(layer, Number(channel)) : "");

/** @param {{ x: number, y: number, side: number }} patch @param {number} size */
function patchMarks({ x, y, side }, size) {
  const around = `M0 0H${size}V${size}H0ZM${x} ${y}v${side}h${side}v${-side}Z`;
  return [
    svg("path", { d: around, fill: "#000", "fill-opacity": 0.55, "fill-rule": "evenodd" }),
    ...outline("rect", { x, y, width: side, height: side }, size / 90),
  ];
}

function legend() {
  const line = (/** @type {string} */ name, /** @type {string} */ words) =>
    el(
      "span",
      { class: `net-key ${name}` },
      svg("svg", { viewBox: "0 0 40 8", "aria-hidden": "true" }, svg("path", { d: "M1 4H39" })),
      words,
    );
  const bright = el("span", { class: "net-key" }, el("i", { class: "net-ramp", "aria-hidden": "true" }), SAY.bright);
  const keys = el("p", {}, line("plus", SAY.plus), line("minus", SAY.minus), bright);
  return el("div", { class: "net-legend note" }, keys, el("p", {}, SAY.wide));
}
