/**
 * What the connected view is fed with, whether a service answers or a few lines in the browser: the shapes of
 * POST connections and POST cell, as far as the view reads them.
 *
 * @typedef {Pick<Rest.ConnectionsResponse, "label" | "logit" | "probability" | "layers" | "edges">} Connections
 * @typedef {Rest.ColumnAnswer} LayerLinks the channels of one layer that matter most, the weightiest first
 * @typedef {Rest.EdgeAnswer} Edge
 * @typedef {Rest.ConvolutionTermAnswer} WindowTerm what one channel adds
 * @typedef {Rest.LinearTermAnswer} ProductTerm what one number adds
 * @typedef {Rest.ProbabilityAnswer & { gate?: number }} Probability how a logit becomes a share; gate: the chance that the
 *   photo shows any label of the vocabulary
 * @typedef {Omit<Rest.CellResponse, "request_id" | "image" | "patch">} Cell how one number came about
 *
 * @typedef {object} Label one bar of the answer
 * @property {string} id
 * @property {string} vocabulary
 * @property {string} name
 * @property {number} score 0 to 1
 *
 * @typedef {object} Source
 * @property {Connections} connections
 * @property {{ layers: import("../activations.js").Layer[], inputSize: number }} activations
 * @property {(canvas: HTMLCanvasElement) => void} drawPhoto the square that the network saw
 * @property {string} photoName
 * @property {Record<string, string>} captions what kind of pattern a layer looks for
 * @property {Label[]} labels
 * @property {string} sentence
 * @property {(at: { layer: string, channel: number, row: number, column: number }, signal: AbortSignal) => Promise<Cell>} cell
 * @property {(label: Label) => void} choose another label
 */

export const PHOTO = "photo";
