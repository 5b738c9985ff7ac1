/** The state of learning: what it made of the photos, and how far that may be trusted. */

import { Trouble } from "../api.js";
import { byId, el } from "../dom.js";
import { SAY as PAGE } from "../strings.js";
import { SAY } from "./strings.js";
import { teach } from "./teaching.js";

const PAUSE = 120; // milliseconds in which further changes are waited for

/** What the service made of it last. @type {Rest.TeachResponse | null} */
let learned = null;

let timer = 0;
let current = new AbortController();

/** What was learned; null while that is not known. */
export const known = () => learned;

/**
 * Learn anew, since something has changed; what was under way before is called off.
 * @param {() => void} heard called once there is something new to show
 * @param {(error: unknown) => boolean} failed whether somebody else takes care of it
 */
export function learn(heard, failed) {
  clearTimeout(timer);
  current.abort();
  current = new AbortController();
  const { signal } = current;
  timer = setTimeout(async () => {
    try {
      learned = await teach(signal);
      if (signal.aborted) return;
      show(learned ? described(learned) : [el("p", { class: "quiet" }, SAY.nothing)]);
      heard();
    } catch (error) {
      if (signal.aborted) return;
      learned = null;
      if (!failed(error)) show(trouble(error, () => learn(heard, failed)));
      heard();
    }
  }, PAUSE);
}

/** @param {Node[]} parts */
const show = (parts) => byId("learned-body").replaceChildren(...parts);

/** @param {unknown} error @param {() => void} again */
function trouble(error, again) {
  const button = el("button", { type: "button", class: "btn" }, PAGE.tryAgain);
  button.addEventListener("click", again);
  const why = error instanceof Trouble ? error.detail : PAGE.strange;
  return [el("p", { class: "problem" }, SAY.failed(why)), el("div", { class: "acts" }, button)];
}

/** @param {Rest.TeachResponse} answer @returns {Node[]} */
function described({ method, names, outside, outside_called: called, tiers }) {
  const photos = names.reduce((sum, name) => sum + name.photos, 0);
  const lowest = Object.entries(tiers).filter(
    ([, { threshold }], i, all) => !all.slice(0, i).some(([, surer]) => surer.threshold <= threshold),
  );
  const says = lowest.map(([tier, { threshold, right }]) =>
    el("li", {}, SAY.tier(SAY.tiers[tier] ?? tier, threshold, right)),
  );
  return [
    el("p", {}, `${SAY.summary(names.length, photos)} ${SAY.methods[method] ?? method}`),
    says.length ? el("ul", {}, ...says) : el("p", {}, SAY.noTier),
    el("p", {}, SAY.outsideCalled(called, outside)),
  ];
}
