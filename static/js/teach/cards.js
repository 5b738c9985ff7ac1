/** The cards of the things: photos, how many, how well they are told; and what can be done with each. */

import { arrange, byId, el, find } from "../dom.js";
import { LEAST, MOST } from "./own.js";
import { OUTSIDE } from "./store.js";
import { SAY } from "./strings.js";

/**
 * @typedef {import("./store.js").Photo} Photo
 *
 * @typedef {object} Acts what somebody does on a card
 * @property {(name: string) => void} more
 * @property {(name: string, to: string) => string} rename returns why not; "" where it was done
 * @property {(name: string) => void} removeThing
 * @property {(photo: Photo) => void} removePhoto
 *
 * @typedef {{ element: HTMLLIElement, update: (photos: Photo[], learned: Rest.TaughtName | undefined) => void }} Card
 *
 * @typedef {{ element: HTMLLIElement, update: (photo: Photo, i: number) => void }} Entry a photo on a card; i: which one, from 0
 */

/** @type {Map<string, Card>} */
let cards = new Map();

/**
 * Show all of them.
 * @param {Map<string, Photo[]>} things
 * @param {Photo[]} outside
 * @param {Rest.TeachResponse | null} learned null while it learns
 * @param {Acts} acts
 */
export function show(things, outside, learned, acts) {
  /** @type {Map<string, Card>} */
  const next = new Map();
  const all = things.size ? [...things, /** @type {[string, Photo[]]} */ ([OUTSIDE, outside])] : [...things];
  if (!things.size && outside.length) all.push([OUTSIDE, outside]);
  for (const [name, photos] of all) {
    const card = cards.get(name) ?? build(name, acts);
    card.update(
      photos,
      learned?.names.find((one) => one.name === name),
    );
    next.set(name, card);
  }
  cards = next;
  arrange(
    byId("things-list"),
    [...next.values()].map(({ element }) => element),
  );
  byId("things").hidden = !next.size;
}

/** @param {string} words @param {string} label for who does not see the card around it @param {() => void} act */
function button(words, label, act) {
  const made = el("button", { type: "button", class: "btn", "aria-label": label }, words);
  made.addEventListener("click", act);
  return made;
}

/** @param {string} name @param {Acts} acts @returns {Card} */
function build(name, acts) {
  const heading = el("h3", { tabindex: -1 }, name || SAY.outside);
  const facts = el("p", { class: "facts-line" });
  const short = el("p", { class: "short" });
  const thumbs = el("ul", { class: "thumbs", "aria-label": name || SAY.outside });
  const numbers = el("p", { class: "note" });
  const more = button(SAY.more, SAY.moreTo(name), () => acts.more(name));
  const buttons = el("div", { class: "acts" }, more);
  const element = el(
    "li",
    { class: "thing", "data-name": name },
    el("div", {}, heading, facts, short),
    thumbs,
    numbers,
    buttons,
  );
  if (name === OUTSIDE) {
    short.replaceWith(el("p", { class: "note" }, SAY.outsideWhy));
  } else {
    const rename = button(SAY.rename, SAY.renameThing(name), () => renaming(name, rename, acts));
    const remove = button(SAY.remove, SAY.removeThing(name), () => acts.removeThing(name));
    buttons.append(rename, remove);
  }
  /** @type {Map<string, Entry>} */
  let shown = new Map();
  const update = (/** @type {Photo[]} */ photos, /** @type {Rest.TaughtName | undefined} */ learned) => {
    facts.textContent = told(name, photos.length, learned);
    const missing = LEAST - photos.length;
    short.textContent = missing > 0 ? SAY.missing(missing) : photos.length >= MOST ? SAY.full : "";
    short.hidden = !short.textContent;
    more.disabled = name !== OUTSIDE && photos.length >= MOST;
    const seen = photos.filter(({ file, thumb }) => file || thumb);
    shown = new Map(seen.map((photo) => [photo.sha256, shown.get(photo.sha256) ?? thumb(photo, acts)]));
    for (const [i, photo] of seen.entries()) shown.get(photo.sha256)?.update(photo, i);
    arrange(
      thumbs,
      [...shown.values()].map(({ element }) => element),
    );
    thumbs.hidden = !seen.length;
    const blind = photos.length - seen.length;
    numbers.textContent = blind ? SAY.numbersOnly(blind) : "";
    numbers.hidden = !blind;
  };
  return { element, update };
}

/** @param {string} name @param {number} count @param {Rest.TaughtName | undefined} learned */
function told(name, count, learned) {
  if (name === OUTSIDE && !count) return "";
  const known = learned?.photos === count ? learned : undefined;
  if (name === OUTSIDE || !known) return SAY.photos(count);
  return `${SAY.photos(count)} · ${known.tested ? SAY.heldBack(known.right, known.tested) : SAY.untested}`;
}

/** @param {Photo} photo @param {Acts} acts @returns {Entry} */
function thumb(photo, acts) {
  const blank = el("span", { class: "blank" }, photo.file?.name ?? "");
  const image = el("img", { width: 112, height: 112 });
  const remove = el("button", { type: "button", title: SAY.remove }, "×");
  const element = el("li", {}, blank, remove);
  const update = (/** @type {Photo} */ now, /** @type {number} */ i) => {
    photo = now;
    if (now.thumb && image.src !== now.thumb) {
      image.src = now.thumb;
      element.firstElementChild?.replaceWith(image);
    }
    image.alt = SAY.photo(i + 1, now.name);
    remove.setAttribute("aria-label", SAY.removePhoto(i + 1, now.name));
  };
  remove.addEventListener("click", () => {
    const near = element.nextElementSibling ?? element.previousElementSibling;
    const card = element.closest(".thing");
    acts.removePhoto(photo);
    const target = near?.querySelector("button") ?? card?.querySelector("h3");
    if (target instanceof HTMLElement) target.focus();
  });
  return { element, update };
}

/** Ask for another name, in place of the buttons. @param {string} name @param {HTMLButtonElement} opener @param {Acts} acts */
function renaming(name, opener, acts) {
  const card = /** @type {HTMLElement} */ (opener.closest(".thing"));
  const buttons = find(card, ".acts");
  const field = el("input", { type: "text", value: name, maxlength: 100, autocomplete: "off", spellcheck: "false" });
  const label = el("label", {}, SAY.newName, field);
  const why = el("p", { class: "note", role: "alert" });
  const cancel = el("button", { type: "button", class: "btn" }, SAY.cancel);
  const save = el("button", { type: "submit", class: "btn main" }, SAY.save);
  const form = el("form", {}, label, why, el("div", { class: "acts" }, save, cancel));
  const end = () => {
    form.replaceWith(buttons);
    opener.focus();
  };
  cancel.addEventListener("click", end);
  form.addEventListener("keydown", ({ key }) => key === "Escape" && end());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    why.textContent = acts.rename(name, field.value);
    if (!why.textContent && form.isConnected) end();
  });
  buttons.replaceWith(form);
  field.focus();
  field.select();
}

/** Go to the card of a name, or to the heading above all where there is none. @param {string} [name] */
export function focus(name) {
  const card = name === undefined ? undefined : cards.get(name)?.element;
  const target = card ? find(card, "h3") : byId("things").hidden ? byId("h1") : byId("things-h");
  target.tabIndex = -1;
  target.focus();
}
