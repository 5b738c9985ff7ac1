/** How the sentence came about, in one line: labels, their sum, and what that suffices for. */

import { curly, el } from "./dom.js";
import { SAY } from "./strings.js";

/** @typedef {import("./answer.js").Choice} Choice */

const MOST = 3; // members that are named; the others are summed

/** Where the page would say otherwise than the sentence's own number, it says why. */
const APART = 0.1;

/**
 * A claim as something that a map can be drawn for: its label, or all its members together.
 * @param {Rest.ClaimAnswer} claim
 * @param {number} number its place in the sentence
 * @returns {Choice | undefined}
 */
export function choiceOfClaim({ members, phrase }, number) {
  const [leading] = members;
  if (!leading) return undefined;
  const choice = { id: leading.id, vocabulary: leading.vocabulary, name: leading.label };
  return members.length > 1 ? { ...choice, claim: number, phrase } : choice;
}

/**
 * @param {Rest.ClaimAnswer} claim
 * @returns {string} "bridge 12% + skyscraper 20% + others 12%"
 */
function parts({ node, probability, members, combination }) {
  if (members.length < 2) return SAY.part(node, probability);
  const shown = members.slice(0, MOST);
  const named = shown.map(({ label, score }) => SAY.part(label, score));
  // What is left of the whole per cents, so that the line adds up as it is read.
  const others = shown.reduce((left, { score }) => left - Math.round(100 * score), Math.round(100 * probability));
  if (combination === "any" && members.length > MOST) named.push(SAY.others);
  if (combination === "sum" && others > 0) named.push(SAY.part(SAY.others, others / 100));
  return named.join(SAY.joins[combination]);
}

/**
 * The line. What it leads to is a button that chooses the map, where that is of several labels.
 * @param {Rest.CaptionAnswer} caption
 * @param {(button: HTMLButtonElement, choice: Choice) => void} pick
 * @returns {(Node | string)[]}
 */
export function derivation({ claims, additions, tier, confidence, threshold, blank }, pick) {
  const start = `${claims.map(parts).join(" × ")} → `;
  if (blank) return [start, SAY.blank];
  if (tier === "pass") return [start, SAY.tooLittle(threshold)];
  const added = additions.length ? SAY.added(additions.map(parts).join(" × ")) : "";
  const end = (threshold === null ? "." : SAY.saidFrom(threshold)) + added;
  if (claims.length > 1) return [start, el("b", {}, SAY.derived(SAY.allOfIt, confidence)), end];
  const [claim] = claims;
  const words = curly(SAY.derived(claim.phrase, confidence));
  const choice = choiceOfClaim(claim, 0);
  if (choice?.claim === undefined) return [start, el("b", {}, words), end];
  const button = el("button", { type: "button", class: "whole", "aria-pressed": "false" }, words);
  pick(button, choice);
  return [start, button, end];
}

/**
 * Why this sentence's own probability is not how often such sentences are right; "" where they are about the same.
 * @param {Pick<Rest.CaptionAnswer, "confidence" | "right_times_in_ten">} caption
 */
export function difference({ confidence, right_times_in_ten: right }) {
  return right !== null && Math.abs(confidence - right / 10) >= APART ? SAY.thisOne(confidence) : "";
}
