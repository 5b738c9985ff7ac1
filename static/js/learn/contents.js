/** The list of steps: says which one is being read, and keeps out of the way on a phone. */

import { byId, find, findAll } from "../dom.js";

const WIDE = matchMedia("(min-width: 64rem)");

export class Contents extends HTMLElement {
  /** By the id of the step. @type {Map<string, HTMLAnchorElement>} */
  links = new Map();

  connectedCallback() {
    const details = find(this, "details", HTMLDetailsElement);
    const fit = () => {
      details.open = WIDE.matches;
    };
    WIDE.addEventListener("change", fit);
    fit();
    this.addEventListener("click", (event) => {
      if (!WIDE.matches && /** @type {Element} */ (event.target).closest("a")) details.open = false;
    });
    this.links = new Map(findAll(this, "a", HTMLAnchorElement).map((link) => [link.hash.slice(1), link]));
    // A step is being read while its part of a line near the top of the window is its own.
    const watch = new IntersectionObserver((all) => this.read(all), { rootMargin: "-25% 0px -75% 0px" });
    for (const id of this.links.keys()) watch.observe(byId(id));
  }

  /** @param {IntersectionObserverEntry[]} all */
  read(all) {
    const now = all.find(({ isIntersecting }) => isIntersecting);
    if (!now) return;
    for (const [id, link] of this.links) {
      if (id === now.target.id) link.setAttribute("aria-current", "step");
      else link.removeAttribute("aria-current");
    }
  }
}
