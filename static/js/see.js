/** The page: brings together the photos, the addresses and the lens. */

import * as address from "./address.js";
import { byId } from "./dom.js";
import * as frame from "./frame.js";
import * as intake from "./intake.js";
import * as kernels from "./kernels.js";
import { listen as listenForKey } from "./key.js";
import * as past from "./past.js";
import { SAY } from "./strings.js";
import * as subject from "./subject.js";

/** The photos of this visit, by the number that the history holds. @type {Map<string, subject.Subject>} */
const photos = new Map();

/** @type {Promise<typeof import("./lens.js")> | undefined} */
let lens;

/** Counts the turns that the page has taken, so that what comes late is not shown. */
let turns = 0;

/** @param {File} file @param {{ sample?: string, of?: number }} [more] */
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
  if (address.isTyped() && !sample && subject.number()) address.settle(subject.number());
  const known = photos.get(address.photo() ?? "");
  if (known) return known.number === subject.number() ? subject.turn() : subject.take(known);
  const fetched = intake.sample(sample);
  if (!fetched) return rest(address.photo() ? SAY.notInLink : "");
  try {
    const number = remember(await fetched, { sample });
    if (turn !== turns) return;
    address.settle(number);
    arrive();
  } catch (error) {
    refuse(error);
  }
}

/** Nothing is looked at. @param {string} why */
function rest(why) {
  subject.leave();
  frame.rest(why);
}

/** @param {any} error */
function refuse(error) {
  subject.leave();
  frame.refuse(error);
}

/** Look through the camera, unless the page has turned elsewhere. @param {number} turn */
async function look(turn) {
  subject.leave();
  frame.wait(SAY.askingForCamera);
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
kernels.listen();
past.listen(bring);
address.listen(arrive);
const [how] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
if (address.isLens()) address.leaveLens(); // no link and no reload turns on a camera
else if (how?.type === "navigate" && address.photo()) address.forget(); // a link to here asks for no photo
if (address.view().sample || address.photo()) arrive();
setTimeout(subject.prepare, 500); // once the page itself has settled
document.documentElement.dataset.ready = "";
