/** A question: the reader chooses an answer, then the right one opens. The open answer is all there is of its state. */

import { press } from "../dom.js";
import { SAY } from "./strings.js";

export class Guess extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => {
      const choice = /** @type {Element} */ (event.target).closest(".choices button");
      if (choice) this.choose(choice);
    });
  }

  /** @param {Element} choice */
  choose(choice) {
    press(this, choice);
    this.querySelector(".verdict").textContent = choice.hasAttribute("data-right") ? SAY.right : SAY.wrong;
    this.querySelector("details").open = true;
  }
}

/**
 * Call back whenever the answer to the step's question opens; at once where it is open already.
 * @param {Element} demonstration in the same step
 * @param {() => void} shown
 */
export function onReveal(demonstration, shown) {
  const details = demonstration.closest("section").querySelector("details");
  details.addEventListener("toggle", () => details.open && shown());
  if (details.open) shown();
}
