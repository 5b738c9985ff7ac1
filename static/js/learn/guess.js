/** A question: the reader chooses an answer, then the right one opens. The open answer is all there is of its state. */

import { find, onButton, press } from "../dom.js";
import { SAY } from "./strings.js";

export class Guess extends HTMLElement {
  connectedCallback() {
    onButton(find(this, ".choices"), (choice) => this.choose(choice));
  }

  /** @param {Element} choice */
  choose(choice) {
    press(this, choice);
    find(this, ".verdict").textContent = choice.hasAttribute("data-right") ? SAY.right : SAY.wrong;
    find(this, "details", HTMLDetailsElement).open = true;
  }
}

/**
 * Call back whenever the answer to the step's question opens; at once where it is open already.
 * @param {Element} demonstration in the same step
 * @param {() => void} shown
 */
export function onReveal(demonstration, shown) {
  const details = answerOf(demonstration);
  details.addEventListener("toggle", () => details.open && shown());
  if (details.open) shown();
}

/** The answer to the question of a demonstration's step. @param {Element} demonstration */
export const answerOf = (demonstration) =>
  find(demonstration.closest("section") ?? document, "details", HTMLDetailsElement);
