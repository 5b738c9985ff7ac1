/** The empty frame that waits for a photo, or says why there is none. */

import * as api from "./api.js";
import { byId } from "./dom.js";
import { SAY } from "./strings.js";

/** What it says when nothing has happened yet. */
const title = byId("start-h").textContent;
const words = [...byId("start-p").childNodes];

/**
 * Show it in place of an answer.
 * @param {string} heading
 * @param {string} role of the words below: "status", or "alert" where something went wrong
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
export const rest = (why) => show(title, "status", ...(why ? [why] : words));

/** Say that something is waited for. @param {string} what */
export const wait = (what) => byId("start-p").replaceChildren(what);

/** Say what was wrong. @param {any} error @param {File} [file] */
export function refuse(error, file) {
  const trouble = error instanceof api.Trouble ? error : new api.Trouble(SAY.strange, String(error));
  const name = document.createElement("b");
  name.textContent = file?.name ?? "";
  show(`${trouble.title.replace(/\.$/, "")}.`, "alert", ...(file ? [name, ": "] : []), trouble.detail);
}
