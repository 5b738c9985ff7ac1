/** Fetches the connected view when somebody comes near it, and tells it of the photo and the label that are shown. */

import { byId } from "../dom.js";

/** @typedef {typeof import("./page.js")} Page */

/** @type {Page | undefined} */
let page;

/** What was said before the view was there, the latest of each. @type {Map<string, (page: Page) => void>} */
const waiting = new Map();

/** @param {string} name @param {(page: Page) => void} tell */
function say(name, tell) {
  waiting.set(name, tell);
  if (page) tell(page);
}

/** Listen to the page's events, once. */
export function listen() {
  const section = byId("network");
  document.addEventListener("glassbot:answer", (event) => {
    section.hidden = false;
    say("answer", ({ answered }) => answered(/** @type {CustomEvent} */ (event).detail));
  });
  document.addEventListener("glassbot:label", (event) =>
    say("label", ({ chose }) => chose(/** @type {CustomEvent} */ (event).detail)),
  );
  document.addEventListener("glassbot:leave", () => {
    section.hidden = true;
    waiting.clear();
    page?.left();
  });
  const near = new IntersectionObserver(
    async ([{ isIntersecting }]) => {
      if (!isIntersecting) return;
      near.disconnect();
      page = await import("./page.js");
      for (const tell of waiting.values()) tell(page);
    },
    { rootMargin: "0px 0px 10%" },
  );
  near.observe(section);
}
