/** The page Teach: brings together the photos, what is learned from them, and what is shown of it. */

import { byId, el } from "../dom.js";
import { listen as listenForKey } from "../key.js";
import * as adding from "./adding.js";
import * as cards from "./cards.js";
import * as files from "./files.js";
import * as giving from "./giving.js";
import * as learned from "./learned.js";
import * as own from "./own.js";
import * as store from "./store.js";
import { SAY } from "./strings.js";
import { counts, isOther, network } from "./teaching.js";
import { fill } from "./thumbs.js";
import { look } from "./trying.js";

/** @typedef {import("./store.js").Photo} Photo */

/** Takes back what was removed last. */
let undo = () => {};

/** Ends whatever is looked at now. */
let going = new AbortController();

/** How many sets of photos are looked at, or wait for that. */
let looks = 0;

/** What is waited for before the next photos are looked at. @type {Promise<unknown>} */
let queue = Promise.resolve();

/** @param {string} words @param {() => void} [back] */
function say(words, back) {
  byId("said").textContent = words;
  byId("undo").hidden = !back;
  undo = back ?? (() => {});
}

/** Show what there is now. */
function draw() {
  const known = learned.known();
  cards.show(store.things(), store.outside(), known, { more: giving.ask, rename, removeThing, removePhoto });
  files.update();
  const any = store.things().size > 0;
  byId("learned").hidden = !any;
  byId("try").hidden = !known;
  byId("use", HTMLInputElement).checked = own.get().on;
  const lost = [
    ...new Set(
      store
        .all()
        .filter((photo) => !counts(photo) && !photo.file)
        .map(({ name }) => name),
    ),
  ];
  byId("lost").hidden = !lost.length;
  byId("lost").textContent = lost.length ? SAY.lost(lost.map((name) => name || SAY.outside)) : "";
  byId("not-kept").hidden = store.isKept();
}

/** Something has changed: show it, and learn anew. */
function changed() {
  if (!store.things().size) own.set({ taught: "", things: [] }); // at once: what is forgotten is not used
  draw();
  if (looks) return; // it learns from all of them together
  fill();
  learned.learn(draw, (error) => isOther(error) && isOld());
}

/** Look at something photo by photo, with a way to stop. @param {number} of @param {(signal: AbortSignal, progress: (done: number) => void) => Promise<void>} work */
function go(of, work) {
  const turn = async () => {
    going = new AbortController();
    const { signal } = going;
    const bar = byId("progress", HTMLProgressElement);
    const progress = (/** @type {number} */ done) => {
      bar.max = of;
      bar.value = done;
      byId("going-note").textContent = SAY.looking(done, of);
    };
    progress(0);
    byId("going").hidden = false;
    await work(signal, progress).finally(() => {
      byId("going").hidden = true;
      looks--;
      changed();
    });
    if (signal.aborted) say(SAY.stopped);
  };
  looks++;
  queue = queue.then(turn, turn);
}

/** Take photos for a name. @param {string} typed OUTSIDE for photos of other things @param {File[]} photos */
function give(typed, photos) {
  if (!photos.length) return;
  const name = adding.known(typed);
  refuse(name, []);
  go(photos.length, async (signal, progress) => {
    const { added, refused } = await adding.add(name, photos, signal, progress);
    say(SAY.took(added, name));
    refuse(name, refused);
  });
}

/** Name the files that were not taken. @param {string} name @param {adding.Refused[]} refused */
function refuse(name, refused) {
  const place = byId("refused");
  place.hidden = !refused.length;
  if (!refused.length) return place.replaceChildren();
  const entries = refused.map(({ file, why }) => el("li", {}, el("b", {}, file), `: ${why}`));
  const again = refused.flatMap((one) => (one.again ? [one.again] : []));
  const button = el("button", { type: "button", class: "btn" }, SAY.tryAgain);
  button.addEventListener("click", () => give(name, again));
  place.replaceChildren(el("ul", {}, ...entries), ...(again.length ? [button] : []));
}

/** @param {string} name @param {string} typed @returns {string} why not; "" where it was done */
function rename(name, typed) {
  const to = adding.tidy(typed);
  if (!to) return SAY.noName;
  if (to === name) return "";
  const taken = adding.known(to);
  if (taken !== name && store.things().has(taken)) return SAY.nameTaken(taken);
  const photos = store.things().get(name) ?? [];
  store.put(photos.map((photo) => ({ ...photo, name: to }))).then(() => cards.focus(to));
  say(SAY.renamed(name, to));
  return "";
}

/** @param {string} name */
function removeThing(name) {
  const photos = store.things().get(name) ?? [];
  store.remove(photos);
  say(SAY.removed(name, photos.length), () => store.put(photos).then(() => cards.focus(name)));
  byId("undo").focus();
}

/** @param {Photo} photo */
function removePhoto(photo) {
  store.remove([photo]);
  say(SAY.removedOne(photo.name), () => store.put([photo]).then(() => cards.focus(photo.name)));
}

/** Networks that the service turned out to have no longer. @type {Set<string>} */
const gone = new Set();

/** The service has another network than the one that looked at the photos. @returns {boolean} whether anything can be done */
function isOld() {
  const old = network();
  if (gone.has(old)) return false;
  gone.add(old);
  return renew((photo) => photo.network === old);
}

/** Look at photos again. @param {(photo: Photo) => boolean} which @returns {boolean} whether there are any */
function renew(which) {
  const old = store.all().filter((photo) => photo.file && which(photo));
  if (!old.length) return false;
  say(SAY.renewing);
  go(old.length, async (signal, progress) => {
    refuse(store.OUTSIDE, await adding.renew(old, signal, progress));
  });
  return true;
}

async function begin() {
  listenForKey();
  await store.load();
  store.listen(changed);
  const settled = () => say(""); // what was said before can no longer be undone
  files.listen(() => {
    settled();
    cards.focus();
  }, settled);
  const add = (/** @type {string} */ name, /** @type {File} */ file) => give(name, [file]);
  giving.listen({ give, trial: (file) => look(file, add) });
  byId("stop").addEventListener("click", () => going.abort());
  byId("undo").addEventListener("click", () => {
    const back = undo;
    say("");
    back();
  });
  byId("use").addEventListener("change", ({ target }) => {
    own.set({ on: /** @type {HTMLInputElement} */ (target).checked });
  });
  addEventListener("storage", draw); // another tab may have turned it on or off
  changed();
  renew((photo) => !counts(photo));
  document.documentElement.dataset.ready = "";
}

begin();
