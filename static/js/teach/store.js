/**
 * The photos that people taught with, each once: their numbers, and their files where we have them. This browser keeps them
 * (IndexedDB), every tab sees them; where nothing may be kept, memory holds them for this visit.
 *
 * @typedef {object} Photo
 * @property {string} sha256 of the file
 * @property {string} name of the thing; "" for a photo of other things
 * @property {File | null} file null where only its numbers came, from an examples file
 * @property {string} thumb small JPEG as a data URI; "" where there is none, or not yet
 * @property {ArrayBuffer} embedding float16
 * @property {string} network whose numbers these are
 * @property {number} at when it came, in milliseconds; then their order
 */

import { database } from "../photo-store.js";

/** What photos of other things are called. */
export const OUTSIDE = "";

const NAME = "glassbot-taught";

/** @type {Map<string, Photo>} */
let photos = new Map();

/** Whether this browser keeps them. */
let keeps = true;

/** @type {Set<() => void>} */
const listeners = new Set();

/** @type {BroadcastChannel | null} */
const channel = "BroadcastChannel" in window ? new BroadcastChannel(NAME) : null;

const step = database(NAME, "sha256");

/**
 * One step in the database; once that fails, memory is all there is.
 * @template Result
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<Result> | undefined} work
 * @returns {Promise<Result | undefined>} undefined where the browser does not let us
 */
async function transact(mode, work) {
  if (!keeps) return undefined;
  try {
    return await step(mode, work);
  } catch {
    keeps = false;
    return undefined;
  }
}

/** Take over what is kept; call it before anything else. */
export async function load() {
  const kept = /** @type {Photo[] | undefined} */ (await transact("readonly", (store) => store.getAll()));
  if (kept) photos = inOrder(kept);
}

/** @param {Photo[]} taken */
const inOrder = (taken) => new Map(taken.sort((one, other) => one.at - other.at).map((photo) => [photo.sha256, photo]));

/** All photos, in the order in which they came. */
export const all = () => [...photos.values()];

/** @param {string} sha256 @returns {Photo | undefined} */
export const get = (sha256) => photos.get(sha256);

/** Whether this browser keeps what is taught. */
export const isKept = () => keeps;

/** Take photos, in place of those that were there already. @param {Photo[]} taken */
export async function put(taken) {
  for (const photo of taken) photos.set(photo.sha256, photo);
  photos = inOrder([...photos.values()]);
  changed();
  await transact("readwrite", (store) => {
    for (const photo of taken) store.put(photo);
    return undefined;
  });
  await tell();
}

/**
 * Change something of a photo, unless it has gone: another tab may have removed it while we do not know yet.
 * @param {string} sha256
 * @param {Partial<Photo>} part
 */
export async function amend(sha256, part) {
  const before = photos.get(sha256);
  if (!before) return;
  const there = await transact("readwrite", (store) => {
    const asked = store.get(sha256);
    asked.onsuccess = () => asked.result && store.put({ ...asked.result, ...part });
    return asked;
  });
  const photo = photos.get(sha256);
  if (keeps && !there && photo === before) photos.delete(sha256);
  else if (photo) photos.set(sha256, { ...photo, ...part });
  changed();
  await tell();
}

/** Forget photos. @param {Photo[]} gone */
export async function remove(gone) {
  for (const { sha256 } of gone) photos.delete(sha256);
  changed();
  await transact("readwrite", (store) => {
    for (const { sha256 } of gone) store.delete(sha256);
    return undefined;
  });
  await tell();
}

/** Forget all of it. */
export async function clear() {
  photos = new Map();
  changed();
  await transact("readwrite", (store) => store.clear());
  await tell();
}

function changed() {
  for (const listener of listeners) listener();
}

async function tell() {
  if (keeps) channel?.postMessage("changed");
  else changed(); // somebody says that nothing is kept
}

/** Call back whenever the photos have changed, here or in another tab. @param {() => void} listener */
export function listen(listener) {
  listeners.add(listener);
}

channel?.addEventListener("message", async () => {
  await load();
  changed();
});

/**
 * The photos by name, in the order in which the names came; those of other things are not among them.
 * @returns {Map<string, Photo[]>}
 */
export function things() {
  /** @type {Map<string, Photo[]>} */
  const found = new Map();
  for (const photo of photos.values()) {
    if (photo.name === OUTSIDE) continue;
    found.set(photo.name, [...(found.get(photo.name) ?? []), photo]);
  }
  return found;
}

/** Photos of other things. */
export const outside = () => all().filter(({ name }) => name === OUTSIDE);
