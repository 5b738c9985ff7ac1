/** The photos that this browser showed before, to choose from. */

import { sample } from "../api.js";
import { byId, el, findAll, onButton } from "../dom.js";
import * as history from "../history-store.js";
import * as photos from "../photo-store.js";
import { SAY } from "./strings.js";

/** @returns {history.Entry[]} those whose files can be had */
function entries() {
  const samples = (byId("past").dataset.samples ?? "").trim().split(/\s+/);
  return history.entries().filter(({ id, sample }) => (sample ? samples.includes(`${sample}.webp`) : photos.has(id)));
}

const chosen = () => findAll(byId("past-list"), "[aria-pressed=true]");

/** @param {history.Entry} entry */
function option({ id, thumb, text, sample }) {
  const picture = thumb ? el("img", { src: thumb, alt: "", width: 112, height: 112 }) : el("i");
  const attributes = { type: "button", "aria-pressed": "false", "aria-label": SAY.pastPhoto(text) };
  return el("li", {}, el("button", { ...attributes, "data-id": id, "data-sample": sample }, picture));
}

function count() {
  const add = byId("past-add", HTMLButtonElement);
  add.disabled = !chosen().length;
  add.textContent = SAY.addPast(chosen().length);
}

/** @param {boolean} open */
function turn(open) {
  byId("past").hidden = !open;
  byId("past-open").setAttribute("aria-expanded", String(open));
  if (open) byId("past-list").replaceChildren(...entries().map(option));
  count();
}

/** The files of what was chosen. @returns {Promise<File[]>} */
async function files() {
  const asked = chosen().map(({ dataset }) =>
    dataset.sample ? sample(`${dataset.sample}.webp`) : photos.find(dataset.id ?? "").then((photo) => photo?.file),
  );
  const found = await Promise.all(asked.map((file) => file.catch(() => undefined)));
  return found.filter((file) => file !== undefined);
}

/** Offer them, where there are any. @param {(files: File[]) => void} took */
export async function listen(took) {
  await photos.load();
  byId("past-open").hidden = !entries().length;
  byId("past-open").addEventListener("click", () => turn(byId("past").hidden));
  onButton(byId("past-list"), (button) => {
    button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
    count();
  });
  byId("past-add").addEventListener("click", async () => {
    const found = await files();
    turn(false);
    byId("past-open").focus();
    took(found);
  });
}
