/** The edges, drawn on two canvases: all of them once, and over them those that light up, which are few. */

import { context2d } from "../dom.js";
import { keyOf } from "./graph.js";
import { PHOTO } from "./source.js";

/**
 * @typedef {import("./source.js").Edge} Edge
 * @typedef {{ x0: number, x1: number, y0: number, y1: number }} Box left, right, top, bottom in pixels of the view
 */

const LEAST = 0.03; // share of the widest edge below which none is drawn

/** @param {HTMLCanvasElement} canvas @param {number} width @param {number} height */
function fit(canvas, width, height) {
  const scale = Math.min(2, devicePixelRatio);
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  context2d(canvas).setTransform(scale, 0, 0, scale, 0, 0);
}

export class Edges {
  /**
   * @param {HTMLElement} root holds the nodes and both canvases
   * @param {HTMLCanvasElement} all
   * @param {HTMLCanvasElement} lit
   */
  constructor(root, all, lit) {
    this.root = root;
    this.all = all;
    this.lit = lit;
    /** @type {Map<string, Box>} */
    this.boxes = new Map();
    this.isUpright = false; // whether layers follow each other from top to bottom
    this.colours = { plus: "", minus: "" };
  }

  /** Find out where the nodes are. @param {Map<string, HTMLElement>} nodes */
  measure(nodes) {
    const outer = this.root.getBoundingClientRect();
    const style = getComputedStyle(this.root);
    this.isUpright = style.getPropertyValue("--upright").trim() === "1";
    this.colours = { plus: style.getPropertyValue("--plus"), minus: style.getPropertyValue("--minus") };
    this.boxes.clear();
    for (const [key, node] of nodes) {
      const { left, right, top, bottom } = node.getBoundingClientRect();
      this.boxes.set(key, {
        x0: left - outer.left,
        x1: right - outer.left,
        y0: top - outer.top,
        y1: bottom - outer.top,
      });
    }
    for (const canvas of [this.all, this.lit]) fit(canvas, this.root.clientWidth, this.root.clientHeight);
  }

  /** Every edge, faint where it carries little. @param {import("./graph.js").Graph} graph */
  drawAll(graph) {
    const pen = this.clear(this.all);
    for (const edge of [...graph.edges].reverse()) {
      const share = graph.share(edge);
      if (share < LEAST) continue;
      pen.globalAlpha = 0.07 + 0.55 * share ** 1.5;
      this.stroke(pen, edge, 0.6 + 4.4 * share);
    }
  }

  /**
   * Only these edges, in full; those against the label are dashed.
   * @param {import("./graph.js").Graph} graph
   * @param {Edge[]} edges
   * @param {number} [height] where they leave the photo: 0 its top, 1 its bottom
   */
  drawLit(graph, edges, height = 0.5) {
    const pen = this.clear(this.lit);
    pen.globalAlpha = 0.92;
    for (const edge of edges) {
      pen.setLineDash(edge.weight < 0 ? [7, 5] : []);
      this.stroke(pen, edge, 1.2 + 4.8 * graph.share(edge), height);
    }
  }

  /** @param {HTMLCanvasElement} canvas */
  clear(canvas) {
    const pen = context2d(canvas);
    pen.clearRect(0, 0, this.root.clientWidth, this.root.clientHeight);
    return pen;
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {Edge} edge
   * @param {number} width
   * @param {number} [height]
   */
  stroke(pen, edge, width, height = 0.5) {
    const from = this.boxes.get(keyOf(...edge.from));
    const to = this.boxes.get(keyOf(...edge.to));
    if (!from || !to) return;
    const along = edge.from[0] === PHOTO ? height : 0.5;
    pen.lineWidth = width;
    pen.strokeStyle = edge.weight < 0 ? this.colours.minus : this.colours.plus;
    pen.beginPath();
    if (this.isUpright) curveDown(pen, from, to, along);
    else curveRight(pen, from, to, along);
    pen.stroke();
  }
}

/** @param {CanvasRenderingContext2D} pen @param {Box} from @param {Box} to @param {number} along */
function curveRight(pen, from, to, along) {
  const [y, end] = [from.y0 + along * (from.y1 - from.y0), (to.y0 + to.y1) / 2];
  const bend = 0.5 * (to.x0 - from.x1);
  pen.moveTo(from.x1, y);
  pen.bezierCurveTo(from.x1 + bend, y, to.x0 - bend, end, to.x0, end);
}

/** @param {CanvasRenderingContext2D} pen @param {Box} from @param {Box} to @param {number} along */
function curveDown(pen, from, to, along) {
  const [x, end] = [from.x0 + along * (from.x1 - from.x0), (to.x0 + to.x1) / 2];
  const bend = 0.5 * (to.y0 - from.y1);
  pen.moveTo(x, from.y1);
  pen.bezierCurveTo(x, from.y1 + bend, end, to.y0 - bend, end, to.y0);
}
