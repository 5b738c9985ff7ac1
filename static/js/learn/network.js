/** What the network that runs here makes of a sample photo; each is asked for once. */

import { parse } from "../activations.js";
import * as api from "../api.js";
import { context2d, el } from "../dom.js";
import { SAY as COMMON } from "../strings.js";
import { SAY } from "./strings.js";

/**
 * @typedef {object} Look
 * @property {Rest.PredictResponse} prediction
 * @property {import("../activations.js").Activations} activations
 * @property {ImageBitmap} square what the network reads of the photo, pixel by pixel
 */

/** @type {Map<string, Promise<Look>>} */
const looks = new Map();

/** @param {string} file of the gallery @returns {Promise<Look>} rejects with Trouble */
export function look(file) {
  const earlier = looks.get(file);
  if (earlier) return earlier;
  const asking = ask(file);
  looks.set(file, asking);
  asking.catch(() => looks.delete(file));
  return asking;
}

/** @param {string} file @returns {Promise<Look>} */
async function ask(file) {
  const sample = await api.sample(file);
  const { signal } = new AbortController();
  const quiet = { sending: () => {}, sent: () => {}, signal };
  const prediction = await api.predict(sample, quiet);
  const name = prediction.image.sha256;
  const [body, png] = await Promise.all([api.activations(name, signal), api.square(name, signal)]);
  const square = await createImageBitmap(png, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  return { prediction, activations: parse(body), square };
}

/**
 * Look at a sample and show it; meanwhile, and where that fails, say so, with one way on.
 * @param {Element} words
 * @param {string} file of the gallery
 * @param {(look: Look) => void} show
 */
export async function present(words, file, show) {
  words.textContent = SAY.looking;
  try {
    const answer = await look(file);
    words.textContent = "";
    show(answer);
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
export function drawPhoto(canvas, { square }) {
  context2d(canvas).drawImage(square, 0, 0, canvas.width, canvas.height);
}
