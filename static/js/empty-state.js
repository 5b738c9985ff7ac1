/** What stands in the answer's place as long as there is none: it waits for a photo, or says why there is no answer. */

import * as api from "./api.js";
import { byId, el } from "./dom.js";
import { SAY } from "./strings.js";

/** What it says when nothing has happened yet. */
const title = byId("start-h").textContent ?? "";
const words = [...byId("start-p").childNodes];

/**
 * Show it in place of an answer.
 * @param {string} heading
 * @param {"status" | "alert"} role of the words below: "alert" where something went wrong
 * @param {...(Node | string)} below
 */
function show(heading, role, ...below) {
  for (const id of ["answer", "layers"]) byId(id).hidden = true;
  byId("start").hidden = false;
  byId("start-h").textContent = heading;
  byId("start-p").setAttribute("role", role);
  byId("start-p").replaceChildren(...below);
  scrollTo({ top: 0, behavior: "instant" });
  byId("start-h").focus({ preventScroll: true });
}

/** As it was at first, perhaps with a reason why it is shown again. @param {string} [why] */
export const reset = (why) => show(title, "status", ...(why ? [why] : words));

/** Say that something is waited for. @param {string} what */
export const wait = (what) => byId("start-p").replaceChildren(what);

/** Say what went wrong. @param {unknown} error @param {File} [file] */
export function refuse(error, file) {
  const trouble = error instanceof api.Trouble ? error : new api.Trouble(SAY.strange, String(error));
  const name = file ? [el("b", {}, file.name), ": "] : [];
  show(`${trouble.title.replace(/\.$/, "")}.`, "alert", ...name, trouble.detail);
}
