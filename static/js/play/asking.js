/** Asks about one drawing after another; while one is asked about only the latest of the others waits. */

import { glance, Trouble } from "../api.js";

const LEAST = 120; // milliseconds between two questions: others want to be answered, too
const PATIENCE = 1000; // milliseconds until a busy server is asked again

/** @param {number} ms */
const pause = (ms) => new Promise((resume) => setTimeout(resume, ms));

/** More labels than are shown, so that what rose from below can be told by how much. */
const PATH = "predict?top_k=20";

/** @param {Blob} png @param {AbortSignal} signal */
export const predict = (png, signal) => glance(png, signal, PATH);

/**
 * @param {() => Promise<Blob>} draw the latest drawing
 * @param {(answer: Rest.PredictResponse) => void} answered
 * @param {(trouble: unknown) => void} failed called each time; a busy server is asked again
 * @param {AbortSignal} signal ends it
 * @returns {() => void} call it whenever the drawing has changed
 */
export function follow(draw, answered, failed, signal) {
  let waiting = false;
  let busy = false;
  return async function changed() {
    waiting = true;
    if (busy) return;
    busy = true;
    while (waiting && !signal.aborted) {
      waiting = false;
      try {
        const answer = await predict(await draw(), signal);
        if (!signal.aborted) answered(answer);
        await pause(LEAST);
      } catch (error) {
        if (signal.aborted) break;
        failed(error);
        if (!(error instanceof Trouble) || !error.passing) continue;
        waiting = true;
        await pause(PATIENCE);
      }
    }
    busy = false;
  };
}
