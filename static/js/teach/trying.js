/** One photo, asked about with what was taught: what it says of it, right there. */

import { reliability, row, sentence } from "../answer.js";
import { send, Trouble } from "../api.js";
import { byId, el } from "../dom.js";
import * as history from "../history-store.js";
import { open, thumb } from "../photo.js";
import * as photos from "../photo-store.js";
import { SAY as PAGE } from "../strings.js";
import { SAY } from "./strings.js";
import { teach } from "./teaching.js";

const MOST = 3; // labels that are shown

let current = new AbortController();

/** The address of the picture that is shown. */
let shown = "";

/**
 * Ask what a photo shows.
 * @param {File} file
 * @param {(name: string, file: File) => void} add
 */
export async function look(file, add) {
  current.abort();
  current = new AbortController();
  const { signal } = current;
  const place = byId("tried");
  const words = el("div", { role: "status" }, el("p", { class: "sentence" }, SAY.tryLooking));
  const picture = await open(file);
  if (signal.aborted) return;
  if (shown) URL.revokeObjectURL(shown);
  shown = picture.image?.src ?? "";
  const drawn = picture.image ? [picture.image] : [];
  for (const image of drawn) image.alt = SAY.tryAlt;
  place.hidden = false;
  place.replaceChildren(...drawn, words);
  place.scrollIntoView({ block: "nearest" });
  try {
    const prediction = await ask(file, signal);
    if (signal.aborted) return;
    words.replaceChildren(...said(prediction), ...offers(prediction, file, add));
    remember(file, prediction, picture);
  } catch (error) {
    if (signal.aborted) return;
    words.replaceChildren(
      el("p", {}, el("b", {}, file.name), `: ${error instanceof Trouble ? error.detail : PAGE.strange}`),
    );
  }
}

/**
 * @param {File} file
 * @param {AbortSignal} signal
 * @param {boolean} [again] since the service no longer has what was taught
 * @returns {Promise<Rest.PredictResponse>}
 */
async function ask(file, signal, again = false) {
  const learned = await teach(signal, again);
  try {
    return await (await send(`predict?taught=${learned?.taught}`, file, "application/json", signal)).json();
  } catch (error) {
    if (again || !(error instanceof Trouble) || !error.type.endsWith(":unknown-taught")) throw error;
    return ask(file, signal, true);
  }
}

/** @param {Rest.PredictResponse} prediction @returns {Node[]} */
function said({ caption, labels, gates }) {
  const own = labels.filter(({ vocabulary }) => vocabulary === "taught").slice(0, MOST);
  return [
    el("p", { class: "sentence" }, ...sentence(caption)),
    el("p", { class: "quiet" }, reliability(caption)),
    ...(own.length ? [el("ol", { class: "bars" }, ...own.map(row))] : []),
    el("p", { class: "note" }, PAGE.noneOfOwn(1 - (gates.taught ?? 0))),
  ];
}

/** @param {Rest.PredictResponse} prediction @param {File} file @param {(name: string, file: File) => void} add */
function offers({ labels }, file, add) {
  const names = labels.filter(({ vocabulary }) => vocabulary === "taught").slice(0, MOST);
  const buttons = names.map(({ id }) => {
    const button = el("button", { type: "button", class: "btn" }, SAY.addTried(id));
    button.addEventListener("click", () => add(id, file));
    return button;
  });
  const see = el("a", { href: "./" }, SAY.onSee);
  return [el("div", { class: "acts" }, ...buttons), el("p", { class: "note" }, SAY.seeAll, see, ".")];
}

/** Put it into the list of See, where all of the answer can be seen. @param {File} file @param {Rest.PredictResponse} prediction @param {import("../photo.js").Picture} picture */
function remember(file, { image, caption }, picture) {
  const taken = photos.take(file);
  photos.name(taken, image.sha256);
  history.add({ id: image.sha256, thumb: thumb(picture, image.crop, image), text: caption.text, sample: "" });
}
