/** Fetches playing, with its style, when somebody begins to play; and tells it of the photo that is shown. */

import { byId, el } from "../dom.js";
import { SAY } from "../strings.js";

/** @typedef {import("./page.js").Answered} Answered */

/** @type {Promise<typeof import("./page.js")> | undefined} */
let page;

/** The photo that is answered. @type {Answered | null} */
let shown = null;

const tools = /** @type {const} */ (["square", "cover"]);

/** @param {typeof tools[number]} name */
const opener = (name) => byId(`play-${name}`, HTMLButtonElement);

/** Playing, told of the photo. */
function fetched() {
  if (page) return page;
  document.head.append(el("link", { rel: "stylesheet", href: "static/css/play.css" }));
  page = import("./page.js");
  page.then(
    ({ answered }) => shown && answered(shown),
    () => {
      page = undefined; // so that the next try asks again
    },
  );
  return page;
}

/** A photo is answered: offer what can be played with. @param {Answered} answered */
async function begin(answered) {
  shown = answered;
  const { image, square } = answered.picture;
  opener("square").disabled = !image || Boolean(square);
  opener("cover").disabled = !image;
  byId("play-why").textContent = !image ? SAY.cannotCover : square ? SAY.cannotMove : "";
  byId("really").hidden = false;
  if (isTaught()) import("../teach/notice.js").then(({ show }) => show());
  const known = page;
  if (known) (await known).answered(answered);
}

/** Whether people taught this browser names of their own. */
function isTaught() {
  try {
    return localStorage.getItem("glassbot-taught") !== null;
  } catch {
    return false;
  }
}

async function leave() {
  shown = null;
  byId("really").hidden = true;
  (await page)?.left();
}

/** Listen to the page's events and to the tools, once. */
export function listen() {
  document.addEventListener("glassbot:answer", (event) => begin(/** @type {CustomEvent} */ (event).detail));
  document.addEventListener("glassbot:leave", leave);
  document.addEventListener("glassbot:wrong", async () => (await fetched()).wrong());
  for (const name of tools) opener(name).addEventListener("click", async () => (await fetched()).play(name));
  const near = new IntersectionObserver(([{ isIntersecting }]) => {
    if (!isIntersecting) return;
    near.disconnect();
    fetched();
  });
  near.observe(byId("really"));
}
