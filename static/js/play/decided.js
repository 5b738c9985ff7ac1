/** Why a label lost, drawn: where its evidence lay, where the winner's was stronger, which channels and units decided. */

import { explain } from "../api.js";
import { el, outline, svg } from "../dom.js";
import { paint as paintEvidence } from "../heatmap.js";
import { PALETTES } from "../palettes.js";
import { drawCrop } from "../photo.js";
import { draw as drawSheet } from "../sheet.js";
import { paint } from "./diverging.js";
import { SAY } from "./strings.js";

/**
 * @typedef {import("./page.js").Answered} Answered
 * @typedef {{ receptiveField: number, jump: number, start: number, inputSize: number }} Cells where they lie
 */

const CHANNELS = 6;
const UNITS = 6;

/** The square of the photo with a map over it. @param {Answered} answered @param {number} side @param {string} words */
function onSquare({ picture, prediction }, side, words) {
  const photo = el("canvas", { class: "square-photo", "aria-hidden": "true" });
  drawCrop(photo, 2 * side, picture, prediction.image.crop, prediction.image);
  const map = el("canvas", { "aria-hidden": "true", width: 1, height: 1 });
  const over = svg("svg", { "aria-hidden": "true", viewBox: `0 0 ${side} ${side}` });
  const box = el("div", { class: "map over" }, photo, map, over);
  return { map, over, figure: el("figure", {}, box, el("figcaption", { class: "note" }, words)) };
}

/**
 * @param {Answered} answered
 * @param {Rest.CompareResponse} compared
 * @param {Cells} cells
 * @param {AbortSignal} signal
 * @returns {HTMLElement[]}
 */
export function maps(answered, compared, cells, signal) {
  const { label, against } = compared;
  const [better, worse] = ordered(compared);
  const evidence = onSquare(answered, cells.inputSize, SAY.evidence(label.label));
  const wanted = { id: label.id, vocabulary: label.vocabulary, method: "gradcam" };
  explain(answered.image, wanted, signal).then(
    ({ map }) => paintEvidence(evidence.map, map, cells, cells.inputSize),
    () => evidence.figure.remove(),
  );
  const words = against ? SAY.against(better.label, worse.label) : SAY.alone(label.label);
  const difference = onSquare(answered, cells.inputSize, words);
  const map = parts(compared);
  paint(difference.map, map, cells, cells.inputSize);
  if (against) difference.figure.append(peak(difference.over, map, cells, better.label));
  return [evidence.figure, difference.figure];
}

/** Who won and who lost. @param {Rest.CompareResponse} compared @returns {[Rest.Standing, Rest.Standing]} */
const ordered = ({ label, against, lead }) => (against && lead >= 0 ? [against, label] : [label, against ?? label]);

/** The service's numbers are for the other label; for a label that won they turn round. @param {Rest.CompareResponse} c */
const turned = ({ against, lead }) => (against && lead < 0 ? -1 : 1);

/** What each cell gave the winner. @param {Rest.CompareResponse} compared */
const parts = (compared) => compared.cells.map((row) => row.map((part) => part * turned(compared)));

/**
 * Mark the cell that gave the winner most, and say how much.
 * @param {SVGElement} over
 * @param {number[][]} map
 * @param {Cells} cells
 * @param {string} name
 */
function peak(over, map, { start, jump, receptiveField }, name) {
  const most = Math.max(...map.flat());
  const row = map.findIndex((cells) => cells.includes(most));
  const at = (/** @type {number} */ cell) => start + receptiveField / 2 + (cell - 0.5) * jump;
  const shape = { x: at(map[row].indexOf(most)), y: at(row), width: jump, height: jump };
  over.append(...outline("rect", shape, 1.5));
  return el("p", { class: "note" }, SAY.peak(name, most));
}

/** The lead as a sum. @param {Rest.CompareResponse} compared */
export function sum(compared) {
  const [better, worse] = ordered(compared);
  const sign = turned(compared);
  const all = parts(compared).flat();
  const add = (/** @type {number[]} */ numbers) => numbers.reduce((total, number) => total + number, 0);
  const head = compared.against
    ? SAY.sum(better.label, worse.label, Math.abs(compared.lead))
    : SAY.sumAlone(compared.label.label, compared.lead);
  return el(
    "div",
    { class: "sum" },
    el("p", {}, head),
    el(
      "ul",
      {},
      el("li", { class: "for" }, SAY.plus(add(all.filter((part) => part > 0)))),
      el("li", { class: "anti" }, SAY.minus(add(all.filter((part) => part < 0)))),
      el("li", {}, SAY.nowhere(sign * compared.elsewhere)),
    ),
  );
}

/**
 * The channels that decided most, as what they saw here.
 * @param {Rest.CompareResponse} compared
 * @param {import("../activations.js").Activations | null} activations
 */
export function channels(compared, activations) {
  const layer = activations?.layers.find(({ name }) => name === compared.layer);
  if (!layer) return [];
  const [better, worse] = ordered(compared);
  const tiles = compared.channels.slice(0, CHANNELS).map(({ channel, part }) => {
    const own = part * turned(compared);
    const canvas = el("canvas", { class: "px", "aria-hidden": "true" });
    const style = { palette: PALETTES.cividis, scale: "channel" };
    drawSheet(canvas, layer, style, { order: [channel], perRow: 1 });
    const name = own >= 0 || !compared.against ? better.label : worse.label;
    const words = SAY.channel(channel, name, compared.against ? Math.abs(own) : own);
    return el("li", {}, canvas, el("span", { class: "note" }, words));
  });
  return [el("h3", {}, SAY.channels(layer.name)), el("ul", { class: "deciders" }, ...tiles)];
}

/** The units that decided most, with their arithmetic. @param {Rest.CompareResponse} compared */
export function units(compared) {
  const sign = turned(compared);
  const lines = compared.units.slice(0, UNITS).map((unit) => {
    return el("li", {}, SAY.unit({ ...unit, weight: sign * unit.weight, part: sign * unit.part }));
  });
  return el(
    "details",
    { class: "more" },
    el("summary", {}, SAY.units),
    el("ul", { class: "units" }, ...lines),
    el("p", { class: "note" }, SAY.unitNote),
  );
}
