/**
 * The photos that were shown, by the name that the address holds of them: this visit has them in memory, and unless somebody
 * opts out this browser keeps their files (IndexedDB), so that a reload and the history find them again. Where nothing may
 * be kept (a private window, a full disk), memory is all there is.
 *
 * @typedef {object} Photo
 * @property {string} id by which the address knows it: a number of this visit, then its SHA-256 once that is known
 * @property {File} file
 * @property {string} sample its name in the gallery; "" for somebody's own
 * @property {number} of how many files it came as the first
 * @property {string} image its SHA-256; "" until it is answered for the first time
 *
 * @typedef {Pick<Photo, "id" | "file" | "image"> & { at: number }} Kept at: when it was shown last
 */

const NAME = "glassbot";
const STORE = "photos";
const MOST = 24; // photos kept; as many as the history lists
const MOST_BYTES = 100e6;
const OPTED_OUT = "glassbot-no-photos";

/** @type {Map<string, Photo>} */
const visit = new Map();

/** The ids of what the browser keeps. */
let kept = new Set();

let count = 0;

/**
 * A database of one store, opened with its first step.
 * @param {string} name
 * @param {string} keyPath what the records are known by
 */
export function database(name, keyPath) {
  /** @type {Promise<IDBDatabase> | undefined} */
  let opening;
  const open = () =>
    new Promise((resolve, reject) => {
      const request = indexedDB.open(name, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath });
      request.onsuccess = () => resolve(request.result);
      request.onerror = request.onblocked = () => reject(request.error);
    });
  /**
   * One step in it; rejects where the browser does not let us.
   * @template Result
   * @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore) => IDBRequest<Result> | undefined} work
   * @returns {Promise<Result | undefined>}
   */
  return async function step(mode, work) {
    opening ??= open();
    const transaction = (await opening).transaction(STORE, mode);
    const request = work(transaction.objectStore(STORE));
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    return request?.result;
  };
}

const step = database(NAME, "id");

/**
 * One step in the database.
 * @template Result
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<Result>} work
 * @returns {Promise<Result | undefined | null>} null where the browser does not let us
 */
const transact = (mode, work) => step(mode, work).catch(() => null);

/** Whether the browser is to keep photos. */
export function isKeeping() {
  try {
    return localStorage.getItem(OPTED_OUT) === null;
  } catch {
    return false; // then it would keep nothing anyway
  }
}

/** Opt in or out; out forgets what is kept. @param {boolean} keeping */
export async function keep(keeping) {
  try {
    if (keeping) localStorage.removeItem(OPTED_OUT);
    else localStorage.setItem(OPTED_OUT, "yes");
  } catch {
    // then it holds until the page is left
  }
  if (!keeping) return discard();
  for (const photo of visit.values()) await write(photo);
}

/** Forget all photos, kept or not. */
export function clear() {
  visit.clear();
  return discard();
}

async function discard() {
  kept = new Set();
  await transact("readwrite", (store) => store.clear());
}

/** Learn what is kept here already. */
export async function load() {
  kept = new Set((await transact("readonly", (store) => store.getAllKeys())) ?? []);
}

/** Whether a photo can be shown again, as far as is known now. @param {string} id */
export const has = (id) => visit.has(id) || kept.has(id);

/**
 * Take a photo that somebody brings.
 * @param {File} file
 * @param {{ sample?: string, of?: number }} [more]
 * @returns {Photo}
 */
export function take(file, { sample = "", of = 1 } = {}) {
  const photo = { id: `${performance.timeOrigin}/${count++}`, file, sample, of, image: "" };
  visit.set(photo.id, photo);
  write(photo); // now already: who reloads during a slow upload has it still
  return photo;
}

/** Know a photo by its SHA-256 from now on. @param {Photo} photo @param {string} image */
export async function name(photo, image) {
  const before = photo.id;
  visit.delete(before);
  Object.assign(photo, { id: image, image });
  visit.set(image, photo);
  await write(photo, before);
}

/** Keep a photo no longer; this visit still has it. @param {string} id */
export async function drop(id) {
  kept.delete(id);
  await transact("readwrite", (store) => store.delete(id));
}

/** The photo of that id. @param {string} id @returns {Promise<Photo | undefined>} undefined where it is no longer kept */
export async function find(id) {
  const found = visit.get(id);
  if (found || !id) return found;
  const record = /** @type {Kept | null} */ (await transact("readonly", (store) => store.get(id)));
  if (!record) return undefined;
  const photo = { id, file: record.file, sample: "", of: 1, image: record.image };
  visit.set(id, photo);
  return photo;
}

/**
 * Keep a photo of somebody's own, and of the oldest only as many as there is room for.
 * @param {Photo} photo
 * @param {string} [before] by what it was called until now
 */
async function write({ id, file, sample, image }, before = id) {
  if (sample || !isKeeping()) return;
  const record = { id, file, image, at: Date.now() };
  const stored = await transact("readwrite", (store) => {
    if (before !== id) store.delete(before);
    return store.put(record);
  });
  if (stored === null) return;
  kept.delete(before);
  kept.add(id);
  const records = /** @type {Kept[]} */ ((await transact("readonly", (store) => store.getAll())) ?? []);
  let bytes = 0;
  records
    .sort((one, other) => other.at - one.at)
    .forEach((old, i) => {
      bytes += old.file.size;
      if (i >= MOST || (bytes > MOST_BYTES && i)) drop(old.id);
    });
}
