/** The photo on the page: drawn by the browser, with the square that the network reads marked on it. */

import { byId, context2d, find, outline } from "./dom.js";
import { SAY } from "./strings.js";

/**
 * @typedef {object} Picture
 * @property {HTMLImageElement | null} image null where this browser cannot draw the format
 * @property {number} width upright, in pixels
 * @property {number} height
 * @property {boolean} [square] only what the network saw of it, as the server sent that back
 *
 * @typedef {{ x: number, y: number, width: number, height: number }} Box
 */

const MARK = 14; // arm of a crop mark, in pixels of the screen

/** The address of the photo that is shown; one is held at a time. */
let shown = "";

/**
 * Let the browser decode a photo; it turns it upright as EXIF asks, as the server does.
 * @param {Blob} file
 * @returns {Promise<Picture>}
 */
export async function open(file) {
  const url = URL.createObjectURL(file);
  const image = await decoded(url);
  if (!image) URL.revokeObjectURL(url);
  return { image, width: image?.naturalWidth ?? 1, height: image?.naturalHeight ?? 1 };
}

/**
 * The square that the server sent of a photo that the browser cannot draw.
 * @param {Blob | null} png null where it did not come
 * @returns {Promise<Picture>}
 */
export async function openSquare(png) {
  const picture = png ? await open(png) : { image: null, width: 1, height: 1 };
  return { ...picture, square: Boolean(picture.image) };
}

/** @param {string} url @returns {Promise<HTMLImageElement | null>} */
async function decoded(url) {
  const image = new Image();
  image.src = url;
  return image.decode().then(
    () => image,
    () => null,
  );
}

/**
 * Put a photo into its box, whose proportions are known before anything is answered.
 * @param {Picture} picture
 */
export function show({ image, width, height, square }) {
  const box = byId("photo");
  if (shown && shown !== image?.src) URL.revokeObjectURL(shown);
  shown = image?.src ?? "";
  const drawn = image ?? new Image();
  drawn.alt = SAY.photoAlone;
  find(box, "img").replaceWith(drawn);
  drawn.hidden = !image;
  const words = byId("undrawn");
  words.textContent = square ? SAY.squareOnly : SAY.undrawn;
  words.hidden = Boolean(image) && !square;
  box.classList.toggle("blank", !image);
  box.classList.toggle("tall", height >= width);
  // Something 20,000 px wide and 1 px high still needs a box that can be seen.
  box.style.setProperty("--ratio", String(Math.min(4, Math.max(0.25, width / height))));
  byId("cam").hidden = true;
  byId("marks", SVGSVGElement).replaceChildren();
}

/**
 * Where the square that the network saw lies in what is drawn.
 * @param {Picture} picture
 * @param {Box} crop in pixels of the server's upright picture
 * @param {{ width: number, height: number }} size of that picture
 * @returns {Box} in pixels of the picture here
 */
export function cropOf({ image, width, height, square }, crop, size) {
  if (!image || square) return { x: 0, y: 0, width, height };
  const [across, down] = [width / size.width, height / size.height];
  return { x: crop.x * across, y: crop.y * down, width: crop.width * across, height: crop.height * down };
}

/**
 * Lay the map's canvas and the crop marks on the square that the network saw. A photo that is not drawn is all crop.
 * @param {Picture} picture
 * @param {Box} crop in pixels of the server's upright picture
 * @param {{ width: number, height: number }} size of that picture
 */
export function place(picture, crop, size) {
  const { x, y, width, height } = cropOf(picture, crop, size);
  const cam = byId("cam");
  cam.style.left = `${(100 * x) / picture.width}%`;
  cam.style.top = `${(100 * y) / picture.height}%`;
  cam.style.width = `${(100 * width) / picture.width}%`;
  cam.style.height = `${(100 * height) / picture.height}%`;
  const scale = byId("photo").clientWidth / picture.width || 1;
  const marks = byId("marks", SVGSVGElement);
  marks.setAttribute("viewBox", `0 0 ${picture.width * scale} ${picture.height * scale}`);
  const box = { x: x * scale, y: y * scale, width: width * scale, height: height * scale };
  marks.replaceChildren(...outline("path", { d: corners(box, MARK) }, 1.5));
}

/** @param {Box} box @param {number} arm @returns {string} an SVG path of four corners, just inside the box */
export function corners({ x, y, width, height }, arm) {
  const inset = arm / 5;
  const [left, up, right, down] = [x + inset, y + inset, x + width - inset, y + height - inset];
  return (
    `M${left} ${up + arm}V${up}H${left + arm}M${right - arm} ${up}H${right}V${up + arm}` +
    `M${right} ${down - arm}V${down}H${right - arm}M${left + arm} ${down}H${left}V${down - arm}`
  );
}

/**
 * Draw the square that the network saw, as large as the canvas's side says.
 * @param {HTMLCanvasElement} canvas
 * @param {number} side in pixels
 * @param {Picture} picture
 * @param {Box} crop
 * @param {{ width: number, height: number }} size of the server's upright picture
 */
export function drawCrop(canvas, side, picture, crop, size) {
  canvas.width = canvas.height = side;
  if (!picture.image) return;
  const context = context2d(canvas);
  const { x, y, width, height } = cropOf(picture, crop, size);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture.image, x, y, width, height, 0, 0, side, side);
}

/**
 * The same, as small as a list wants it.
 * @param {Picture} picture
 * @param {Box} crop
 * @param {{ width: number, height: number }} size
 * @returns {string} a data URI; "" where there is nothing to draw
 */
export function thumb(picture, crop, size) {
  const canvas = document.createElement("canvas");
  drawCrop(canvas, 112, picture, crop, size);
  return picture.image ? canvas.toDataURL("image/jpeg", 0.7) : "";
}
