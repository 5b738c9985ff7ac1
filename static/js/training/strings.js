/** Every word that the scripts of the training page say. */

/** @param {number} n */
export const count = (n) => n.toLocaleString("en");

export const SAY = {
  play: "Play",
  pause: "Pause",
  place: (/** @type {number} */ step, /** @type {number} */ i, /** @type {number} */ n) =>
    `step ${count(step)}, ${i + 1} of ${n}`,
  after: (/** @type {string} */ what, /** @type {number} */ step) => `${what}, after step ${count(step)}`,
  at: (/** @type {number} */ step) => `step ${count(step)}`,
  notYet: (/** @type {number} */ step) => `not yet; first at step ${count(step)}`,
  along: "step",
  loss: (/** @type {number} */ value) => value.toFixed(2),
  percent: (/** @type {number} */ value) => `${value.toFixed(1)}%`,
  whole: (/** @type {number} */ value) => `${value}%`,
  missing: "–",
  noFigures: "The figures of this run did not arrive: refresh in a moment.",
  noSheet: (/** @type {number} */ step) => `The snapshot of step ${count(step)} did not arrive.`,
  noNews: "Nothing new since you looked.",
  news: (/** @type {number} */ step) => `Now at step ${count(step)}.`,
  gone: "The server does not answer: these are the last figures it sent.",
};
