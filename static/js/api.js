/**
 * The service, by URLs relative to the page. A photo goes over the wire once, to predict; from then on it is named by its
 * SHA-256, and this module alone knows what to do where the service has forgotten it.
 */

import { keyHeaders } from "./key.js";
import { SAY } from "./strings.js";

/** What went wrong, in words for the reader. */
export class Trouble extends Error {
  /**
   * @param {string} title
   * @param {string} detail
   * @param {{ status?: number, retryAfter?: number, type?: string }} [more] status 0: no answer came at all; retryAfter
   * in seconds; type as the service names the problem
   */
  constructor(title, detail, { status = 0, retryAfter = 0, type = "" } = {}) {
    super(detail);
    this.title = title;
    this.detail = detail;
    this.status = status;
    this.retryAfter = retryAfter;
    this.type = type;
  }

  /** Too many ask at once; a server that is only starting up says so itself. */
  get busy() {
    return this.status === 503 && this.retryAfter > 0 && !this.type.endsWith(":not-ready");
  }

  /** The photo is not to blame: the same request may succeed later. */
  get passing() {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

const gone = () => new Trouble(SAY.gone, SAY.goneWhy);

/**
 * @param {number} status
 * @param {string} text body, problem+json where the service itself answers
 * @param {string | null} retryAfter
 */
function trouble(status, text, retryAfter) {
  /** @type {Partial<Rest.Problem>} */
  let problem = {};
  try {
    problem = JSON.parse(text);
  } catch {
    // A gateway in between answers in its own words.
  }
  const { title = SAY.strange, detail = SAY.goneWhy, type = "" } = problem?.detail ? problem : {};
  const why = type.endsWith(":unauthorized") ? SAY.needsKey : detail;
  return new Trouble(title, why, { status, retryAfter: Number(retryAfter) || 0, type });
}

/** @param {Blob} photo */
const bodyType = (photo) => (photo.type.startsWith("image/") ? photo.type : "application/octet-stream");

/**
 * @param {string} url
 * @param {RequestInit} [options]
 * @returns {Promise<Response>} rejects with Trouble unless the answer is good
 */
async function ask(url, options) {
  const response = await fetch(url, options).catch((error) => {
    throw error.name === "AbortError" ? error : gone();
  });
  if (!response.ok) throw trouble(response.status, await response.text(), response.headers.get("Retry-After"));
  return response;
}

/** @typedef {{ sending: (share: number) => void, sent: () => void, signal: AbortSignal }} Watch told how an upload goes */

/**
 * Send a photo and ask for labels, words and the sentence. By XMLHttpRequest, since fetch tells no upload progress.
 * @param {Blob} photo
 * @param {Watch} watch
 * @returns {Promise<Rest.PredictResponse>}
 */
function upload(photo, { sending, sent, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", own("predict"));
    request.setRequestHeader("Content-Type", bodyType(photo));
    request.setRequestHeader("Accept", "application/json");
    for (const [name, value] of Object.entries(keyHeaders())) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ lengthComputable, loaded, total }) => {
      if (lengthComputable) sending(loaded / total);
    };
    request.upload.onload = sent;
    request.onerror = () => reject(gone());
    request.onabort = () => reject(signal.reason);
    request.onload = () => {
      const { status, responseText } = request;
      if (status !== 200) return reject(trouble(status, responseText, request.getResponseHeader("Retry-After")));
      try {
        resolve(JSON.parse(responseText));
      } catch {
        reject(new Trouble(SAY.strange, SAY.goneWhy, { status: 502 }));
      }
    };
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(photo);
  });
}

/** The address of a question, with what this browser taught where that is switched on. @param {string} path */
function own(path) {
  if (!document.getElementById("answer")) return path; // lessons are about the network as it was trained
  try {
    const { on, taught } = JSON.parse(localStorage.getItem("glassbot-taught") ?? "{}");
    return on && taught ? query(path, "taught", taught) : path;
  } catch {
    return path;
  }
}

/**
 * Put a question; where the service no longer has what was taught, teach it again and repeat.
 * @template Answer
 * @param {() => Promise<Answer>} question
 */
async function taught(question) {
  try {
    return await question();
  } catch (error) {
    if (!(error instanceof Trouble) || !error.type.endsWith(":unknown-taught")) throw error;
    await (await import("./teach/again.js")).again();
    return question();
  }
}

/** @param {string} url @param {Blob | null} photo @param {string} accept @param {AbortSignal} signal */
const post = (url, photo, accept, signal) => taught(() => send(own(url), photo, accept, signal));

/**
 * Post a photo or its name; where the server is busy, wait as long as it asks (at most 5 s) and try once more.
 * @param {string} url
 * @param {Blob | null} photo null where the URL names it
 * @param {string} accept
 * @param {AbortSignal} signal
 */
export async function send(url, photo, accept, signal) {
  const headers = { ...(photo && { "Content-Type": bodyType(photo) }), Accept: accept, ...keyHeaders() };
  const options = { method: "POST", body: photo, signal, headers };
  try {
    return await ask(url, options);
  } catch (error) {
    if (!(error instanceof Trouble) || error.status !== 503) throw error;
    await new Promise((resume) => setTimeout(resume, 1000 * Math.min(5, error.retryAfter || 1)));
    return ask(url, options);
  }
}

const HELD = 4; // photos that could be sent again; who looks at one has the others in the history

/** Photos that were sent, by the SHA-256 under which the service knows them, newest last. @type {Map<string, Blob>} */
const held = new Map();

/** Those that are being sent again just now. @type {Map<string, Promise<unknown>>} */
const resending = new Map();

/** @param {string} image @param {Blob} photo */
function hold(image, photo) {
  held.delete(image);
  held.set(image, photo);
  for (const oldest of [...held.keys()].slice(0, -HELD)) held.delete(oldest);
}

/** Whether the service no longer has the photo that was named. @param {unknown} error */
const isForgotten = (error) => error instanceof Trouble && error.type.endsWith(":unknown-image");

/** @param {string} path @param {string} key @param {string} value */
const query = (path, key, value) => `${path}${path.includes("?") ? "&" : "?"}${key}=${value}`;

/** @param {string} path @param {string} image */
const named = (path, image) => query(path, "image", image);

/**
 * Ask something about a photo that was sent before, by its name. Where the service has forgotten it, it is sent again with
 * the question; who asks at the same time waits for that, so that it goes over the wire once.
 * @param {string} image SHA-256, as the answer of predict names it
 * @param {string} path of the endpoint, perhaps with a query
 * @param {string} accept media type of the answer
 * @param {AbortSignal} signal
 * @returns {Promise<Response>}
 */
export async function about(image, path, accept, signal) {
  try {
    return await post(named(path, image), null, accept, signal);
  } catch (error) {
    const photo = held.get(image);
    if (!photo || !isForgotten(error)) throw error;
    const other = resending.get(image);
    if (other) return other.then(() => about(image, path, accept, signal));
    const response = post(path, photo, accept, signal);
    const settled = response.then(
      () => {},
      () => {},
    );
    resending.set(image, settled);
    settled.then(() => resending.delete(image));
    return response;
  }
}

/**
 * Ask for labels, words and the sentence. A photo that was sent before is named, and only sent where it was forgotten.
 * @param {Blob} photo
 * @param {Watch} watch
 * @param {string} [image] its SHA-256 where that is known
 * @returns {Promise<Rest.PredictResponse>}
 */
export async function predict(photo, watch, image) {
  const prediction = (image && (await remembered(image, watch))) || (await taught(() => upload(photo, watch)));
  hold(prediction.image.sha256, photo);
  return prediction;
}

/**
 * What the service says of a photo that it still has; null where it has forgotten it.
 * @param {string} image
 * @param {Watch} watch
 * @returns {Promise<Rest.PredictResponse | null>}
 */
async function remembered(image, { sent, signal }) {
  sent();
  try {
    return await (await post(named("predict", image), null, "application/json", signal)).json();
  } catch (error) {
    if (isForgotten(error)) return null;
    throw error;
  }
}

/**
 * Layers of one picture, as activations.js reads them.
 * @param {string} image
 * @param {AbortSignal} signal
 * @param {string} [layers] names with commas
 * @returns {Promise<ArrayBuffer>}
 */
export const activations = async (image, signal, layers = "all") =>
  (await about(image, `activations?layers=${layers}`, "application/octet-stream", signal)).arrayBuffer();

/**
 * The class map of one label, or of one claim of the sentence.
 * @param {string} image
 * @param {{ id: string, vocabulary?: string, claim?: number, method: string }} wanted
 * @param {AbortSignal} signal
 * @returns {Promise<Rest.ExplainResponse>}
 */
export async function explain(image, { id, vocabulary, claim, method }, signal) {
  const label = { label: id, ...(vocabulary ? { vocabulary } : {}) };
  const query = new URLSearchParams({ method, ...(claim === undefined ? label : { claim: String(claim) }) });
  return (await about(image, `explain?${query}`, "application/json", signal)).json();
}

/**
 * Ask about one frame of many: no progress, and no second try.
 * @param {Blob} frame
 * @param {AbortSignal} signal
 * @param {string} [path]
 * @returns {Promise<Rest.PredictResponse>}
 */
export async function glance(frame, signal, path = "predict") {
  const headers = { "Content-Type": bodyType(frame), Accept: "application/json", ...keyHeaders() };
  return (await taught(() => ask(own(path), { method: "POST", body: frame, signal, headers }))).json();
}

/**
 * The square that the network sees of a photo, as a PNG.
 * @param {string} image
 * @param {AbortSignal} signal
 * @returns {Promise<Blob>}
 */
export const square = async (image, signal) => (await about(image, "square", "image/png", signal)).blob();

/** @type {Promise<Rest.ModelResponse> | undefined} */
let description;

/** What the network is; asked for once. @returns {Promise<Rest.ModelResponse>} */
export function model() {
  description ??= ask("model").then((response) => response.json());
  description.catch(() => {
    description = undefined; // so that the next call asks again
  });
  return description;
}

/** A photo of the gallery. @param {string} file @returns {Promise<File>} */
export async function sample(file) {
  const blob = await (await ask(`static/samples/${encodeURIComponent(file)}`)).blob();
  return new File([blob], file, { type: blob.type });
}
