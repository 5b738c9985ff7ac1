/** Playing with the photo: move the square or cover a part, and what is said follows. */

import { Trouble } from "../api.js";
import { byId, el, radio } from "../dom.js";
import { cropOf } from "../photo.js";
import { follow, predict } from "./asking.js";
import * as box from "./box.js";
import * as live from "./live.js";
import { crop, meanColour, png } from "./paint.js";
import * as stage from "./stage.js";
import { SAY } from "./strings.js";

/** @typedef {import("./page.js").Answered} Answered */

const BRUSHES = { small: 0.08, medium: 0.15, large: 0.28 };

/**
 * What is played with: the photo, the square as it was, and what was said of that.
 * @type {{ scene: stage.Scene, start: box.Square, side: number, before?: Rest.PredictResponse, end: AbortController } | null}
 */
let game = null;

/** @type {stage.Tool | null} */
let tool = null;

const strip = el("div", { class: "play-strip" });

/** @param {stage.Tool} name */
const opener = (name) => byId(`play-${name}`, HTMLButtonElement);

/** Begin with a photo that was answered. @param {Answered} answered @param {number} side of the network's input */
export function begin({ prediction, picture }, side) {
  leave();
  const { image } = picture;
  if (!image) return;
  const { x, y, width } = cropOf(picture, prediction.image.crop, prediction.image);
  const size = { width: picture.width, height: picture.height };
  const start = box.inside({ x, y, side: width }, size);
  const middle = { x: x + width / 2, y: y + width / 2 };
  const colour = meanColour(crop(image, start, [], "#000", 32));
  const scene = { image, size, square: start, strokes: [], colour, brush: BRUSHES.medium, cursor: middle };
  game = { scene, start, side, end: new AbortController() };
}

/** Take up a tool, or lay it down. @param {stage.Tool} name */
export const turn = (name) => (tool === name ? close() : open(name));

/** The photo goes. */
export function leave() {
  close();
  game?.end.abort();
  game = null;
}

/** @param {stage.Tool} name */
function open(name) {
  if (!game) return;
  if (!tool) follower();
  tool = name;
  byId("answer").classList.add("playing");
  for (const other of /** @type {stage.Tool[]} */ (["square", "cover"]))
    opener(other).setAttribute("aria-expanded", String(other === name));
  live.open();
  byId("photo").after(strip); // in reach of the photo, also where the buttons lie below the sentence
  strip.replaceChildren(...(name === "square" ? squareButtons() : coverButtons()), button(SAY.done, close, "main"));
  stage.open(game.scene, name, () => changed(), close);
  changed();
}

function close() {
  if (!tool) return;
  const left = opener(tool);
  const inside = byId("answer").contains(document.activeElement);
  tool = null;
  stage.close();
  live.close();
  strip.remove();
  byId("answer").classList.remove("playing");
  for (const name of /** @type {stage.Tool[]} */ (["square", "cover"]))
    opener(name).setAttribute("aria-expanded", "false");
  if (inside) left.focus({ preventScroll: true });
}

/** Tells that the picture has changed. */
let changed = () => {};

/** Ask about the picture as it is, whenever it has changed. */
function follower() {
  if (!game) return;
  const { scene, start, side, end } = game;
  const drawn = () => png(crop(scene.image, scene.square, scene.strokes, scene.colour, side));
  const first = async () => png(crop(scene.image, start, [], scene.colour, side));
  const mine = game;
  const heard = (/** @type {Rest.PredictResponse} */ answer) => {
    if (tool && mine.before) live.show(answer, mine.before);
    live.about(stateOf(mine));
  };
  const failed = (/** @type {unknown} */ error) =>
    live.about(error instanceof Trouble && !error.passing ? error.detail : SAY.busy);
  const draw = async () => {
    mine.before ??= await predict(await first(), end.signal);
    return drawn();
  };
  live.about(SAY.asking);
  changed = follow(draw, heard, failed, end.signal);
}

/** @param {NonNullable<typeof game>} game */
function stateOf({ scene, start }) {
  if (scene.strokes.length) return SAY.changed;
  const { x, y, side } = scene.square;
  return x === start.x && y === start.y && side === start.side ? SAY.same : SAY.moved;
}

/** @param {string} words @param {() => void} pressed @param {string} [kind] */
function button(words, pressed, kind = "") {
  const made = el("button", { type: "button", class: `btn ${kind}` }, words);
  made.addEventListener("click", pressed);
  return made;
}

/** Change the scene by a button. @param {(scene: stage.Scene) => void} change */
function act(change) {
  return () => {
    if (!game) return;
    change(game.scene);
    stage.draw();
    changed();
  };
}

function squareButtons() {
  const zoom = (/** @type {number} */ by) =>
    act((scene) => {
      scene.square = box.zoom(scene.square, by, scene.size);
    });
  const [less, more] = [button("−", zoom(1 / 1.2), "zoom"), button("+", zoom(1.2), "zoom")];
  less.setAttribute("aria-label", SAY.smaller);
  more.setAttribute("aria-label", SAY.larger);
  const back = act((scene) => {
    scene.square = game?.start ?? scene.square;
  });
  return [el("p", { class: "note" }, SAY.squareHint), less, more, button(SAY.middle, back), button(SAY.keep, keep)];
}

function coverButtons() {
  const sizes = Object.entries(SAY.brushes).map(([name, words]) =>
    el("label", {}, el("input", { type: "radio", name: "brush", value: name, autocomplete: "off" }), words),
  );
  const brush = el("fieldset", { class: "seg" }, el("legend", {}, SAY.brush), ...sizes);
  const chosen = Object.entries(BRUSHES).find(([, width]) => width === game?.scene.brush)?.[0] ?? "medium";
  radio(brush, chosen);
  brush.addEventListener("change", ({ target }) => {
    const { value } = /** @type {HTMLInputElement} */ (target);
    if (game) game.scene.brush = BRUSHES[/** @type {keyof typeof BRUSHES} */ (value)];
    stage.draw();
  });
  const undo = act((scene) => scene.strokes.pop());
  const clear = act((scene) => {
    scene.strokes = [];
  });
  return [el("p", { class: "note" }, SAY.coverHint), brush, button(SAY.undo, undo), button(SAY.clear, clear)];
}

/** Make the square, with what is covered, the photo that is looked at. */
async function keep() {
  if (!game) return;
  const { scene } = game;
  const side = Math.min(1024, Math.round(scene.square.side));
  const blob = await png(crop(scene.image, scene.square, scene.strokes, scene.colour, side));
  const file = new File([blob], SAY.fileName, { type: blob.type });
  document.dispatchEvent(new CustomEvent("glassbot:bring", { detail: { file } }));
}
