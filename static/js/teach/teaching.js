/** Teaches the service what this browser keeps, and knows what it made of it. */

import { send, Trouble } from "../api.js";
import { write } from "./examples-file.js";
import * as own from "./own.js";
import * as store from "./store.js";

/**
 * @typedef {import("./store.js").Photo} Photo
 * @typedef {import("./examples-file.js").Examples} Examples
 */

/** @param {Photo[]} photos */
const rows = (photos) => ({
  photos: photos.map(({ sha256 }) => sha256),
  vectors: photos.map(({ embedding }) => new Uint16Array(embedding)),
});

/** The network that is served, as far as it is known. */
let current = "";

/** Know what network is served. @param {string} name 12 hex digits */
export function serves(name) {
  if (name === network()) return;
  current = name;
  own.set({ network: name });
}

/** The network whose numbers count; "" where nothing is known of it yet. */
export const network = () => current || own.get().network || (store.all().at(-1)?.network ?? "");

/** Whether a photo's numbers count. @param {Photo} photo */
export const counts = (photo) => photo.network === network();

/**
 * What is taught.
 * @param {number} least the fewest photos of a name
 * @returns {Examples | null} null where no name has enough
 */
export function examples(least) {
  const things = [...store.things()].map(([name, photos]) => ({ name, ...rows(photos.filter(counts)) }));
  const enough = things.filter(({ photos }) => photos.length >= least);
  if (!enough.length) return null;
  const outside = rows(store.outside().filter(counts));
  return { network: network(), size: enough[0].vectors[0].length, things: enough, outside };
}

/** What was learned last, and from which bytes. @type {{ bytes: Uint8Array, learned: Rest.TeachResponse } | null} */
let last = null;

/** @param {Uint8Array} one @param {Uint8Array} other */
const areEqual = (one, other) => one.length === other.length && one.every((byte, i) => byte === other[i]);

/**
 * Teach the service all names that have enough photos; what it learned already it is only taught again where it has to be.
 * @param {AbortSignal} signal
 * @param {boolean} [again] since the service no longer has it
 * @returns {Promise<Rest.TeachResponse | null>} null where no name has enough; rejects with Trouble
 */
export async function teach(signal, again = false) {
  const taught = examples(own.LEAST);
  const things = /** @type {[string, number][]} */ ([...store.things()].map(([name, photos]) => [name, photos.length]));
  own.set({ network: network(), things, ...(!taught && { taught: "" }) });
  if (!taught) return null;
  const bytes = write(taught);
  if (!last || again || !areEqual(bytes, last.bytes)) {
    const response = await send("teach", new Blob([bytes]), "application/json", signal);
    last = { bytes, learned: await response.json() };
  }
  if (!signal.aborted) own.set({ taught: last.learned.taught });
  return last.learned;
}

/** Whether the photos have to be looked at again, since another network is served now. @param {unknown} error */
export const isOther = (error) => error instanceof Trouble && error.type.endsWith(":other-network");
