/**
 * The examples file: what people gave for each name, as numbers and without the photos. A safetensors file that browser,
 * service and command line read and write alike; everything that does not fit is refused, with one sentence.
 *
 * @typedef {object} Examples
 * @property {string} network 12 hex digits that name the network
 * @property {number} size how many numbers a photo has
 * @property {Thing[]} things
 * @property {Rows} outside photos of other things
 *
 * @typedef {{ photos: string[], vectors: Uint16Array<ArrayBuffer>[] }} Rows SHA-256 of each photo's file, and its numbers as float16
 * @typedef {Rows & { name: string }} Thing
 *
 * @typedef {{ dtype: string, shape: number[], data_offsets: number[] }} Tensor as the header describes it
 */

import { isFinite16 } from "./half.js";
import { SAY } from "./strings.js";

const KEY = "glassbot-examples";
const NETWORK = "glassbot"; // key of a network's file, which holds the examples that it was taught by
const TAUGHT = "taught.examples.";
const FORMAT = "glassbot-examples-1";
const MOST_HEADER = 10e6; // bytes
const MOST_SIZE = 4096; // numbers a photo: fc7 itself

/** Why a file is no examples file, in one sentence. */
export class NotExamples extends Error {}

/**
 * The bytes of a file.
 * @param {Examples} examples
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function write({ network, size, things, outside }) {
  const named = things.map(({ vectors }, i) => /** @type {const} */ ([String(i), vectors]));
  const all = outside.vectors.length ? [...named, /** @type {const} */ (["outside", outside.vectors])] : named;
  const about = {
    format: FORMAT,
    network,
    size,
    things: things.map(({ name, photos }) => ({ name, photos })),
    outside: outside.photos,
  };
  let end = 0;
  const tensors = all.map(([name, vectors]) => {
    const start = end;
    end += 2 * size * vectors.length;
    return [name, { dtype: "F16", shape: [vectors.length, size], data_offsets: [start, end] }];
  });
  const header = JSON.stringify({ __metadata__: { [KEY]: JSON.stringify(about) }, ...Object.fromEntries(tensors) });
  const text = padded(new TextEncoder().encode(header));
  const bytes = new Uint8Array(8 + text.length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  let at = 8 + text.length;
  for (const [, vectors] of all) {
    for (const vector of vectors) {
      bytes.set(new Uint8Array(vector.buffer, vector.byteOffset, 2 * size), at);
      at += 2 * size;
    }
  }
  return bytes;
}

/** Filled up with spaces to a multiple of 8. @param {Uint8Array} text */
function padded(text) {
  const whole = new Uint8Array(8 * Math.ceil(text.length / 8)).fill(0x20);
  whole.set(text);
  return whole;
}

/**
 * What a file says.
 * @param {ArrayBuffer} buffer
 * @returns {Examples}
 * @throws {NotExamples}
 */
export function read(buffer) {
  const { about, tensors, data } = parts(buffer);
  const { network, size, things, outside } = described(about);
  const wanted = new Map(things.map(({ photos }, i) => /** @type {[string, string[]]} */ ([String(i), photos])));
  if (outside.length) wanted.set("outside", outside);
  const names = Object.keys(tensors);
  check(names.length === wanted.size && names.every((name) => wanted.has(name)), SAY.otherTensors);
  const spans = names.map((name) => tensors[name].data_offsets).sort(([one], [other]) => one - other);
  const ends = spans.map(([, end]) => end);
  check(
    spans.every(([start], i) => start === (ends[i - 1] ?? 0)) && (ends.at(-1) ?? 0) === data.byteLength,
    SAY.cutShort,
  );
  const rowsOf = (/** @type {string} */ name) => rows(tensors[name], wanted.get(name)?.length ?? 0, size, data);
  return {
    network,
    size,
    things: things.map(({ name, photos }, i) => ({ name, photos, vectors: rowsOf(String(i)) })),
    outside: { photos: outside, vectors: outside.length ? rowsOf("outside") : [] },
  };
}

/** @param {boolean} holds @param {string} [why] @returns {asserts holds} */
function check(holds, why = SAY.notExamples) {
  if (!holds) throw new NotExamples(why);
}

/**
 * What the header says of the examples, their tensors, and the numbers.
 * @param {ArrayBuffer} buffer
 * @returns {{ about: unknown, tensors: Record<string, Tensor>, data: ArrayBuffer }}
 */
function parts(buffer) {
  check(buffer.byteLength > 8);
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  check(length <= MOST_HEADER && 8 + length <= buffer.byteLength);
  const header = json(new Uint8Array(buffer, 8, length));
  check(isObject(header) && Object.values(header).every(isObject));
  const { __metadata__: metadata, ...every } = header;
  const data = buffer.slice(8 + length);
  if (typeof metadata?.[NETWORK] === "string") return partsOfNetwork(json(metadata[NETWORK]), every, data);
  for (const tensor of Object.values(every)) check(isTensor(tensor));
  return { about: json(typeof metadata?.[KEY] === "string" ? metadata[KEY] : ""), tensors: every, data };
}

/**
 * The examples in the file of a network that was taught: the same, among its weights.
 * @param {any} about
 * @param {Record<string, Tensor>} every
 * @param {ArrayBuffer} data
 */
function partsOfNetwork(about, every, data) {
  check(isObject(about?.taught?.examples), SAY.taughtNothing);
  const own = Object.entries(every).filter(([name]) => name.startsWith(TAUGHT));
  check(own.every(([, tensor]) => isTensor(tensor)));
  const sorted = own.toSorted(([, one], [, other]) => one.data_offsets[0] - other.data_offsets[0]);
  let end = 0;
  const tensors = sorted.map(([name, tensor]) => {
    const [from, to] = tensor.data_offsets;
    const start = end;
    end += to - from;
    return [name.slice(TAUGHT.length), { ...tensor, data_offsets: [start, end] }];
  });
  const numbers = new Uint8Array(end);
  let at = 0;
  for (const [
    ,
    {
      data_offsets: [from, to],
    },
  ] of sorted) {
    check(from <= to && to <= data.byteLength && at + to - from <= end, SAY.cutShort);
    numbers.set(new Uint8Array(data, from, to - from), at);
    at += to - from;
  }
  return { about: about.taught.examples, tensors: Object.fromEntries(tensors), data: numbers.buffer };
}

/** @param {Uint8Array | string} text @returns {any} undefined where it is no JSON */
function json(text) {
  try {
    return JSON.parse(typeof text === "string" ? text : new TextDecoder("utf-8", { fatal: true }).decode(text));
  } catch {
    return undefined;
  }
}

/** @param {unknown} value */
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** @param {unknown} value */
const areCounts = (value) =>
  Array.isArray(value) && value.length === 2 && value.every((n) => Number.isSafeInteger(n) && n >= 0);

/** @param {any} value */
const isTensor = ({ dtype, shape, data_offsets }) =>
  typeof dtype === "string" && areCounts(shape) && areCounts(data_offsets);

/** @param {unknown} value */
const areDigests = (value) =>
  Array.isArray(value) && value.every((digest) => typeof digest === "string" && /^[0-9a-f]{64}$/.test(digest));

/**
 * What the header promises.
 * @param {any} about
 * @returns {{ network: string, size: number, things: { name: string, photos: string[] }[], outside: string[] }}
 */
function described(about) {
  check(isObject(about) && about.format === FORMAT);
  const { network, size, things, outside } = about;
  check(typeof network === "string" && /^[0-9a-f]{12}$/.test(network));
  check(Number.isSafeInteger(size) && size > 0 && size <= MOST_SIZE);
  check(Array.isArray(things) && things.every(isThing) && areDigests(outside));
  const names = things.map(({ name }) => name);
  check(new Set(names).size === names.length, SAY.sameNameTwice);
  const photos = [...things.flatMap((thing) => thing.photos), ...outside];
  check(new Set(photos).size === photos.length, SAY.samePhotoTwice);
  return about;
}

/** @param {any} thing */
const isThing = (thing) =>
  isObject(thing) &&
  typeof thing.name === "string" &&
  thing.name.trim() &&
  areDigests(thing.photos) &&
  thing.photos.length;

/**
 * The numbers of one tensor, a row for each photo.
 * @param {Tensor} tensor
 * @param {number} count
 * @param {number} size
 * @param {ArrayBuffer} data
 */
function rows({ dtype, shape: [n, across], data_offsets: [start, end] }, count, size, data) {
  check(dtype === "F16" && n === count && across === size && end - start === 2 * n * size, SAY.otherShape);
  const numbers = new Uint16Array(data.slice(start, end));
  check(numbers.every(isFinite16), SAY.notFinite);
  return Array.from({ length: n }, (_, i) => numbers.slice(i * size, (i + 1) * size));
}
