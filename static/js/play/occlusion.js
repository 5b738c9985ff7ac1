/** One more kind of map: how much the answer drops when a patch is covered. It asks the network itself, patch by patch. */

import { about } from "../api.js";
import { byId } from "../dom.js";
import { paint } from "./diverging.js";
import { SAY } from "./strings.js";

/**
 * @param {string} image
 * @param {{ id: string, vocabulary?: string }} wanted
 * @param {AbortSignal} signal
 * @returns {Promise<Rest.OcclusionResponse>}
 */
export async function ask(image, { id, vocabulary }, signal) {
  const query = new URLSearchParams({ label: id, ...(vocabulary ? { vocabulary } : {}) });
  return (await about(image, `occlusion?${query}`, "application/json", signal)).json();
}

/**
 * @param {Rest.OcclusionResponse} answer
 * @param {string} name of the label
 * @param {number} inputSize
 * @returns {string} what the map says, in words
 */
export function show({ map }, name, inputSize) {
  const canvas = byId("cam", HTMLCanvasElement);
  const jump = inputSize / map.length;
  paint(canvas, map, { start: 0, jump, receptiveField: jump }, inputSize);
  const most = Math.round(100 * Math.max(...map.flat()));
  return most > 0 ? SAY.drop(name, most) : SAY.noDrop(name);
}
