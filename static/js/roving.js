/** One tab stop for a whole grid of buttons; the arrow keys, Home and End move inside it. */

/**
 * @param {HTMLElement} grid whose children are the buttons
 * @param {(button: HTMLButtonElement) => void} arrived called when a key moves to a button
 */
export function roving(grid, arrived) {
  grid.addEventListener("keydown", (event) => {
    const all = [...grid.querySelectorAll("button")];
    const at = all.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    if (at < 0) return;
    const to = target(event.key, at, all);
    if (to === undefined) return;
    event.preventDefault();
    stop(grid, all[to]);
    all[to].focus();
    arrived(all[to]);
  });
}

/**
 * @param {string} key
 * @param {number} at
 * @param {HTMLElement[]} all
 * @returns {number | undefined} where the key leads; undefined for other keys
 */
function target(key, at, all) {
  const last = all.length - 1;
  const second = all.findIndex((button) => button.offsetTop > all[0].offsetTop);
  const row = Math.max(second, 0);
  /** @type {Record<string, number>} */
  const keys = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + row, ArrowUp: at - row, Home: 0, End: last };
  const to = keys[key];
  if (to === undefined) return undefined;
  return to < 0 || to > last ? at : to;
}

/**
 * Make a button the grid's tab stop.
 * @param {HTMLElement} grid
 * @param {HTMLElement} button
 */
export function stop(grid, button) {
  for (const old of grid.querySelectorAll('[tabindex="0"]')) old.setAttribute("tabindex", "-1");
  button.tabIndex = 0;
}
