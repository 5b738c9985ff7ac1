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
import { SAY } from "./strings.js";

/** The photos of this visit, by the number that the history holds. @type {Map<string, session.Photo>} */
const photos = new Map();

/** @type {Promise<typeof import("./lens.js")> | undefined} */
let lens;

/** Counts the turns that the page has taken, so that what comes late is not shown. */
let turns = 0;

/** Hold a photo as long as the page is open. @param {File} file @param {{ sample?: string, of?: number }} [more] */
function remember(file, { sample = "", of = 1 } = {}) {
  const number = `${performance.timeOrigin}/${photos.size}`;
  photos.set(number, { number, file, sample, of });
  return number;
}

/** Look at a photo that somebody brought. @type {Parameters<typeof intake.listen>[0]} */
function bring(file, more) {
  address.enter(remember(file, more), more?.sample ?? "");
  arrive();
}

/** Show what the address and the history say. */
async function arrive() {
  const turn = ++turns;
  (await lens)?.close();
  if (turn !== turns) return;
  if (address.isLens()) return look(turn);
  const { sample } = address.view();
  if (address.isTyped() && !sample && session.number()) address.settle(session.number());
  const photo = photos.get(address.photo() ?? "");
  if (photo) return photo.number === session.number() ? session.turn() : session.take(photo);
  const fetching = intake.sample(sample);
  if (!fetching) return reset(address.photo() ? SAY.notInLink : "");
  try {
    const number = remember(await fetching, { sample });
    if (turn !== turns) return;
    address.settle(number);
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
historyList.listen(bring);
address.listen(arrive);
const [how] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
if (address.isLens())
  address.leaveLens(); // no link and no reload turns on a camera
else if (how?.type === "navigate" && address.photo()) address.forget(); // a link to here asks for no photo
if (address.view().sample || address.photo()) arrive();
setTimeout(session.prepare, 500); // once the page itself has settled
document.documentElement.dataset.ready = "";
