/** The photo on the page: drawn by the browser, with the square that the network reads marked on it. */

import { byId, outline } from "./dom.js";
import { SAY } from "./strings.js";

/**
 * @typedef {object} Picture
 * @property {HTMLImageElement | null} image null where this browser cannot draw the format
 * @property {number} width upright, in pixels
 * @property {number} height
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
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
  } catch {
    URL.revokeObjectURL(url);
    return { image: null, width: 1, height: 1 };
  }
  return { image, width: image.naturalWidth, height: image.naturalHeight };
}

/**
 * Put a photo into its box, whose proportions are known before anything is answered.
 * @param {Picture} picture
 */
export function show({ image, width, height }) {
  const box = byId("photo");
  if (shown) URL.revokeObjectURL(shown);
  shown = image?.src ?? "";
  const drawn = image ?? new Image();
  drawn.alt = SAY.photoAlone;
  box.querySelector("img").replaceWith(drawn);
  drawn.hidden = !image;
  const words = box.querySelector(".undrawn");
  words.textContent = SAY.undrawn;
  words.hidden = Boolean(image);
  box.classList.toggle("blank", !image);
  box.classList.toggle("tall", height >= width);
  // Something 20,000 px wide and 1 px high still needs a box that can be seen.
  box.style.setProperty("--ratio", String(Math.min(4, Math.max(0.25, width / height))));
  byId("cam").hidden = true;
  byId("marks").replaceChildren();
}

/**
 * Lay the map's canvas and the crop marks on the square that the network saw. A photo that is not drawn is all crop.
 * @param {Picture} picture
 * @param {Box} crop in pixels of the server's upright picture
 * @param {{ width: number, height: number }} size of that picture
 */
export function place(picture, crop, size) {
  const { image } = picture;
  const whole = image ? size : crop;
  const { x, y } = image ? crop : { x: 0, y: 0 };
  const cam = byId("cam");
  cam.style.left = `${(100 * x) / whole.width}%`;
  cam.style.top = `${(100 * y) / whole.height}%`;
  cam.style.width = `${(100 * crop.width) / whole.width}%`;
  cam.style.height = `${(100 * crop.height) / whole.height}%`;
  const scale = byId("photo").clientWidth / whole.width || 1;
  const marks = byId("marks");
  marks.setAttribute("viewBox", `0 0 ${whole.width * scale} ${whole.height * scale}`);
  const box = { x: x * scale, y: y * scale, width: crop.width * scale, height: crop.height * scale };
  marks.replaceChildren(...outline("path", { d: corners(box) }, 1.5));
}

/** @param {Box} box @returns {string} an SVG path of four corners, just inside the box */
function corners({ x, y, width, height }) {
  const inset = 3;
  const [left, up, right, down] = [x + inset, y + inset, x + width - inset, y + height - inset];
  return (
    `M${left} ${up + MARK}V${up}H${left + MARK}M${right - MARK} ${up}H${right}V${up + MARK}` +
    `M${right} ${down - MARK}V${down}H${right - MARK}M${left + MARK} ${down}H${left}V${down - MARK}`
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
export function drawCrop(canvas, side, { image, width, height }, crop, size) {
  canvas.width = canvas.height = side;
  const context = canvas.getContext("2d");
  if (!image || !context) return;
  const [across, down] = [width / size.width, height / size.height];
  context.imageSmoothingQuality = "high";
  context.drawImage(image, crop.x * across, crop.y * down, crop.width * across, crop.height * down, 0, 0, side, side);
}
