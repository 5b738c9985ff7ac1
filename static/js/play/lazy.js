/** Fetches playing, with its style, once there is an answer to play with; and tells it of what is shown. */

import { byId, el } from "../dom.js";

/** @type {Promise<typeof import("./page.js")> | undefined} */
let page;

function fetched() {
  if (!page) document.head.append(el("link", { rel: "stylesheet", href: "static/css/play.css" }));
  page ??= import("./page.js");
  page.catch(() => {
    page = undefined; // so that the next photo asks again
  });
  return page;
}

/** Listen to the page's events, once. */
export function listen() {
  const section = byId("really");
  document.addEventListener("glassbot:answer", async (event) => {
    section.hidden = false;
    (await fetched()).answered(/** @type {CustomEvent} */ (event).detail);
  });
  document.addEventListener("glassbot:leave", async () => {
    section.hidden = true;
    (await page)?.left();
  });
  document.addEventListener("glassbot:wrong", async () => (await fetched()).wrong());
}
