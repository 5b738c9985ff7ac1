/** Which maps fed which, and the path of the strongest edges through one of them. No drawing here. */

import { PHOTO } from "./source.js";

/**
 * @typedef {import("./source.js").Connections} Connections
 * @typedef {import("./source.js").Edge} Edge
 *
 * @typedef {object} Path what lights up
 * @property {Set<string>} nodes keys
 * @property {Edge[]} edges
 * @property {Edge[]} sources the edges into the node itself, the strongest first
 */

const FIRST = 3; // edges that are followed from the node itself, and
const NEXT = 2; // from each node further away;
const WIDEST = 4; // nodes of one layer, at most

/** @param {string} layer @param {number} channel */
export const keyOf = (layer, channel) => `${layer}:${channel}`;

/** @param {Edge} a @param {Edge} b */
const byWeight = (a, b) => Math.abs(b.weight) - Math.abs(a.weight);

export class Graph {
  /** @param {Connections} connections */
  constructor({ layers, edges }) {
    const [first] = layers;
    /** Every first map read the photo itself; how much came of that is its relevance. @type {Edge[]} */
    const entries = first.channels.map(({ channel, relevance }) => ({
      from: [PHOTO, 0],
      to: [first.name, channel],
      weight: relevance,
    }));
    this.edges = [...entries, ...edges];
    this.into = group(this.edges, ({ to }) => to);
    this.out = group(this.edges, ({ from }) => from);
    /** The largest weight that goes into a layer: edges are as wide as their share of it. @type {Map<string, number>} */
    this.most = new Map();
    for (const { to, weight } of this.edges) {
      this.most.set(to[0], Math.max(this.most.get(to[0]) ?? 0, Math.abs(weight)));
    }
  }

  /** @param {Edge} edge @returns {number} 0 to 1 */
  share({ to, weight }) {
    return Math.abs(weight) / (this.most.get(to[0]) || 1);
  }

  /** Back to the photo and forward to the label. @param {string} key @returns {Path} */
  path(key) {
    const nodes = new Set([key]);
    /** @type {Edge[]} */
    const edges = [];
    follow(this.into, key, ({ from }) => from, nodes, edges);
    follow(this.out, key, ({ to }) => to, nodes, edges);
    return { nodes, edges, sources: this.into.get(key) ?? [] };
  }
}

/**
 * @param {Edge[]} edges
 * @param {(edge: Edge) => [string, number]} end
 * @returns {Map<string, Edge[]>} by the key of that end, the strongest first
 */
function group(edges, end) {
  /** @type {Map<string, Edge[]>} */
  const groups = new Map();
  for (const edge of [...edges].sort(byWeight)) {
    const key = keyOf(...end(edge));
    const found = groups.get(key);
    if (found) found.push(edge);
    else groups.set(key, [edge]);
  }
  return groups;
}

/**
 * Add the strongest edges from a node on, layer by layer.
 * @param {Map<string, Edge[]>} side
 * @param {string} key
 * @param {(edge: Edge) => [string, number]} far
 * @param {Set<string>} nodes
 * @param {Edge[]} edges
 */
function follow(side, key, far, nodes, edges) {
  let front = [key];
  for (let step = FIRST; front.length; step = NEXT) {
    const found = front.flatMap((node) => (side.get(node) ?? []).slice(0, step)).sort(byWeight);
    const next = [...new Set(found.map((edge) => keyOf(...far(edge))))].slice(0, WIDEST);
    edges.push(...found.filter((edge) => next.includes(keyOf(...far(edge)))));
    for (const node of next) nodes.add(node);
    front = next;
  }
}
