/** Takes photos for a name: the service turns each into numbers and keeps nothing of it; this browser keeps both. */

import { send, Trouble } from "../api.js";
import { find } from "../dom.js";
import { SAY as PAGE } from "../strings.js";
import { halves } from "./half.js";
import { MOST } from "./own.js";
import * as store from "./store.js";
import { SAY } from "./strings.js";
import { serves } from "./teaching.js";

/**
 * @typedef {import("./store.js").Photo} Photo
 *
 * @typedef {object} Refused a file that was not taken
 * @property {string} file its name
 * @property {string} why one sentence
 * @property {File} [again] where the same may succeed later, or with a key
 *
 * @typedef {{ added: number, refused: Refused[] }} Outcome
 */

const AT_ONCE = 3; // photos on their way to the service

/** Numbers that order photos of the same millisecond. */
let last = 0;

/** When a photo came; later than all before. */
export function now() {
  last = Math.max(Date.now(), last + 1 / 64);
  return last;
}

/** What makes a name that was typed one that can be used. @param {string} typed */
export const tidy = (typed) =>
  typed
    .normalize("NFC")
    .replace(/\s+/gu, " ")
    .replace(/(?! )[\p{C}\p{Z}]/gu, "")
    .trim();

/** The name as it is known already, however its letters are written; the same where it is new. @param {string} name */
export const known = (name) =>
  [...store.things().keys()].find((other) => other.toLowerCase() === name.toLowerCase()) ?? name;

/**
 * Do some work for each of many, a few at a time, until it is called off.
 * @template Item
 * @param {Item[]} items
 * @param {AbortSignal} signal
 * @param {(item: Item) => Promise<void>} work
 */
export async function each(items, signal, work) {
  const waiting = [...items];
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined && !signal.aborted; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/**
 * Numbers of a photo, and what the service says of it.
 * @param {File} file
 * @param {AbortSignal} signal
 * @returns {Promise<{ answer: Rest.EmbedResponse, embedding: ArrayBuffer }>} rejects with Trouble
 */
export async function embed(file, signal) {
  const answer = /** @type {Rest.EmbedResponse} */ (
    await (await send("embed", file, "application/json", signal)).json()
  );
  serves(answer.network);
  return { answer, embedding: halves(answer.embedding).buffer };
}

/**
 * Take photos for a name. Those that cannot be taken are named with their reason; the others are kept.
 * @param {string} name OUTSIDE for photos of other things
 * @param {File[]} files
 * @param {AbortSignal} signal
 * @param {(done: number) => void} progress
 * @returns {Promise<Outcome>}
 */
export async function add(name, files, signal, progress) {
  const there = name === store.OUTSIDE ? store.outside().length : (store.things().get(name)?.length ?? 0);
  const room = Math.max(0, name === store.OUTSIDE ? files.length : MOST - there);
  /** @type {Outcome} */
  const outcome = { added: 0, refused: [] };
  let done = 0;
  const orders = new Map(files.map((file) => [file, now()]));
  await each(files.slice(0, room), signal, async (file) => {
    try {
      await take(name, file, orders.get(file) ?? now(), signal);
      if (signal.aborted) return;
      outcome.added++;
    } catch (error) {
      if (signal.aborted) return;
      outcome.refused.push(refusal(file, error));
    }
    progress(++done);
  });
  if (files.length > room) outcome.refused.push({ file: SAY.files(files.length - room), why: SAY.tooMany(MOST) });
  return outcome;
}

/** @param {File} file @param {unknown} error @returns {Refused} */
function refusal(file, error) {
  const [why, passing] =
    error instanceof Trouble ? [error.detail, error.passing || error.status === 401] : [PAGE.unreadableWhy, false];
  return { file: file.name, why, ...(passing && { again: file }) };
}

/** @param {string} why @param {number} [status] */
const trouble = (why, status = 422) => new Trouble(PAGE.unreadable, why, { status });

/**
 * Take one photo.
 * @param {string} name
 * @param {File} file
 * @param {number} at
 * @param {AbortSignal} signal
 * @returns {Promise<void>} rejects with Trouble where it cannot be taken
 */
async function take(name, file, at, signal) {
  const megabytes = find(document, "[data-megabytes]").dataset.megabytes ?? "";
  if (file.size > 1e6 * Number(megabytes)) throw trouble(PAGE.tooLargeWhy(megabytes), 413);
  await file.slice(0, 1).arrayBuffer(); // a folder cannot be read
  const { answer, embedding } = await embed(file, signal);
  const { sha256 } = answer.image;
  if (signal.aborted) return;
  const twin = checkNew(sha256, name);
  await store.put([{ sha256, name, file, thumb: "", embedding, network: answer.network, at: twin?.at ?? at }]);
}

/** A photo may be there as numbers only: then its file is welcome. @param {string} sha256 @param {string} name */
function checkNew(sha256, name) {
  const twin = store.get(sha256);
  if (twin && twin.name !== name) throw trouble(SAY.elsewhere(twin.name));
  if (twin?.file) throw trouble(SAY.already);
  return twin;
}

/**
 * Look again at photos whose numbers are another network's.
 * @param {Photo[]} photos with files
 * @param {AbortSignal} signal
 * @param {(done: number) => void} progress
 * @returns {Promise<Refused[]>}
 */
export async function renew(photos, signal, progress) {
  /** @type {Refused[]} */
  const refused = [];
  let done = 0;
  await each(photos, signal, async (photo) => {
    if (!photo.file) return;
    try {
      const { answer, embedding } = await embed(photo.file, signal);
      await store.amend(photo.sha256, { embedding, network: answer.network });
    } catch (error) {
      if (signal.aborted) return;
      refused.push(refusal(photo.file, error));
    }
    progress(++done);
  });
  return refused;
}
