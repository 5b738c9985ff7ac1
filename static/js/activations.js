/**
 * The binary of POST activations: "GBA1", uint32 length of a JSON header, the header, then for each layer C float32
 * (largest activation of each channel) and C·H·W uint8 (shares of that, 255 = all of it). Little endian.
 *
 * @typedef {object} Layer
 * @property {string} name
 * @property {[number, number, number]} shape channels, rows, columns
 * @property {number} receptiveField side of the square that one cell sees, in pixels of the network's input
 * @property {number} jump pixels between neighbouring cells
 * @property {number} start first pixel that cell 0 sees; may be negative
 * @property {Float32Array} maxima one for each channel
 * @property {Uint8Array} cells channel by channel, row by row
 * @property {number} top the largest of the maxima
 *
 * @typedef {object} Activations
 * @property {{ width: number, height: number, sha256: string }} image upright
 * @property {{ x: number, y: number, width: number, height: number }} crop the square that the network saw
 * @property {number} inputSize side of the network's input, in pixels
 * @property {Layer[]} layers in the order in which a picture passes them
 */

/**
 * One layer as the header of the binary describes it.
 * @typedef {object} LayerHeader
 * @property {string} name
 * @property {[number, number, number]} shape channels, rows, columns
 * @property {number} offset first byte of the layer in the body
 * @property {number} receptive_field in pixels of the network's input
 * @property {number} jump
 * @property {number} start
 */

const MAGIC = "GBA1";

/**
 * @param {ArrayBuffer} body
 * @returns {Activations}
 * @throws {RangeError} where the bytes are no such body
 */
export function parse(body) {
  const bytes = new Uint8Array(body);
  const text = new TextDecoder();
  if (text.decode(bytes.subarray(0, 4)) !== MAGIC) throw new RangeError("not a GBA1 body");
  const length = new DataView(body).getUint32(4, true);
  const header = JSON.parse(text.decode(bytes.subarray(8, 8 + length)));
  /** @type {Layer[]} */
  const layers = header.layers.map((/** @type {LayerHeader} */ facts) => layer(body, facts));
  // A fully connected unit sees the whole input, no more and no less.
  const inputSize = layers.find(isFlat)?.receptiveField ?? 227;
  return { image: header.image, crop: header.crop, layers, inputSize };
}

/**
 * @param {ArrayBuffer} body
 * @param {LayerHeader} facts
 * @returns {Layer}
 */
function layer(body, { name, shape, offset, receptive_field, jump, start }) {
  const [channels, rows, columns] = shape;
  const view = new DataView(body, offset, 4 * channels);
  const maxima = Float32Array.from({ length: channels }, (_, c) => view.getFloat32(4 * c, true));
  const cells = new Uint8Array(body, offset + 4 * channels, channels * rows * columns);
  const top = maxima.reduce((most, m) => Math.max(most, m), 0);
  return { name, shape, receptiveField: receptive_field, jump, start, maxima, cells, top };
}

/** Whether the layer is fully connected: its units have no position in the photo. @param {Layer} layer */
export const isFlat = (layer) => layer.shape[1] === 1;

/**
 * One number of the network.
 * @param {Layer} layer
 * @param {number} channel
 * @param {number} row
 * @param {number} column
 */
export function valueAt({ shape: [, rows, columns], cells, maxima }, channel, row, column) {
  return (cells[(channel * rows + row) * columns + column] / 255) * maxima[channel];
}

/**
 * What to multiply the cells of a channel with before they are coloured.
 * @param {Layer} layer
 * @param {number} channel
 * @param {string} scale "channel": each up to its own maximum; "layer": all up to the layer's
 */
export function brightness(layer, channel, scale) {
  return scale === "layer" && layer.top > 0 ? layer.maxima[channel] / layer.top : 1;
}

/**
 * The channels in the order to show them.
 * @param {Layer} layer
 * @param {string} order "natural", "strongest" or "relevant"
 * @param {number[] | undefined} relevance of each channel to the chosen label
 * @returns {number[]}
 */
export function ordered(layer, order, relevance) {
  const all = Array.from(layer.maxima.keys());
  const key = order === "strongest" ? layer.maxima : order === "relevant" ? relevance : undefined;
  return key?.length === all.length ? all.sort((a, b) => key[b] - key[a] || a - b) : all;
}

/** The channel with the largest activation. @param {Layer} layer */
export const strongest = ({ maxima }) => maxima.reduce((best, most, i) => (most > maxima[best] ? i : best), 0);

/**
 * The strongest cell of a channel; the middle one where none is active.
 * @param {Layer} layer
 * @param {number} channel
 * @returns {{ row: number, column: number }}
 */
export function peak({ shape: [, rows, columns], cells }, channel) {
  const first = channel * rows * columns;
  const own = cells.subarray(first, first + rows * columns);
  const most = own.reduce((best, value, i) => (value > own[best] ? i : best), 0);
  if (!own[most]) return { row: Math.floor(rows / 2), column: Math.floor(columns / 2) };
  return { row: Math.floor(most / columns), column: most % columns };
}
