/** For See: the service no longer has what was taught, so it is taught once more. */

import { Trouble } from "../api.js";
import * as own from "./own.js";
import * as store from "./store.js";
import { teach } from "./teaching.js";

/** Who asks at the same time waits for the same. @type {Promise<void> | undefined} */
let under;

/** Teach what is kept; where that cannot be, answers do without. @returns {Promise<void>} rejects where it may work later */
export function again() {
  under ??= once().finally(() => {
    under = undefined;
  });
  return under;
}

async function once() {
  try {
    await store.load();
    await teach(new AbortController().signal, true);
  } catch (error) {
    if (error instanceof Trouble && error.passing) throw error;
    own.set({ taught: "" }); // the page Teach says what is the matter
  }
}
