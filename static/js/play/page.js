/** All of playing: fetched with the first answer, and told of every photo that is shown. */

import { model } from "../api.js";
import * as really from "./really.js";
import * as tools from "./tools.js";

/**
 * @typedef {object} Answered what glassbot:answer tells
 * @property {string} image SHA-256 of the photo
 * @property {Rest.PredictResponse} prediction
 * @property {import("../photo.js").Picture} picture
 * @property {Promise<import("../activations.js").Activations | null>} activations
 */

let current = new AbortController();

/** Settled once all is there to play with. @type {Promise<void>} */
let ready = Promise.resolve();

/** A photo is answered. @param {Answered} answered */
export function answered(answered) {
  ready = begin(answered);
}

/** @param {Answered} answered */
async function begin(answered) {
  current.abort();
  current = new AbortController();
  const { signal } = current;
  const facts = await model().catch(() => null);
  if (signal.aborted || !facts) return;
  tools.begin(answered, facts.input_size);
  really.begin(answered, facts, signal);
}

/** It goes. */
export function left() {
  current.abort();
  tools.leave();
}

/** Somebody takes up a tool, or lays it down. @param {import("./stage.js").Tool} name */
export const play = (name) => ready.then(() => tools.turn(name));

/** Somebody said that the answer is wrong. */
export const wrong = () => ready.then(really.ask);
