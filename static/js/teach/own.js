/**
 * What See has to know of the names that people taught: kept small and apart from the photos, so that it is there at once.
 *
 * @typedef {object} Own
 * @property {boolean} on whether answers use them
 * @property {string} taught by what the service knows what was learned; "" where that is nothing yet
 * @property {string} network whose numbers are kept; "" where none are
 * @property {[name: string, photos: number][]} things all of them, also those with too few photos
 */

const KEY = "glassbot-taught"; // api.js reads it, too

/** @type {Own} */
const NONE = { on: true, taught: "", network: "", things: [] };

/** The fewest photos of a name that is learned, and the most that it may have. */
export const [LEAST, MOST] = [3, 50];

/** @returns {Own} */
export function get() {
  try {
    return { ...NONE, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return NONE;
  }
}

/** Change some of it. @param {Partial<Own>} change */
export function set(change) {
  const own = { ...get(), ...change };
  try {
    if (own.things.length) localStorage.setItem(KEY, JSON.stringify(own));
    else localStorage.removeItem(KEY);
  } catch {
    // then only the page that teaches knows of them, until it is left
  }
}

/** The names that answers use. @returns {string[]} */
export const used = () => {
  const { on, taught, things } = get();
  return on && taught ? things.filter(([, photos]) => photos >= LEAST).map(([name]) => name) : [];
};
