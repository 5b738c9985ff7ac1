/** Every way in for a photo: choose, camera, drop, paste, a sample. */

import * as api from "./api.js";
import { byId, findAll } from "./dom.js";
import { SAY } from "./strings.js";

/**
 * Hand over each photo that somebody brings: the file, the sample's name, and of how many it is the first.
 * @param {(file: File, more?: { sample?: string, of?: number }) => void} took
 * @param {(trouble: api.Trouble) => void} failed
 */
export function listen(took, failed) {
  const give = (/** @type {FileList | undefined | null} */ files) => {
    if (files?.length) took(files[0], { of: files.length });
    else failed(new api.Trouble(SAY.noFile, SAY.noFileWhy, { status: 415 }));
  };
  chooser("pick", "file", took);
  chooser("another", "file", took);
  chooser("snap", "shot", took);
  gallery(took, failed);
  document.addEventListener("paste", (event) => {
    if (!event.clipboardData?.files.length) return; // text goes where text goes
    event.preventDefault();
    give(event.clipboardData.files);
  });
  dropping((files) => {
    if (files?.length || !byId("start").hidden) give(files); // text that slipped costs nobody the answer
  });
}

/**
 * A button that opens a file field.
 * @param {string} buttonId
 * @param {string} inputId
 * @param {(file: File) => void} took
 */
function chooser(buttonId, inputId, took) {
  const button = byId(buttonId, HTMLButtonElement);
  const input = byId(inputId, HTMLInputElement);
  button.disabled = false;
  button.addEventListener("click", () => input.click());
  if (input.dataset.heard) return;
  input.dataset.heard = "yes";
  input.addEventListener("change", () => {
    const file = input.files?.[0];
    if (file) took(file);
    input.value = ""; // so that the same file can be chosen again
  });
}

/** What the address calls a sample. @param {string} file */
const stem = (file) => file.replace(/\.[^.]*$/, "");

/** The buttons of the gallery; none where no samples are installed. */
const samples = () => findAll(document, "#samples button", HTMLButtonElement);

/** The photo of the gallery that has this name, where there is one. @param {string} name @returns {Promise<File> | null} */
export function sample(name) {
  const button = samples().find(({ dataset }) => stem(dataset.file ?? "") === name);
  return button ? api.sample(button.dataset.file ?? "") : null;
}

/**
 * @param {(file: File, more: { sample: string }) => void} took
 * @param {(trouble: api.Trouble) => void} failed
 */
function gallery(took, failed) {
  for (const button of samples()) {
    const file = button.dataset.file ?? "";
    button.disabled = false;
    const bring = (/** @type {File} */ photo) => took(photo, { sample: stem(file) });
    button.addEventListener("click", () => api.sample(file).then(bring, failed));
  }
}

/** Offer the lens where a camera can be used; where only HTTPS is missing, say so. @param {() => void} open */
export async function lens(open) {
  const { mediaDevices } = navigator;
  byId("no-lens").hidden = Boolean(mediaDevices) || isSecureContext;
  const devices = (await mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
  if (!devices.some(({ kind }) => kind === "videoinput")) return;
  byId("live").hidden = false;
  byId("live").addEventListener("click", open);
}

/**
 * The whole page takes drops, and shows that it would.
 * @param {(files: FileList | undefined, target: EventTarget | null) => void} give
 */
export function dropping(give) {
  const { classList } = document.body;
  let depth = 0;
  const carriesFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragenter", (event) => {
    if (carriesFiles(event) && ++depth) classList.add("over");
  });
  addEventListener("dragleave", (event) => {
    if (carriesFiles(event) && --depth <= 0) classList.remove("over");
  });
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    classList.remove("over");
    give(event.dataTransfer?.files, event.target);
  });
}
