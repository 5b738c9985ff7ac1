/** The card of a unit: what it looks for, its name with evidence, what it argues for and against, which units feed it. */

import { byId, context2d, el } from "./dom.js";
import { CARD } from "./unit-card-strings.js";

/**
 * @typedef {{ name: string, channel: number }} Unit a layer of which there may be cards, and a channel or row of fc8
 * @typedef {(layer: string, channel: number) => void} Open a way to the tile of a unit
 */

const LABELS = "fc8";
const THUMB = 44; // pixels of the picture of a unit that feeds this one

/** @type {Promise<Rest.UnitsResponse> | undefined} */
let listing;

/** @type {Map<string, Promise<HTMLImageElement>>} */
const sheets = new Map();

/** Counts what was asked for, so that a slow card does not replace a later one. */
let latest = 0;

/** @type {Open} */
let openTile = () => {};

/** @param {string} url @throws {Error} where the service does not answer with JSON */
async function json(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

/** @returns {Promise<Rest.UnitsResponse>} */
function units() {
  listing ??= json("units").catch((error) => {
    listing = undefined; // so that the next card asks again
    throw error;
  });
  return listing;
}

/** @param {string} layer @param {string} version */
function sheet(layer, version) {
  const kept = sheets.get(layer);
  if (kept) return kept;
  const fetched = (async () => {
    const image = new Image();
    image.src = `units/${layer}.webp?v=${version}`;
    await image.decode();
    return image;
  })();
  fetched.catch(() => sheets.delete(layer));
  sheets.set(layer, fetched);
  return fetched;
}

/** Fetch the style sheet, once. */
function dress() {
  if (document.querySelector('link[href$="unit-card.css"]')) return;
  document.head.append(el("link", { rel: "stylesheet", href: "static/css/unit-card.css" }));
}

/**
 * The layer whose channels another's are: poolings pass those of the convolution before them on.
 * @param {Rest.UnitLayerAnswer[]} layers
 * @param {string} name
 */
function convolution(layers, name) {
  if (!name.startsWith("pool")) return layers.find((layer) => layer.name === name);
  const last = name.replace("pool", "conv"); // or one before it, where the network has no such
  return layers.findLast((layer) => layer.name.startsWith("conv") && layer.name <= last);
}

/**
 * Show the card of a channel in its place, and its name behind its number.
 * @param {Unit} unit
 * @param {string} heading what the channel is called without a name
 */
export async function show({ name, channel }, heading) {
  const mine = ++latest;
  dress();
  const place = byId("unit-card");
  const title = byId("channel-h");
  place.hidden = false;
  try {
    const { layers, version } = await units();
    const facts = convolution(layers, name);
    if (mine !== latest) return;
    if (!facts) return place.replaceChildren(el("p", { class: "note" }, layers.length ? "" : CARD.none));
    /** @type {Rest.UnitResponse} */
    const card = await json(`units/${facts.name}/${channel}`);
    if (mine !== latest) return;
    title.textContent = card.name ? `${heading}: ${CARD.name(card.name)}` : heading;
    place.replaceChildren(...parts(card, facts, { layers, version }));
  } catch {
    if (mine === latest) place.replaceChildren(el("p", { class: "note" }, CARD.failed));
  }
}

/** No card is shown. */
export function clear() {
  latest++;
  byId("unit-card").hidden = true;
}

/**
 * Open the card of a label over the page.
 * @param {number} row of fc8
 */
export async function openLabel(row) {
  dress();
  const dialog = byId("label-card", HTMLDialogElement);
  const close = el("button", { type: "button", class: "btn" }, CARD.close);
  close.addEventListener("click", () => dialog.close());
  const title = el("h3", { id: "label-card-h", tabindex: -1 });
  const body = el("div", { class: "unit-card" });
  dialog.replaceChildren(title, body, close);
  if (!dialog.open) dialog.showModal();
  try {
    const { layers, version } = await units();
    const facts = layers.find(({ name }) => name === LABELS);
    if (!facts) return body.replaceChildren(el("p", { class: "note" }, CARD.none));
    /** @type {Rest.UnitResponse} */
    const card = await json(`units/${LABELS}/${row}`);
    title.textContent = CARD.label(card.label ?? "");
    body.replaceChildren(...parts(card, facts, { layers, version }));
  } catch {
    body.replaceChildren(el("p", { class: "note" }, CARD.failed));
  }
}

/**
 * @param {Rest.UnitResponse} card
 * @param {Rest.UnitLayerAnswer} facts
 * @param {Rest.UnitsResponse} all
 */
function parts(card, facts, all) {
  const what = card.label ? `“${card.label}”` : `channel ${card.channel + 1} of ${card.layer}`;
  const texts = [CARD.made(card.excitation, facts.figures.real_pictures ?? 0)];
  if (card.dead) texts.push(CARD.dead);
  else if (card.active !== null) texts.push(CARD.active(card.active));
  if (card.tuning) texts.push(CARD.tuning(card.tuning));
  return [
    figure(card, facts, all.version, what),
    el("div", { class: "unit-says" }, ...evidence(card), ...texts.map((text) => el("p", { class: "note" }, text))),
    ...argued(card),
    ...fed(card, all),
  ];
}

/** @param {Rest.UnitResponse} card */
function evidence({ name, label, dead }) {
  if (label || dead) return [];
  if (!name) return [el("p", {}, CARD.noName)];
  return [el("p", {}, CARD.firesFor, el("b", {}, CARD.name(name)), ` · ${CARD.evidence(name)}`)];
}

/**
 * @param {Rest.UnitResponse} card
 * @param {Rest.UnitLayerAnswer} facts
 * @param {string} version
 * @param {string} what
 */
function figure({ layer, channel }, facts, version, what) {
  const canvas = el("canvas", { role: "img", "aria-label": CARD.looksForAlt(what) });
  canvas.classList.toggle("px", facts.side < 24);
  draw(canvas, { name: layer, channel }, facts, version);
  return el("figure", { class: "unit-picture" }, canvas, el("figcaption", { class: "note" }, CARD.looksFor));
}

/**
 * Cut the picture of one unit from its sheet.
 * @param {HTMLCanvasElement} canvas
 * @param {Unit} unit
 * @param {Rest.UnitLayerAnswer} facts
 * @param {string} version
 */
async function draw(canvas, { name, channel }, { side, across }, version) {
  canvas.width = side;
  canvas.height = side;
  const image = await sheet(name, version).catch(() => null);
  if (!image) return; // the words say it without the picture
  const [x, y] = [(channel % across) * side, Math.floor(channel / across) * side];
  context2d(canvas).drawImage(image, x, y, side, side, 0, 0, side, side);
}

/** @param {Rest.UnitResponse} card */
function argued({ argues_for, argues_against }) {
  const sides = /** @type {[string, Rest.UnitEffect[]][]} */ ([
    [CARD.arguesFor, argues_for],
    [CARD.arguesAgainst, argues_against],
  ]).filter(([, effects]) => effects.length);
  if (!sides.length) return [];
  const lists = sides.map(([title, effects]) =>
    el("div", {}, el("h4", {}, title), el("ul", {}, ...effects.map((one) => el("li", {}, labelButton(one))))),
  );
  return [el("div", { class: "unit-argues", title: CARD.effectNote }, ...lists)];
}

/** @param {Rest.UnitEffect} effect */
function labelButton({ label, row, effect }) {
  const button = el("button", { type: "button", class: "chip" }, label, el("small", {}, CARD.effect(effect)));
  button.addEventListener("click", () => openLabel(row));
  return button;
}

/** @param {Rest.UnitResponse} card @param {Rest.UnitsResponse} all */
function fed({ fed_by }, { layers, version }) {
  const facts = layers.find(({ name }) => name === fed_by[0]?.layer);
  if (!facts) return [];
  const buttons = fed_by.map(({ layer, channel }) => {
    const canvas = el("canvas", { width: THUMB, height: THUMB, "aria-hidden": "true" });
    canvas.classList.toggle("px", facts.side < 24);
    draw(canvas, { name: layer, channel }, facts, version);
    const label = CARD.unit(layer, channel);
    const button = el("button", { type: "button", "aria-label": label, title: label }, canvas, String(channel + 1));
    button.addEventListener("click", () => {
      byId("label-card", HTMLDialogElement).close();
      openTile(layer, channel);
    });
    return button;
  });
  return [el("div", { class: "unit-fed" }, el("h4", {}, CARD.fedBy(facts.name)), ...buttons)];
}

/** Say how the tile of a unit is opened, once. @param {Open} open */
export function listen(open) {
  openTile = open;
}
