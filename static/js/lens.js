/** The live lens: one frame of the camera after another is looked at, as fast as the server answers. */

import * as answer from "./answer.js";
import * as api from "./api.js";
import { byId, context2d, el, outline } from "./dom.js";
import * as maps from "./lens-maps.js";
import { corners } from "./photo.js";
import { SAY } from "./strings.js";

const SIDE = 454; // pixels sent: twice what the network sees
const LARGEST = 4096; // of the square that is kept: as large as the camera gives it
const LEAST = 200; // milliseconds between two frames: nobody reads faster, and others want to be answered too
const STALE = 1500; // milliseconds after which an answer looks old
const STEADY = 2000; // milliseconds that a sentence must stand before it is read out

/** Ends the lens that is open. */
let current = new AbortController();
current.abort();

/** The square of the video that is marked, in its pixels: what is sent is exactly that. */
let square = { x: 0, y: 0, width: 1, height: 1 };

/** The sentence that is shown, when it first came, and when it was last confirmed. */
let shown = { text: "", since: 0, at: 0 };

/**
 * Open the camera and look, until the lens is closed.
 * @param {(file: File) => void} caught called with the marked square, as somebody froze it
 * @param {(error: unknown) => void} failed
 */
export async function open(caught, failed) {
  close();
  current = new AbortController();
  const { signal } = current;
  const give = (/** @type {unknown} */ error) => {
    if (signal.aborted) return;
    close();
    failed(error);
  };
  try {
    const stream = await camera(signal);
    stream
      .getVideoTracks()[0]
      .addEventListener("ended", () => give(new api.Trouble(SAY.cameraGone, SAY.cameraGoneWhy)));
    const video = await play(stream, signal);
    byId("catch").onclick = async () => {
      caught(new File([await frame(video, LARGEST, 0.95)], SAY.frameName, { type: "image/jpeg" }));
    };
    watch(video, signal);
    const clock = setInterval(age, 250);
    signal.addEventListener("abort", () => clearInterval(clock));
    await look(video, signal);
  } catch (error) {
    give(error);
  }
}

/** Let go of the camera. */
export function close() {
  current.abort();
  byId("lens").hidden = true;
}

/** @param {AbortSignal} signal @returns {Promise<MediaStream>} */
async function camera(signal) {
  const wish = { video: { facingMode: "environment", width: { ideal: 1280 } }, audio: false };
  const stream = await navigator.mediaDevices.getUserMedia(wish).catch((error) => {
    const refused = error.name === "NotAllowedError";
    throw new api.Trouble(SAY.noCamera, refused ? SAY.cameraRefused : SAY.cameraMissing, { status: 400 });
  });
  const stop = () => {
    for (const track of stream.getTracks()) track.stop();
  };
  if (signal.aborted) stop();
  signal.throwIfAborted();
  signal.addEventListener("abort", stop);
  return stream;
}

/**
 * The video in its frame, with the square that is looked at marked on it.
 * @param {MediaStream} stream
 * @param {AbortSignal} signal
 * @returns {Promise<HTMLVideoElement>}
 */
async function play(stream, signal) {
  const video = byId("video", HTMLVideoElement);
  shown = { text: "", since: 0, at: performance.now() };
  byId("lens-sentence").textContent = SAY.looking;
  byId("lens-bars").replaceChildren();
  for (const id of ["lens-tier", "lens-rate", "lens-read"]) byId(id).textContent = "";
  maps.begin();
  video.srcObject = stream;
  await video.play();
  signal.throwIfAborted();
  for (const id of ["start", "answer", "layers"]) byId(id).hidden = true;
  byId("lens").hidden = false;
  frameIt(video);
  byId("lens-sentence").focus({ preventScroll: true });
  return video;
}

/** Give the video the box that its proportions ask for; a phone that is turned changes them. @param {HTMLVideoElement} video */
function frameIt(video) {
  const { videoWidth: width, videoHeight: height } = video;
  const box = byId("view");
  box.style.setProperty("--ratio", String(width / height));
  box.classList.toggle("tall", height >= width);
  mark(video);
}

/**
 * Keep the marks true while the window, the video or the words on it change their size.
 * @param {HTMLVideoElement} video
 * @param {AbortSignal} signal
 */
function watch(video, signal) {
  const sizes = new ResizeObserver(() => mark(video));
  for (const part of [video, byId("laid")]) sizes.observe(part);
  signal.addEventListener("abort", () => sizes.disconnect());
  video.addEventListener("resize", () => frameIt(video), { signal });
}

/**
 * Mark the largest square of the video that the pane leaves free, which is what the network reads.
 * @param {HTMLVideoElement} video
 */
function mark(video) {
  const { videoWidth: width, videoHeight: height } = video;
  const box = video.getBoundingClientRect();
  if (!box.height || !width) return;
  const open = height * Math.min(1, (byId("laid").getBoundingClientRect().top - box.top) / box.height);
  const side = Math.max(1, Math.floor(Math.min(width, open)));
  square = { x: Math.round((width - side) / 2), y: Math.round((open - side) / 2), width: side, height: side };
  const scale = width / video.clientWidth;
  const marks = byId("view-marks", SVGSVGElement);
  marks.setAttribute("viewBox", `0 0 ${width} ${height}`);
  marks.replaceChildren(...outline("path", { d: corners(square, 14 * scale) }, 1.5 * scale));
}

/**
 * What the camera sees now of the square that is marked.
 * @param {HTMLVideoElement} video
 * @param {number} most pixels of its side
 * @param {number} quality of the JPEG, 0 to 1
 * @returns {Promise<Blob>}
 */
function frame(video, most, quality) {
  const { x, y, width, height } = square;
  const side = Math.min(most, width);
  const canvas = el("canvas", { width: side, height: side });
  context2d(canvas).drawImage(video, x, y, width, height, 0, 0, side, side);
  return new Promise((resolve, reject) => {
    const finish = (/** @type {Blob | null} */ blob) => (blob ? resolve(blob) : reject(new Error("no frame")));
    canvas.toBlob(finish, "image/jpeg", quality);
  });
}

/**
 * One frame after another, the next when the last is answered; where the server asks for a pause, it gets it.
 * @param {HTMLVideoElement} video
 * @param {AbortSignal} signal
 */
async function look(video, signal) {
  for (let failures = 0; !signal.aborted; ) {
    const began = performance.now();
    let pause = 0;
    try {
      const prediction = await api.glance(await frame(video, SIDE, 0.85), signal);
      if (signal.aborted) return;
      show(prediction, performance.now() - began);
      maps.follow(prediction.image.sha256, signal);
      failures = 0;
    } catch (error) {
      if (!(error instanceof api.Trouble) || !error.passing) throw error;
      pause = 1000 * Math.min(5, Math.max(error.retryAfter, ++failures / 2));
      byId("lens-rate").textContent = error.busy ? SAY.lensBusy : `${error.title} ${SAY.lensTries}`;
    }
    await rest(Math.max(pause, LEAST - (performance.now() - began)), signal);
  }
}

/** Until that time is over and the page is looked at. @param {number} time in milliseconds @param {AbortSignal} signal */
async function rest(time, signal) {
  await new Promise((resume) => {
    setTimeout(resume, time);
    signal.addEventListener("abort", resume, { once: true });
  });
  if (document.hidden && !signal.aborted) {
    await new Promise((resume) => document.addEventListener("visibilitychange", resume, { once: true }));
  }
}

/** @param {Rest.PredictResponse} prediction @param {number} took milliseconds, there and back */
function show({ caption, labels }, took) {
  const now = performance.now();
  const { text } = caption;
  const since = text === shown.text ? shown.since : now;
  if (text !== shown.text) byId("lens-sentence").replaceChildren(...answer.sentence(caption));
  byId("lens-tier").textContent = answer.reliability(caption);
  byId("lens-bars").replaceChildren(...labels.map(answer.row));
  byId("lens-rate").textContent = SAY.rate(1000 / Math.max(LEAST, took), took);
  if (now - since >= STEADY && byId("lens-read").textContent !== text) byId("lens-read").textContent = text;
  shown = { text, since, at: now };
  age();
}

/** An answer that is old says how old, and looks it. */
function age() {
  const old = performance.now() - shown.at;
  byId("lens").classList.toggle("stale", old > STALE);
  byId("lens-age").textContent = old > STALE && shown.text ? SAY.old(old / 1000) : "";
}
