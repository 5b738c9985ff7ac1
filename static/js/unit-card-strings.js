/** The words of the cards of units. */

import { SAY } from "./strings.js";

/** @param {number} p */
const whole = (p) => String(Math.round(100 * p));
/** @param {number} value */
const number = (value) => (Math.abs(value) >= 10 ? value.toFixed(0) : value.toFixed(1));

/** @type {Record<string, string>} */
const COLOURS = { grey: "light against dark", "red-green": "red against green", "blue-yellow": "blue against yellow" };

/** @param {Rest.UnitTuning} tuning */
function direction({ angle, selectivity }) {
  if (selectivity < 0.2) return "stripes of any direction";
  if (angle === 0) return "horizontal stripes";
  if (angle === 90) return "vertical stripes";
  return angle < 90 ? `stripes that rise to the right (${angle}°)` : `stripes that fall to the right (${180 - angle}°)`;
}

export const CARD = {
  none: "What each channel looks for has not been worked out for this network.",
  failed: "What this channel looks for did not arrive.",
  dead: "No test photo excited it: this channel is dead.",
  looksFor: "What it looks for",
  looksForAlt: (/** @type {string} */ what) => `The synthetic picture that excites ${what} most.`,
  made: (/** @type {Rest.UnitExcitation} */ { synthetic, real }, /** @type {number} */ photos) =>
    "Made from noise, step by step, so that it excites it most" +
    (real === null
      ? `: ${number(synthetic)}.`
      : `: ${number(synthetic)}; the best of ${photos.toLocaleString("en")} test photos reaches ${number(real)}.`),
  name: (/** @type {Rest.UnitName} */ { name, kind }) => (kind ? `any ${name}` : name),
  evidence: (/** @type {Rest.UnitName} */ { precision, low, high, base }) =>
    `right ${SAY.percent(precision)} of the time, ${whole(low)}–${whole(high)}; by chance it would be ${SAY.percent(base)}.`,
  firesFor: "Fires most for: ",
  noName: "No label or word fits what excites it well enough to name it.",
  active: (/** @type {number} */ share) => `Active somewhere on ${SAY.percent(share)} of test photos.`,
  tuning: (/** @type {Rest.UnitTuning} */ tuning) =>
    tuning.period
      ? `Tuned to ${direction(tuning)}, one every ${tuning.period} pixels, ${COLOURS[tuning.colour]}.`
      : `Tuned to an even patch, ${COLOURS[tuning.colour]}.`,
  arguesFor: "Argues for",
  arguesAgainst: "Argues against",
  effect: (/** @type {number} */ value) =>
    `${value < 0 ? "−" : "+"}${Math.abs(value) < 1 ? Math.abs(value).toPrecision(1) : Math.abs(value).toFixed(1)}`,
  effectNote: "What it adds to the evidence for a label, on average, where it is active.",
  fedBy: (/** @type {string} */ layer) => `Fed most by, in ${layer}`,
  unit: (/** @type {string} */ layer, /** @type {number} */ channel) =>
    `${layer}, channel ${channel + 1}: open its card`,
  label: (/** @type {string} */ name) => `“${name}”: what the network looks for`,
  close: "Close",
};
