/** Small pictures of the photos: drawn one after the other, once the photos are looked at, which does not wait for them. */

import { send } from "../api.js";
import { open, openSquare, thumb } from "../photo.js";
import * as store from "./store.js";

/** Those that no picture could be made of. @type {Set<string>} */
const blind = new Set();

let drawing = false;

/** Draw what is missing, until nothing is. */
export async function fill() {
  if (drawing) return;
  drawing = true;
  for (let photo = next(); photo?.file; photo = next()) {
    const drawn = await small(photo.file).catch(() => "");
    if (drawn) await store.amend(photo.sha256, { thumb: drawn });
    else blind.add(photo.sha256);
  }
  drawing = false;
}

const next = () => store.all().find(({ file, thumb, sha256 }) => file && !thumb && !blind.has(sha256));

/** The middle square of a photo, which is what the network sees. @param {File} file */
async function small(file) {
  let picture = await open(file);
  if (!picture.image) {
    const { signal } = new AbortController();
    picture = await openSquare(await (await send("square", file, "image/png", signal)).blob());
  }
  const { image, width, height } = picture;
  const side = Math.min(width, height);
  const drawn = thumb(picture, { x: (width - side) / 2, y: (height - side) / 2, width: side, height: side }, picture);
  if (image) URL.revokeObjectURL(image.src);
  return drawn;
}
