/**
 * What was shown here before, and whether the answer was right: kept by this browser, sent nowhere.
 *
 * @typedef {object} Entry
 * @property {string} id SHA-256 of the photo
 * @property {string} thumb small JPEG, as a data URI; "" where the photo cannot be drawn
 * @property {string} text the sentence
 * @property {string} sample its name; "" for somebody's own
 * @property {string} verdict "right", "sort of", "wrong" or ""
 */

const PLACE = "glassbot-past";
const MOST = 24;

/** @returns {Entry[]} newest first */
function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(PLACE) ?? "[]");
    return Array.isArray(kept) ? kept.filter((one) => typeof one?.id === "string" && typeof one.text === "string") : [];
  } catch {
    return []; // nothing may be kept here, or it is not ours
  }
}

let past = read();

function write() {
  try {
    if (past.length) localStorage.setItem(PLACE, JSON.stringify(past));
    else localStorage.removeItem(PLACE);
  } catch {
    // then it is known until the page is left
  }
}

/** Newest first. */
export const entries = () => past;

/** @param {string} id @returns {string} what was said of that answer, or "" */
export const verdictOn = (id) => past.find((one) => one.id === id)?.verdict ?? "";

/** Write an answer down; one of the same photo before it makes room, but for the verdict. @param {Omit<Entry, "verdict">} entry */
export function add(entry) {
  past = [{ ...entry, verdict: verdictOn(entry.id) }, ...past.filter((one) => one.id !== entry.id)].slice(0, MOST);
  write();
}

/** @param {string} id @param {string} verdict */
export function judge(id, verdict) {
  for (const one of past) if (one.id === id) one.verdict = verdict;
  write();
}

export function forget() {
  past = [];
  write();
}
