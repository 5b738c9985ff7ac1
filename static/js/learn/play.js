/** Stepping by itself: only after a touch, and all at once for people who asked for less motion. */

import { SAY } from "./strings.js";

const still = matchMedia("(prefers-reduced-motion: reduce)");

export class Player {
  /**
   * @param {HTMLButtonElement} button says Play or Pause
   * @param {Element} words that change with every frame, and are read out only when it rests
   * @param {{ tick: () => boolean, finish: () => void }} animation tick: one frame, false at the end; finish: all the rest
   */
  constructor(button, words, { tick, finish }) {
    this.button = button;
    this.words = words;
    this.tick = tick;
    this.finish = finish;
    this.frame = 0;
    button.addEventListener("click", () => (this.frame ? this.stop() : this.play()));
    still.addEventListener("change", () => still.matches && this.frame && this.end());
  }

  play() {
    if (this.frame) return;
    if (still.matches) return this.end();
    this.button.textContent = SAY.pause;
    this.words.setAttribute("aria-live", "off");
    const next = () => {
      if (this.tick()) this.frame = requestAnimationFrame(next);
      else this.stop();
    };
    this.frame = requestAnimationFrame(next);
  }

  stop() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.button.textContent = SAY.play;
    this.words.setAttribute("aria-live", "polite");
  }

  end() {
    this.stop();
    this.finish();
  }
}
