/** The snapshots of the network, each a sheet of pictures that is fetched once. */

/**
 * @typedef {{ name: string, shape: [number, number, number], side: number, y: number, peaks: number[] }} Block
 * @typedef {{ step: number, size: number, file: string, blocks: Block[] }} Snapshot
 * @typedef {Snapshot & { pixels: ImageData }} Sheet
 */

import { context2d } from "../dom.js";

const MOST = 150; // of about 0.3 MB each, once they are pixels

export class Sheets {
  /** @type {Map<number, Sheet>} */
  #loaded = new Map();

  /** @type {Map<number, Promise<Sheet>>} */
  #coming = new Map();

  /**
   * @param {Snapshot[]} list by step
   * @param {string} folder their address, without a slash at its end
   */
  constructor(list, folder) {
    this.list = list;
    this.folder = folder;
  }

  /** Which of them shows the network at a step: the last until then, or else the first. @param {number} step */
  at(step) {
    return Math.max(
      0,
      this.list.findLastIndex((snapshot) => snapshot.step <= step),
    );
  }

  /** @param {number} index @returns {Sheet | undefined} if it is here already */
  here(index) {
    return this.#loaded.get(index);
  }

  /** @param {number} index @returns {Promise<Sheet>} rejects where it does not arrive or is no picture */
  load(index) {
    if (!this.list[index]) return Promise.reject(new RangeError("no such sheet"));
    const loaded = this.#loaded.get(index);
    if (loaded) return Promise.resolve(loaded);
    const coming = this.#coming.get(index) ?? this.#fetch(index).finally(() => this.#coming.delete(index));
    this.#coming.set(index, coming);
    return coming;
  }

  /**
   * Fetch the neighbours, the nearest first, so that the next move finds them here.
   * @param {number} index
   * @param {number} reach how many on each side
   */
  async near(index, reach) {
    for (let away = 1; away <= reach; away++) {
      const both = [index + away, index - away].filter((i) => this.list[i]);
      await Promise.allSettled(both.map((i) => this.load(i)));
    }
  }

  /** @param {number} index */
  async #fetch(index) {
    const snapshot = this.list[index];
    const image = new Image();
    image.src = `${this.folder}/${snapshot.file}`;
    await image.decode();
    const sheet = { ...snapshot, pixels: pixelsOf(image) };
    if (!sheet.pixels.data.at(-1)) throw new Error("cut short"); // what never came of a picture is transparent
    this.#loaded.set(index, sheet);
    const [oldest] = this.#loaded.keys();
    if (this.#loaded.size > MOST) this.#loaded.delete(oldest);
    return sheet;
  }
}

/** @param {HTMLImageElement} image */
function pixelsOf(image) {
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  const context = context2d(canvas, { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}
