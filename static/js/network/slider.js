/** Lets the kernel slide by itself, once somebody asks for it; not at all for people who asked for less motion. */

import { SAY } from "./strings.js";

const STILL = matchMedia("(prefers-reduced-motion: reduce)");
const PAUSE = 140; // milliseconds on each cell, at least

export class Slider {
  isOn = false;

  /**
   * @param {HTMLButtonElement} button
   * @param {() => Promise<void>} next one cell further
   */
  constructor(button, next) {
    this.button = button;
    this.next = next;
    button.addEventListener("click", () => (this.isOn ? this.stop() : this.start()));
    const fit = () => {
      button.hidden = STILL.matches;
      if (STILL.matches) this.stop();
    };
    STILL.addEventListener("change", fit);
    fit();
  }

  async start() {
    this.isOn = true;
    this.button.textContent = SAY.stop;
    while (this.isOn) {
      await Promise.all([this.next(), new Promise((done) => setTimeout(done, PAUSE))]);
    }
  }

  stop() {
    this.isOn = false;
    this.button.textContent = SAY.slide;
  }
}
