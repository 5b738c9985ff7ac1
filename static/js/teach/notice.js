/** On See: says that answers use what people taught here, with a way to turn that off. */

import * as address from "../address.js";
import { byId, el } from "../dom.js";
import * as session from "../photo-session.js";
import * as photos from "../photo-store.js";
import * as own from "./own.js";
import { SAY } from "./see-strings.js";

const notice = el("p", { class: "derivation await own" });

/** Use it, or no longer, and look at the photo again. @param {boolean} on */
async function turn(on) {
  own.set({ on });
  if (address.view().label.startsWith("taught:")) address.turn({ label: "" });
  const photo = await photos.find(session.id());
  if (photo) session.take(photo);
}

/** @param {string} words @param {() => void} pressed */
function button(words, pressed) {
  const made = el("button", { type: "button", class: "link" }, words);
  made.addEventListener("click", pressed);
  return made;
}

/** Say it below the sentence, or nothing where no name has enough photos yet. */
export function show() {
  const { on, taught, things } = own.get();
  const names = own.used();
  const learned = things.some(([, count]) => count >= own.LEAST);
  const change = el("a", { href: "teach" }, SAY.change);
  const off = taught && !on ? [button(SAY.turnOn, () => turn(true)), " · "] : [];
  if (names.length)
    notice.replaceChildren(
      SAY.using(names),
      button(SAY.turnOff, () => turn(false)),
      " · ",
      change,
    );
  else notice.replaceChildren(SAY.notUsing, ...off, change);
  notice.hidden = !learned;
  byId("tier").after(notice);
}
