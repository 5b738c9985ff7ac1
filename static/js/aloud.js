/** Reads the sentence aloud, where the browser has a voice. */

import { byId } from "./dom.js";
import { SAY } from "./strings.js";

/** What is read, or was read last. @type {SpeechSynthesisUtterance | null} */
let current = null;

/** @param {boolean} reading */
function press(reading) {
  byId("aloud").textContent = reading ? SAY.stopReading : SAY.readAloud;
}

/** Say no more. */
function stop() {
  speechSynthesis.cancel();
  press(false);
}

/** Begin to read, or stop where it reads already. */
function toggle() {
  if (speechSynthesis.speaking || speechSynthesis.pending) return stop();
  const utterance = new SpeechSynthesisUtterance(byId("sentence").textContent ?? "");
  utterance.lang = "en";
  utterance.onend = utterance.onerror = () => current === utterance && press(false);
  current = utterance;
  press(true);
  speechSynthesis.speak(utterance);
}

/** Offer it once there is a voice, and stop when the photo or the page is left. */
export function listen() {
  if (!("speechSynthesis" in window)) return;
  const offer = () => {
    byId("aloud").hidden = !speechSynthesis.getVoices().length;
  };
  offer();
  speechSynthesis.addEventListener?.("voiceschanged", offer); // some browsers name their voices late
  byId("aloud").addEventListener("click", toggle);
  document.addEventListener("glassbot:leave", stop);
  addEventListener("pagehide", stop);
}
