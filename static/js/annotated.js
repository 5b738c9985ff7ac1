/** The picture to take away: the photo with its class map, and below it the answer, in the page's own colours. */

import { reliability } from "./answer.js";
import { byId, context2d, curly } from "./dom.js";
import { corners, cropOf } from "./photo.js";
import { SAY } from "./strings.js";

const LONGEST = 1600; // pixels of the photo's longer side
const NARROWEST = 720; // so that the words have room

/**
 * @param {import("./photo.js").Picture} picture
 * @param {Rest.PredictResponse} answer
 * @param {Rest.ExplainResponse | null} map the one that is shown
 * @param {string} [type] of the file
 * @returns {Promise<Blob | null>}
 */
export function annotate(picture, answer, map, type = "image/jpeg") {
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
  const [width, height] = [Math.round(picture.width * scale), Math.round(picture.height * scale)];
  const page = Math.max(NARROWEST, width);
  const canvas = document.createElement("canvas");
  const context = context2d(canvas);
  const lines = words(context, answer, map, page);
  canvas.width = page;
  canvas.height = height + lines.reduce((sum, line) => sum + line.height, 0) + margin(page);
  context.fillStyle = colour("--wall");
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.translate((page - width) / 2, 0);
  drawPhoto(context, picture, answer.image, width, height);
  context.setTransform(1, 0, 0, 1, 0, 0);
  write(context, lines, height, page);
  return new Promise((done) => canvas.toBlob(done, type, 0.92));
}

/** @param {string} name */
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);

/** @param {number} page its width */
const margin = (page) => Math.round(page / 24);

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("./photo.js").Picture} picture
 * @param {Rest.ImageFacts} image what the answer says of it
 * @param {number} width
 * @param {number} height
 */
function drawPhoto(context, picture, image, width, height) {
  if (picture.image) context.drawImage(picture.image, 0, 0, width, height);
  const crop = cropOf(picture, image.crop, image);
  const [across, down] = [width / picture.width, height / picture.height];
  const box = { x: crop.x * across, y: crop.y * down, width: crop.width * across, height: crop.height * down };
  const cam = byId("cam", HTMLCanvasElement);
  if (!cam.hidden) {
    context.globalAlpha = Number(cam.style.opacity || 1);
    context.imageSmoothingQuality = "high";
    context.drawImage(cam, box.x, box.y, box.width, box.height);
    context.globalAlpha = 1;
  }
  const marks = new Path2D(corners(box, width / 50));
  for (const [stroke, thick] of /** @type {const} */ ([
    ["#0009", width / 250],
    ["#fff", width / 500],
  ])) {
    Object.assign(context, { strokeStyle: stroke, lineWidth: thick });
    context.stroke(marks);
  }
}

/**
 * @typedef {{ text: string, font: string, ink: string, height: number, right?: string }} Line
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Rest.PredictResponse} answer
 * @param {Rest.ExplainResponse | null} map
 * @param {number} page
 * @returns {Line[]}
 */
function words(context, { caption, labels, words: said, model }, map, page) {
  const unit = page / 40;
  const [book, sans] = ["--say", "--ui"].map(colour);
  const large = { font: `${1.5 * unit}px ${book}`, ink: colour("--ink"), height: 1.9 * unit };
  const plain = { font: `${0.8 * unit}px ${sans}`, ink: colour("--ink"), height: 1.25 * unit };
  const small = { ...plain, font: `${0.65 * unit}px ${sans}`, ink: colour("--ink-2") };
  const notes = [
    ...(said.length
      ? [SAY.wordsOf(said.map(({ word, people_in_five }) => `${word} ${SAY.inFive(people_in_five)}`))]
      : []),
    ...(map ? [`${byId("map-note").textContent} ${SAY.mapBy[map.method] ?? map.method}`] : []),
    SAY.by(model.name, model.version),
  ];
  const lines = (/** @type {typeof large} */ style, /** @type {string} */ text) => {
    context.font = style.font;
    return wrapped(context, text, page - 2 * margin(page)).map((line) => ({ ...style, text: line }));
  };
  return [
    ...lines(large, curly(caption.text)),
    ...lines(small, reliability(caption)),
    ...labels.map(({ label, vocabulary, score }) => ({
      ...plain,
      text: `${label} (${SAY.vocabularies[vocabulary] ?? vocabulary})`,
      right: SAY.percent(score),
    })),
    ...notes.flatMap((note) => lines(small, note)),
  ];
}

/**
 * @param {CanvasRenderingContext2D} context with its font
 * @param {string} text
 * @param {number} width
 * @returns {string[]}
 */
function wrapped(context, text, width) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = `${lines[lines.length - 1]} ${word}`.trim();
    if (context.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Line[]} lines
 * @param {number} top
 * @param {number} page
 */
function write(context, lines, top, page) {
  let y = top + margin(page) / 2;
  context.textBaseline = "middle";
  for (const { text, font, ink, height, right } of lines) {
    Object.assign(context, { font, fillStyle: ink, textAlign: "left" });
    context.fillText(text, margin(page), y + height / 2, page - 2 * margin(page));
    context.textAlign = "right";
    if (right) context.fillText(right, page - margin(page), y + height / 2);
    y += height;
  }
}
