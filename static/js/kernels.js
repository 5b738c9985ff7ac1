/** The kernels of conv1, cut from one sheet of 12 to a row. Once a photo is answered each opens its channel. */

import { byId, el, findAll, onButton } from "./dom.js";
import { roving, stop } from "./roving.js";
import { SAY } from "./strings.js";

const ACROSS = 12;

/** One grid for each column of the network. */
const grids = () => findAll(byId("kernels"), ".tiles");

/** Lay out the tiles; fetch the sheet when somebody comes near it. */
export function listen() {
  const section = byId("kernels");
  const rows = Math.ceil(Number(section.dataset.count) / ACROSS);
  section.style.setProperty("--rows", String(rows));
  for (const grid of grids()) {
    const { from, count } = grid.dataset;
    grid.replaceChildren(...Array.from({ length: Number(count) }, (_, i) => place(el("i"), Number(from) + i, rows)));
  }
  const watch = new IntersectionObserver(
    ([{ isIntersecting }]) => {
      if (!isIntersecting) return;
      section.classList.add("near");
      watch.disconnect();
    },
    { rootMargin: "200px" },
  );
  watch.observe(section);
}

/**
 * Show one kernel of the sheet on a tile.
 * @param {HTMLElement} tile
 * @param {number} kernel
 * @param {number} rows of the sheet
 */
function place(tile, kernel, rows) {
  tile.style.setProperty("--x", `${(100 * (kernel % ACROSS)) / (ACROSS - 1)}%`);
  tile.style.setProperty("--y", `${(100 * Math.floor(kernel / ACROSS)) / Math.max(1, rows - 1)}%`);
  return tile;
}

/**
 * Turn the tiles into buttons, of the same size in the same place.
 * @param {(channel: number) => void} open
 */
export function wake(open) {
  for (const grid of grids()) {
    if (grid.getAttribute("role") === "group") continue; // they are awake
    const from = Number(grid.dataset.from);
    grid.setAttribute("role", "group");
    grid.setAttribute("aria-label", SAY.kernels(from, grid.childElementCount));
    const buttons = findAll(grid, "i").map((tile, i) => {
      const channel = from + i;
      const button = el("button", {
        type: "button",
        "aria-label": SAY.kernel(channel),
        tabindex: i ? -1 : 0,
        "data-channel": channel,
      });
      button.style.cssText = tile.style.cssText;
      return button;
    });
    grid.replaceChildren(...buttons);
    onButton(grid, (button) => {
      stop(grid, button);
      open(Number(button.dataset.channel));
    });
    roving(grid, () => {});
  }
}
