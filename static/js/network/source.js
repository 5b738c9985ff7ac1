/**
 * What the connected view is fed with, whether a service answers or a few lines in the browser: the shapes of
 * POST connections and POST cell.
 *
 * @typedef {object} Channel
 * @property {number} channel from 0
 * @property {number} relevance what it adds to the evidence for the label; below zero it speaks against it
 * @property {number} maximum its largest activation
 *
 * @typedef {object} LayerLinks the channels of one layer that matter most, the weightiest first
 * @property {string} name
 * @property {number[]} shape [C, H, W]; [F] of a fully connected layer
 * @property {Channel[]} channels
 * @property {number} shown_share of the relevance of all channels, by size
 *
 * @typedef {object} Edge
 * @property {[string, number]} from layer and channel
 * @property {[string, number]} to
 * @property {number} weight the part of the flow through `to` that came by `from`
 *
 * @typedef {object} Connections
 * @property {{ id: string, label: string, vocabulary: string }} label
 * @property {number} logit
 * @property {number} probability
 * @property {LayerLinks[]} layers
 * @property {Edge[]} edges
 *
 * @typedef {object} Term one summand: of a convolution a channel with its window, of a linear layer one product
 * @property {number} [channel]
 * @property {number} [sum]
 * @property {number[][]} [inputs]
 * @property {number[][]} [weights]
 * @property {number} [unit]
 * @property {number[]} [cell] channel, row, column
 * @property {number} [input]
 * @property {number} [weight]
 * @property {number} [product]
 *
 * @typedef {object} Step what follows the activation function
 * @property {string} step "lrn" or "pool"
 * @property {number} value
 * @property {number[][]} [window]
 *
 * @typedef {object} Softmax how the logits of one vocabulary become shares
 * @property {string} vocabulary
 * @property {number} logit
 * @property {number} exp
 * @property {number} total
 * @property {number} probability
 * @property {{ id: string, label: string, logit: number, probability: number }[]} top
 *
 * @typedef {object} Cell how one number came about
 * @property {string} layer
 * @property {number} channel
 * @property {number} row
 * @property {number} column
 * @property {string} operation "convolution" or "linear"
 * @property {{ layer: string, shape: number[] }} input
 * @property {{ top: number, left: number, height: number, width: number }} [window] in cells of the input
 * @property {Term[]} terms the largest first
 * @property {{ count: number, sum: number }} others
 * @property {number} bias
 * @property {number} sum
 * @property {string | null} activation
 * @property {number} value
 * @property {Step[]} after
 * @property {Softmax} [softmax]
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
