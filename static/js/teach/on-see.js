/** On See: the names that people taught, where a name is looked for; and the photo that is shown, as one more of such a name. */

import { Trouble } from "../api.js";
import { byId, el } from "../dom.js";
import * as session from "../photo-session.js";
import * as photos from "../photo-store.js";
import { SAY as PAGE } from "../strings.js";
import { add, known, tidy } from "./adding.js";
import * as own from "./own.js";
import { SAY } from "./see-strings.js";
import * as store from "./store.js";
import { teach } from "./teaching.js";

/** What the service calls the vocabulary of these names. */
export const TAUGHT = "taught";

/** The names of this browser, as those of the network are listed. @returns {import("../play/names.js").Name[]} */
export const names = () =>
  own.get().things.map(([name]) => ({ id: name, name, vocabulary: TAUGHT, gloss: "", synonyms: [], kinds: [] }));

/** Whether answers know the name: it has enough photos and is switched on. @param {string} name */
export const isKnown = (name) => own.used().includes(name);

/** @param {string} words @param {string} kind @param {() => void} pressed */
function button(words, kind, pressed) {
  const made = el("button", { type: "button", class: kind }, words);
  made.addEventListener("click", pressed);
  return made;
}

/**
 * Offer to add the photo that is shown to a name; who said that the answer was wrong has asked for it already.
 * @param {HTMLElement} place
 * @param {string} name
 * @param {string} image SHA-256 of the photo
 */
export function offer(place, name, image) {
  const wrong = byId("verdict").querySelector("[value=wrong]");
  if (wrong instanceof HTMLInputElement && wrong.checked) take(place, name, image);
  else place.replaceChildren(button(SAY.add(name), "btn", () => take(place, name, image)));
}

/** A button that teaches a name that nobody knows. @param {HTMLElement} place @param {string} typed @param {string} image */
export const teachIt = (place, typed, image) =>
  button(SAY.teachIt(tidy(typed)), "link", () => take(place, tidy(typed), image));

/** Add the photo that is shown to a name. @param {HTMLElement} place @param {string} wanted @param {string} image */
async function take(place, wanted, image) {
  place.replaceChildren(SAY.adding(wanted));
  try {
    await store.load();
    const name = known(wanted);
    const photo = await photos.find(image);
    if (!photo) throw new Trouble("", PAGE.notKept);
    const { signal } = new AbortController();
    const { refused } = await add(name, [photo.file], signal, () => {});
    if (refused.length) throw new Trouble("", refused[0].why);
    await teach(signal);
    added(place, name, photo);
  } catch (error) {
    const why = error instanceof Trouble ? error.detail : PAGE.strange;
    place.replaceChildren(SAY.notAdded(why), el("a", { href: "teach" }, SAY.look));
  }
}

/** @param {HTMLElement} place @param {string} name @param {photos.Photo} photo */
function added(place, name, photo) {
  const count = store.things().get(name)?.length ?? 0;
  const missing = own.LEAST - count;
  if (missing > 0) place.replaceChildren(SAY.tooFew(name, count, missing), el("a", { href: "teach" }, SAY.more), ".");
  else
    place.replaceChildren(
      SAY.added(name, count),
      button(SAY.lookAgain, "link", () => session.take(photo)),
    );
}
