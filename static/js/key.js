/** The API key, where the service asks for one: kept for this tab only, and sent with every photo. */

import { byId } from "./dom.js";

const PLACE = "glassbot-key";

/** @returns {string} */
function kept() {
  try {
    return sessionStorage.getItem(PLACE) ?? "";
  } catch {
    return ""; // a browser may be told to keep nothing
  }
}

let key = kept();

/** Headers to send; none where no key was typed, or what was typed cannot be one. @returns {Record<string, string>} */
export const keyed = () => (/^[!-~]+$/.test(key) ? { "X-API-Key": key } : {});

export function listen() {
  const field = document.querySelector("input#key");
  if (!(field instanceof HTMLInputElement)) return; // no key is needed here
  field.value = key;
  field.addEventListener("input", () => {
    key = field.value.trim();
    try {
      sessionStorage.setItem(PLACE, key);
    } catch {
      // then it is known until the page is left
    }
  });
  byId("unlock").addEventListener("submit", (event) => event.preventDefault());
}
