/** The page: brings together the photos, the addresses and the lens. */

import * as address from "./address.js";
import * as answer from "./answer.js";
import { byId } from "./dom.js";
import * as emptyState from "./empty-state.js";
import * as historyList from "./history-list.js";
import * as intake from "./intake.js";
import * as kernels from "./kernels.js";
import { listen as listenForKey } from "./key.js";
import * as session from "./photo-session.js";
import * as photos from "./photo-store.js";
import { SAY } from "./strings.js";

/** @type {Promise<typeof import("./lens.js")> | undefined} */
let lens;

/** Counts the turns that the page has taken, so that what comes late is not shown. */
let turns = 0;

/** Look at a photo that somebody brought. @type {Parameters<typeof intake.listen>[0]} */
function bring(file, more) {
  again(photos.take(file, more).id, more?.sample ?? "");
}

/** Look at a photo that is known already. @param {string} id @param {string} [sample] */
function again(id, sample = "") {
  address.enter(id, sample);
  arrive();
}

/** Show what the address and the history say. */
async function arrive() {
  const turn = ++turns;
  (await lens)?.close();
  if (turn !== turns) return;
  if (address.isLens()) return look(turn);
  const { sample } = address.view();
  if (address.isTyped() && !sample && session.id()) address.settle(session.id());
  const id = address.photo() ?? "";
  if (id && id === session.id()) return session.turn();
  const photo = await photos.find(id);
  if (turn !== turns) return;
  if (photo) return session.take(photo);
  const fetching = intake.sample(sample);
  if (!fetching) return reset(id ? SAY.notKept : "");
  try {
    const fetched = photos.take(await fetching, { sample });
    if (turn !== turns) return;
    address.settle(fetched.id);
    arrive();
  } catch (error) {
    refuse(error);
  }
}

/** Nothing is looked at. @param {string} why */
function reset(why) {
  session.leave();
  emptyState.reset(why);
}

/** @param {unknown} error */
function refuse(error) {
  session.leave();
  emptyState.refuse(error);
}

/** Look through the camera, unless the page has turned elsewhere. @param {number} turn */
async function look(turn) {
  session.leave();
  emptyState.wait(SAY.askingForCamera);
  try {
    lens ??= import("./lens.js");
    const { open } = await lens;
    if (turn === turns) await open(bring, refuse);
  } catch (error) {
    lens = undefined;
    if (turn === turns) refuse(error);
  }
}

intake.listen(bring, refuse);
intake.lens(() => {
  address.enterLens();
  arrive();
});
byId("stop").addEventListener("click", () => history.back());
listenForKey();
answer.listen();
kernels.listen();
historyList.listen(again);
address.listen(arrive);
document.addEventListener("glassbot:bring", (event) => bring(/** @type {CustomEvent} */ (event).detail.file));
const [how] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
if (address.isLens())
  address.leaveLens(); // no link and no reload turns on a camera
else if (how?.type === "navigate" && address.photo()) address.forget(); // a link to here asks for no photo
if (address.view().sample || address.photo()) {
  if (how?.type !== "navigate") address.scrollBack();
  arrive();
}
setTimeout(session.prepare, 500); // once the page itself has settled
document.documentElement.dataset.ready = "";
