/** When a demonstration begins: as soon as it comes into sight, not before, so that a page that is opened asks for little. */

/**
 * Call back once, when an element comes into sight.
 * @param {Element} element
 * @param {() => void} begin
 * @param {string} [margin] of the window, above and below it: how far from it an element may still be
 */
export function inSight(element, begin, margin = "25%") {
  const watch = new IntersectionObserver(
    (entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      watch.disconnect();
      begin();
    },
    { rootMargin: `${margin} 0px` },
  );
  watch.observe(element);
}
