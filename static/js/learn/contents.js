/** The list of steps: says which one is being read, leads to the next, and keeps out of the way on a phone. */

import { byId, find, findAll } from "../dom.js";
import { SAY } from "./strings.js";

const WIDE = matchMedia("(min-width: 64rem)");

export class Contents extends HTMLElement {
  /** In the order of the page. @type {HTMLAnchorElement[]} */
  links = [];

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
    this.links = findAll(this, "ol a", HTMLAnchorElement);
    const steps = this.links.map(({ hash }) => byId(hash.slice(1)));
    // A step is being read once it has begun above a line near the top of the window.
    const read = () =>
      this.mark(
        Math.max(
          0,
          steps.findLastIndex((one) => one.getBoundingClientRect().top < innerHeight / 4),
        ),
      );
    const watch = new IntersectionObserver(read, { rootMargin: "-25% 0px -75% 0px" });
    for (const step of steps) watch.observe(step);
  }

  /** @param {number} at the step that is being read, from 0 */
  mark(at) {
    this.links.forEach((link, i) => {
      if (i === at) link.setAttribute("aria-current", "step");
      else link.removeAttribute("aria-current");
    });
    find(this, "progress", HTMLProgressElement).value = at + 1;
    find(this, ".now").textContent = SAY.step(at, this.links.length);
    this.lead("prev", this.links[at - 1]);
    this.lead("next", this.links[at + 1]);
  }

  /** Where one of the two arrows leads. @param {"prev" | "next"} way @param {HTMLAnchorElement | undefined} step */
  lead(way, step) {
    const arrow = find(this, `[rel=${way}]`, HTMLAnchorElement);
    arrow.classList.toggle("none", !step);
    if (!step) return;
    arrow.href = step.hash;
    arrow.title = step.textContent ?? "";
  }
}
