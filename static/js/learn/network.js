/** What the network that runs here says of a sample photo; each is asked for once. */

import { parse } from "../activations.js";
import * as api from "../api.js";
import { el } from "../dom.js";
import { SAY as COMMON } from "../strings.js";
import { SAY } from "./strings.js";

/** @typedef {{ said: any, seen: import("../activations.js").Activations, photo: ImageBitmap }} Look */

/** @type {Map<string, Promise<Look>>} */
const looks = new Map();

/** @param {string} file of the gallery @returns {Promise<Look>} rejects with Trouble */
export function look(file) {
  const known = looks.get(file);
  if (known) return known;
  const asked = ask(file);
  looks.set(file, asked);
  asked.catch(() => looks.delete(file));
  return asked;
}

/** @param {string} file @returns {Promise<Look>} */
async function ask(file) {
  const sample = await api.sample(file);
  const { signal } = new AbortController();
  const quiet = { sending: () => {}, sent: () => {}, signal };
  const [said, body, photo] = await Promise.all([
    api.predict(sample, quiet),
    api.activations(sample, signal),
    createImageBitmap(sample),
  ]);
  return { said, seen: parse(body), photo };
}

/**
 * Look at a sample and show it; meanwhile, and where that fails, say so, with one way on.
 * @param {Element} words
 * @param {string} file of the gallery
 * @param {(found: Look) => void} show
 */
export async function present(words, file, show) {
  words.textContent = SAY.looking;
  try {
    const found = await look(file);
    words.textContent = "";
    show(found);
  } catch (error) {
    if (!(error instanceof api.Trouble)) throw error;
    const again = el("button", { class: "btn", type: "button" }, COMMON.tryAgain);
    again.addEventListener("click", () => present(words, file, show));
    const see = el("a", { href: "./" }, SAY.see);
    const why = [`${error.title.replace(/\.$/, "")}. ${error.detail} `];
    words.replaceChildren(...(error.status === 401 ? [SAY.keyFirst, see, SAY.keyThen] : why), again);
  }
}

/**
 * Draw the square that the network saw.
 * @param {HTMLCanvasElement} canvas
 * @param {Look} look
 */
export function drawPhoto(canvas, { photo, seen: { crop } }) {
  const { width, height } = canvas;
  canvas.getContext("2d").drawImage(photo, crop.x, crop.y, crop.width, crop.height, 0, 0, width, height);
}
