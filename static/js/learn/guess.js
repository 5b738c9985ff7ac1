/** A question for whoever likes to guess first: a choice opens the answer. The demonstration waits for neither. */

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
