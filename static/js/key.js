/** The API key, where the service asks for one: kept for this tab only, and sent with every photo. */

import { byId } from "./dom.js";

const STORED_AS = "glassbot-key";

/** @returns {string} */
function stored() {
  try {
    return sessionStorage.getItem(STORED_AS) ?? "";
  } catch {
    return ""; // a browser may be told to keep nothing
  }
}

let key = stored();

/** Headers to send; none where no key was typed, or what was typed cannot be one. @returns {Record<string, string>} */
export const keyHeaders = () => (/^[!-~]+$/.test(key) ? { "X-API-Key": key } : {});

/** Listen to the field for the key, where the page has one. */
export function listen() {
  const field = document.querySelector("input#key");
  if (!(field instanceof HTMLInputElement)) return; // no key is needed here
  field.value = key;
  field.addEventListener("input", () => {
    key = field.value.trim();
    try {
      sessionStorage.setItem(STORED_AS, key);
    } catch {
      // then it is known until the page is left
    }
  });
  byId("unlock").addEventListener("submit", (event) => event.preventDefault());
}
