/**
 * The photos that were shown here before, and whether the answers were right: kept by this browser, sent nowhere.
 *
 * @typedef {object} Entry
 * @property {string} id SHA-256 of the photo
 * @property {string} thumb small JPEG, as a data URI; "" where the photo cannot be drawn
 * @property {string} text the sentence
 * @property {string} sample its name; "" for somebody's own
 * @property {string} verdict "right", "sort of", "wrong" or ""
 */

const KEY = "glassbot-past"; // an old name, so that what browsers hold already is found again
const LIMIT = 24;

/** @returns {Entry[]} newest first */
function read() {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(stored) ? stored.filter(isEntry) : [];
  } catch {
    return []; // nothing may be kept here, or it is not ours
  }
}

/** @param {Partial<Entry> | null} value */
const isEntry = (value) => typeof value?.id === "string" && typeof value.text === "string";

let stored = read();

function write() {
  try {
    if (stored.length) localStorage.setItem(KEY, JSON.stringify(stored));
    else localStorage.removeItem(KEY);
  } catch {
    // then it is known until the page is left
  }
}

/** Newest first. */
export const entries = () => stored;

/** @param {string} id @returns {string} the verdict on that photo's answer; "" where there is none */
export const verdictOn = (id) => stored.find((entry) => entry.id === id)?.verdict ?? "";

/**
 * Write an answer down; an older one of the same photo makes room, but for its verdict.
 * @param {Omit<Entry, "verdict">} entry
 */
export function add(entry) {
  const others = stored.filter(({ id }) => id !== entry.id);
  stored = [{ ...entry, verdict: verdictOn(entry.id) }, ...others].slice(0, LIMIT);
  write();
}

/** @param {string} id @param {string} verdict */
export function judge(id, verdict) {
  for (const entry of stored) if (entry.id === id) entry.verdict = verdict;
  write();
}

/** Forget all of it. */
export function clear() {
  stored = [];
  write();
}
