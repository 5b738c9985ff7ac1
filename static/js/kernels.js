/** The 96 kernels. Once a photo is answered each opens its channel of conv1. */

import { byId, el } from "./dom.js";
import { roving, stop } from "./roving.js";
import { SAY } from "./strings.js";

/** Fetch the sheet when somebody comes near it. */
export function listen() {
  const section = byId("kernels");
  const watch = new IntersectionObserver(([{ isIntersecting }]) => {
    if (!isIntersecting) return;
    section.classList.add("near");
    watch.disconnect();
  }, { rootMargin: "200px" });
  watch.observe(section);
}

/**
 * Turn the tiles into buttons, of the same size in the same place.
 * @param {(channel: number) => void} open
 */
export function wake(open) {
  for (const grid of byId("kernels").querySelectorAll(".tiles[role=img]")) {
    const from = Number(grid.dataset.from);
    grid.setAttribute("role", "group");
    grid.setAttribute("aria-label", SAY.kernels(from));
    const one = (/** @type {Node} */ _, /** @type {number} */ i) =>
      el("button", { type: "button", "aria-label": SAY.kernel(from + i), tabindex: i ? -1 : 0, "data-channel": from + i });
    grid.replaceChildren(...[...grid.children].map(one));
    grid.addEventListener("click", (/** @type {any} */ event) => {
      const button = event.target.closest("button");
      if (!button) return;
      stop(grid, button);
      open(Number(button.dataset.channel));
    });
    roving(grid, () => {});
  }
}
