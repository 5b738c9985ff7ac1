/** The service, by URLs relative to the page. */

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
 * Ask for labels, words and the sentence. By XMLHttpRequest, since fetch tells no upload progress.
 * @param {Blob} photo
 * @param {{ sending: (share: number) => void, sent: () => void, signal: AbortSignal }} watch
 * @returns {Promise<Rest.PredictResponse>}
 */
export function predict(photo, { sending, sent, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "predict");
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

/**
 * Post the photo; where the server is busy, wait as long as it asks (at most 5 s) and try once more.
 * @param {string} url
 * @param {Blob} photo
 * @param {string} accept
 * @param {AbortSignal} signal
 */
async function post(url, photo, accept, signal) {
  const headers = { "Content-Type": bodyType(photo), Accept: accept, ...keyHeaders() };
  const options = { method: "POST", body: photo, signal, headers };
  try {
    return await ask(url, options);
  } catch (error) {
    if (!(error instanceof Trouble) || error.status !== 503) throw error;
    await new Promise((resume) => setTimeout(resume, 1000 * Math.min(5, error.retryAfter || 1)));
    return ask(url, options);
  }
}

/**
 * Every layer of one picture, as activations.js reads it.
 * @param {Blob} photo
 * @param {AbortSignal} signal
 * @returns {Promise<ArrayBuffer>}
 */
export const activations = async (photo, signal) =>
  (await post("activations?layers=all", photo, "application/octet-stream", signal)).arrayBuffer();

/**
 * The class map of one label, or of one claim of the sentence.
 * @param {Blob} photo
 * @param {{ id: string, vocabulary?: string, claim?: number, method: string }} wanted
 * @param {AbortSignal} signal
 * @returns {Promise<Rest.ExplainResponse>}
 */
export async function explain(photo, { id, vocabulary, claim, method }, signal) {
  const label = { label: id, ...(vocabulary ? { vocabulary } : {}) };
  const query = new URLSearchParams({ method, ...(claim === undefined ? label : { claim: String(claim) }) });
  return (await post(`explain?${query}`, photo, "application/json", signal)).json();
}

/**
 * Ask about one frame of many: no progress, and no second try.
 * @param {Blob} frame
 * @param {AbortSignal} signal
 * @returns {Promise<Rest.PredictResponse>}
 */
export async function glance(frame, signal) {
  const headers = { "Content-Type": bodyType(frame), Accept: "application/json", ...keyHeaders() };
  return (await ask("predict", { method: "POST", body: frame, signal, headers })).json();
}

/**
 * The square that the network sees of a photo, as a PNG.
 * @param {Blob} photo
 * @param {AbortSignal} signal
 * @returns {Promise<Blob>}
 */
export const square = async (photo, signal) => (await post("square", photo, "image/png", signal)).blob();

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
