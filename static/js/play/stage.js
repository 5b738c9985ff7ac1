/** The photo as a stage: the square to drag, or a brush to paint with, laid over it. Reports every change. */

import { byId, context2d, el } from "../dom.js";
import * as box from "./box.js";
import { cover } from "./paint.js";
import { SAY } from "./strings.js";

/**
 * @typedef {box.Square} Square
 * @typedef {import("./paint.js").Stroke} Stroke
 * @typedef {"square" | "cover"} Tool
 *
 * @typedef {object} Scene
 * @property {HTMLImageElement} image
 * @property {box.Size} size of what is drawn, in pixels
 * @property {Square} square
 * @property {Stroke[]} strokes
 * @property {string} colour of what is covered
 * @property {number} brush its width, as a share of the square's side
 * @property {{ x: number, y: number }} cursor where the keys' brush is, in pixels of the photo
 */

const GRIP = 26; // pixels of the screen around a corner that count as it; more for a finger
const ARM = 18; // pixels of the screen

/** @type {{ scene: Scene, tool: Tool, changed: () => void, ended: () => void }} */
let on;

const canvas = el("canvas", { class: "stage-canvas", "aria-hidden": "true" });
const stage = el("div", { class: "stage", tabindex: 0, role: "group" }, canvas);

/** What is dragged: a grip of the square from where it began, or the stroke that is painted. */
let held = /** @type {{ grip: box.Grip, from: Square, x: number, y: number } | "brush" | null} */ (null);

/**
 * Lay the stage over the photo.
 * @param {Scene} scene is changed in place
 * @param {Tool} tool
 * @param {() => void} changed
 * @param {() => void} ended by the Escape key
 */
export function open(scene, tool, changed, ended) {
  on = { scene, tool, changed, ended };
  stage.setAttribute("aria-label", tool === "square" ? SAY.squareStage : SAY.coverStage);
  stage.dataset.tool = tool;
  byId("photo").append(stage);
  watch.observe(stage);
  draw();
  stage.focus({ preventScroll: true });
  stage.scrollIntoView({ block: "nearest" }); // on a phone the tools lie a screen below the photo
}

export function close() {
  watch.disconnect();
  stage.remove();
}

const watch = new ResizeObserver(draw);

/** Pixels of the screen for one of the photo. */
const scale = () => stage.clientWidth / on.scene.size.width || 1;

/** Draw it all anew: what is outside the square darkened, its corners, what is covered, the keys' brush. */
export function draw() {
  const { scene, tool } = on;
  const { square, size } = scene;
  const dense = devicePixelRatio * scale();
  canvas.width = Math.max(1, Math.round(size.width * dense));
  canvas.height = Math.max(1, Math.round(size.height * dense));
  const context = context2d(canvas);
  context.scale(dense, dense);
  cover(context, scene.strokes, scene.colour);
  context.fillStyle = "#0008";
  const outside = new Path2D();
  outside.rect(0, 0, size.width, size.height);
  outside.rect(square.x, square.y, square.side, square.side);
  context.fill(outside, "evenodd");
  twice(context, frame(square), 1);
  if (tool === "square") twice(context, corners(square), 3);
  else if (stage.matches(":focus-visible")) twice(context, brushAt(scene), 1.5);
}

/** @param {Square} square */
function frame({ x, y, side }) {
  const path = new Path2D();
  path.rect(x, y, side, side);
  return path;
}

/** @param {Square} square */
function corners({ x, y, side }) {
  const arm = Math.min(ARM / scale(), side / 3);
  const [right, down] = [x + side, y + side];
  return new Path2D(
    `M${x} ${y + arm}V${y}H${x + arm}M${right - arm} ${y}H${right}V${y + arm}` +
      `M${right} ${down - arm}V${down}H${right - arm}M${x + arm} ${down}H${x}V${down - arm}`,
  );
}

/** @param {Scene} scene */
function brushAt({ cursor, brush, square }) {
  const wide = brush * square.side;
  const path = new Path2D();
  path.rect(cursor.x - wide / 2, cursor.y - wide / 2, wide, wide);
  return path;
}

/**
 * A white line with a dark one under it, visible on any photo.
 * @param {CanvasRenderingContext2D} context
 * @param {Path2D} path
 * @param {number} width in pixels of the screen
 */
function twice(context, path, width) {
  for (const [style, thick] of /** @type {const} */ ([
    ["#000b", 2 * width + 1],
    ["#fff", width],
  ])) {
    Object.assign(context, { strokeStyle: style, lineWidth: thick / scale(), lineCap: "butt", lineJoin: "miter" });
    context.stroke(path);
  }
}

/** Where a pointer is, in pixels of the photo. @param {PointerEvent} event */
function at({ clientX, clientY }) {
  const { left, top } = stage.getBoundingClientRect();
  return { x: (clientX - left) / scale(), y: (clientY - top) / scale() };
}

/** What of the square is under a pointer. @param {PointerEvent} event @returns {box.Grip | undefined} */
function gripAt(event) {
  const { x, y } = at(event);
  const { square } = on.scene;
  const near = ((event.pointerType === "touch" ? 1.6 : 1) * GRIP) / scale();
  const reach = Math.min(near, Math.max(square.side / 3, GRIP / 2 / scale()));
  const [west, east] = [square.x, square.x + square.side].map((edge) => Math.abs(x - edge) <= reach);
  const [north, south] = [square.y, square.y + square.side].map((edge) => Math.abs(y - edge) <= reach);
  if ((west || east) && (north || south)) return /** @type {box.Grip} */ (`${north ? "n" : "s"}${west ? "w" : "e"}`);
  const within = x > square.x && y > square.y && x < square.x + square.side && y < square.y + square.side;
  return within ? "move" : undefined;
}

stage.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  const { scene, tool } = on;
  const point = at(event);
  if (tool === "cover") {
    scene.strokes.push({ width: scene.brush * scene.square.side, round: true, points: [point] });
    held = "brush";
  } else {
    const grip = gripAt(event);
    if (!grip) return;
    held = { grip, from: scene.square, ...point };
  }
  stage.setPointerCapture(event.pointerId);
  changed();
});

stage.addEventListener("pointermove", (event) => {
  const { scene, tool } = on;
  if (!held) {
    if (tool === "square") stage.dataset.grip = gripAt(event) ?? "";
    return;
  }
  const point = at(event);
  if (held === "brush") scene.strokes[scene.strokes.length - 1].points.push(point);
  else scene.square = box.drag(held.from, held.grip, point.x - held.x, point.y - held.y, scene.size);
  changed();
});

for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
  stage.addEventListener(end, () => {
    held = null;
  });
}

stage.addEventListener("wheel", (event) => {
  if (on.tool !== "square" || !event.ctrlKey) return; // a wheel alone scrolls the page; a pinch comes with Ctrl
  event.preventDefault();
  on.scene.square = box.zoom(on.scene.square, event.deltaY > 0 ? 1.05 : 1 / 1.05, on.scene.size);
  changed();
});

stage.addEventListener("keydown", (event) => {
  if (event.key === "Escape") return on.ended();
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (!(on.tool === "square" ? moveSquare(event) : moveBrush(event))) return;
  event.preventDefault();
  changed();
});
for (const event of ["focus", "blur"]) stage.addEventListener(event, () => on.tool === "cover" && draw());

/** @param {KeyboardEvent} event */
function moveSquare(event) {
  const to = box.press(on.scene.square, event, on.scene.size);
  if (to) on.scene.square = to;
  return Boolean(to);
}

/** @param {KeyboardEvent} event */
function moveBrush({ key, shiftKey }) {
  const { scene } = on;
  const wide = scene.brush * scene.square.side;
  if (key === "Enter" || key === " ") {
    scene.strokes.push({ width: wide, round: false, points: [{ ...scene.cursor }] });
    return true;
  }
  const to = box.press({ x: scene.cursor.x, y: scene.cursor.y, side: wide * 8 }, { key, shiftKey }, NOWHERE);
  if (!to || key === "+" || key === "-" || key === "=") return false;
  const { x, y, side } = scene.square;
  scene.cursor = { x: Math.min(x + side, Math.max(x, to.x)), y: Math.min(y + side, Math.max(y, to.y)) };
  return true;
}

/** The brush's middle may go anywhere; the square keeps it inside. */
const NOWHERE = { width: Number.MAX_SAFE_INTEGER, height: Number.MAX_SAFE_INTEGER };

function changed() {
  draw();
  on.changed();
}
