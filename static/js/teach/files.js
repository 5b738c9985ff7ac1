/** What can be saved, opened, taken along for training, and forgotten. */

import { byId, el } from "../dom.js";
import { now } from "./adding.js";
import { NotExamples, read, write } from "./examples-file.js";
import { MOST } from "./own.js";
import * as store from "./store.js";
import { SAY } from "./strings.js";
import { examples, network } from "./teaching.js";
import { fileName, zip } from "./zip.js";

/** @typedef {import("./store.js").Photo} Photo */

/** @param {string[]} words */
const say = (...words) => {
  byId("kept").textContent = words.join(" ");
};

/** @param {Blob} blob @param {string} name */
function download(blob, name) {
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000); // once the browser has it
}

function save() {
  const all = examples(1);
  if (all) download(new Blob([write(all)], { type: "application/octet-stream" }), SAY.fileName);
}

/** Add what a file holds to what is there. @param {File} file */
async function open(file) {
  try {
    const opened = read(await file.arrayBuffer());
    const ours = network();
    if (ours && opened.network !== ours) return say(SAY.otherNetwork(opened.network, ours));
    const [taken, words] = merged(opened);
    await store.put(taken);
    const names = new Set(taken.map(({ name }) => name));
    say(SAY.opened(taken.length, names.size), ...words);
  } catch (error) {
    say(error instanceof NotExamples ? error.message : SAY.notExamples);
  }
}

/**
 * What is new in a file, and what of it cannot be taken.
 * @param {import("./examples-file.js").Examples} opened
 * @returns {[Photo[], string[]]}
 */
function merged({ network, things, outside }) {
  /** @type {Photo[]} */
  const taken = [];
  /** @type {string[]} */
  const words = [];
  for (const { name, photos, vectors } of [...things, { name: store.OUTSIDE, ...outside }]) {
    /** @type {Map<string, number>} */
    const elsewhere = new Map();
    const fresh = photos.flatMap((sha256, i) => {
      const twin = store.get(sha256);
      if (twin && twin.name !== name) elsewhere.set(twin.name, (elsewhere.get(twin.name) ?? 0) + 1);
      if (twin) return [];
      return [{ sha256, name, file: null, thumb: "", embedding: vectors[i].slice().buffer, network, at: now() }];
    });
    for (const [other, n] of elsewhere) words.push(SAY.openRefused(name, n, other));
    const room = name === store.OUTSIDE ? fresh.length : Math.max(0, MOST - (store.things().get(name)?.length ?? 0));
    if (fresh.length > room) words.push(SAY.openTooMany(name, fresh.length - room, MOST));
    taken.push(...fresh.slice(0, room));
  }
  return [taken, words];
}

/** Save the photos of all names, in a folder for each. */
async function exportPhotos() {
  const folders = new Set();
  const entries = [...store.things()].flatMap(([name, photos]) => {
    const folder = fileName(name, folders);
    const taken = new Set();
    return photos.flatMap(({ file, at }) =>
      file ? [{ name: `${folder}/${fileName(file.name, taken)}`, file, at: new Date(at) }] : [],
    );
  });
  const without = [...store.things().values()].flat().length - entries.length;
  if (!entries.length) return say(SAY.noFiles);
  try {
    download(await zip(entries), SAY.zipName);
    say(SAY.exported(entries.length, without));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    say(SAY.tooLargeZip);
  }
}

function askToForget() {
  const photos = store.all().length;
  byId("sure-text").textContent = SAY.reallyForget(store.things().size, photos);
  byId("sure").hidden = false;
  byId("sure-no").focus();
}

/** What can be done just now. */
export function update() {
  const any = store.all().length > 0;
  byId("save", HTMLButtonElement).disabled = !examples(1);
  byId("export", HTMLButtonElement).disabled = !store.things().size;
  byId("forget", HTMLButtonElement).disabled = !any;
  if (!any) byId("sure").hidden = true;
}

/** Listen to the buttons, once. @param {() => void} forgot called once everything is forgotten @param {() => void} opened once a file is open */
export function listen(forgot, opened) {
  const field = byId("open-file", HTMLInputElement);
  byId("save").addEventListener("click", save);
  byId("export").addEventListener("click", exportPhotos);
  byId("open").addEventListener("click", () => field.click());
  field.addEventListener("change", () => {
    const file = field.files?.[0];
    if (file) open(file).then(opened);
    field.value = ""; // so that the same file can be opened again
  });
  byId("forget").addEventListener("click", askToForget);
  byId("sure-no").addEventListener("click", () => {
    byId("sure").hidden = true;
    byId("forget").focus();
  });
  byId("sure-yes").addEventListener("click", async () => {
    await store.clear();
    say(SAY.forgot);
    forgot();
  });
}
