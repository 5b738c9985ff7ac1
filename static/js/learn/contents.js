/** The list of steps: says which one is being read, and keeps out of the way on a phone. */

const WIDE = matchMedia("(min-width: 64rem)");

export class Contents extends HTMLElement {
  connectedCallback() {
    const details = this.querySelector("details");
    const fit = () => (details.open = WIDE.matches);
    WIDE.addEventListener("change", fit);
    fit();
    this.addEventListener("click", (event) => {
      if (!WIDE.matches && /** @type {Element} */ (event.target).closest("a")) details.open = false;
    });
    this.links = new Map([...this.querySelectorAll("a")].map((link) => [link.hash.slice(1), link]));
    // A step is being read while its part of a line near the top of the window is its own.
    const watch = new IntersectionObserver((all) => this.read(all), { rootMargin: "-25% 0px -75% 0px" });
    for (const id of this.links.keys()) watch.observe(document.getElementById(id));
  }

  /** @param {IntersectionObserverEntry[]} all */
  read(all) {
    const now = all.find((one) => one.isIntersecting);
    if (!now) return;
    for (const [id, link] of this.links) {
      if (id === now.target.id) link.setAttribute("aria-current", "step");
      else link.removeAttribute("aria-current");
    }
  }
}
