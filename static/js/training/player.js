/** Goes through the steps by itself, as long as nobody minds moving things. */

import { SAY } from "./strings.js";

const CALM = matchMedia("(prefers-reduced-motion: reduce)");
const TOUR = 12_000; // milliseconds for all steps, within these bounds for each
const [SHORTEST, LONGEST] = [120, 700];

/**
 * @param {HTMLButtonElement} button
 * @param {object} run
 * @param {number} run.steps how many there are
 * @param {() => number} run.at where it is
 * @param {(index: number) => Promise<unknown>} run.fetch until a step can be shown at once
 * @param {(index: number) => void} run.show
 * @param {() => void} run.rested called when a tour ends or is ended
 * @param {AbortSignal} signal ends it for good
 * @returns {() => void} stops a tour
 */
export function player(button, { steps, at, fetch, show, rested }, signal) {
  /** The tour under way. @type {symbol | null} */
  let tour = null;

  const stop = () => {
    if (tour) rested();
    tour = null;
    button.textContent = SAY.play;
  };

  const play = async () => {
    const mine = Symbol("tour");
    tour = mine;
    button.textContent = SAY.pause;
    const pause = Math.min(LONGEST, Math.max(SHORTEST, TOUR / steps));
    for (let index = at() === steps - 1 ? 0 : at() + 1; index < steps; index++) {
      await fetch(index);
      if (tour !== mine) return;
      show(index);
      await new Promise((resume) => setTimeout(resume, pause));
    }
    if (tour === mine) stop();
  };

  const consider = () => {
    button.hidden = CALM.matches;
    if (CALM.matches) stop();
  };

  button.disabled = steps < 2;
  button.addEventListener("click", () => (tour ? stop() : play()), { signal });
  CALM.addEventListener("change", consider, { signal });
  signal.addEventListener("abort", () => {
    tour = null;
  });
  consider();
  return stop;
}
