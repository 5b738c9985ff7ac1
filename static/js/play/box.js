/** The square that is looked at, in pixels of the photo: moved, resized, and kept inside. Pure functions. */

/**
 * @typedef {{ x: number, y: number, side: number }} Square
 * @typedef {{ width: number, height: number }} Size of the photo
 * @typedef {"move" | "nw" | "ne" | "sw" | "se"} Grip what is dragged
 */

const LEAST = 24; // pixels of the photo; less shows nothing

/** @param {number} value @param {number} least @param {number} most */
const between = (value, least, most) => Math.min(most, Math.max(least, value));

/** The nearest square that lies inside the photo. @param {Square} square @param {Size} size @returns {Square} */
export function inside({ x, y, side }, { width, height }) {
  const most = Math.min(width, height);
  const fitting = between(side, Math.min(LEAST, most), most);
  return { x: between(x, 0, width - fitting), y: between(y, 0, height - fitting), side: fitting };
}

/**
 * Drag a square, or one of its corners while the one across stays.
 * @param {Square} from as it was when the drag began
 * @param {Grip} grip
 * @param {number} dx in pixels of the photo
 * @param {number} dy
 * @param {Size} size
 * @returns {Square}
 */
export function drag(from, grip, dx, dy, size) {
  if (grip === "move") return inside({ ...from, x: from.x + dx, y: from.y + dy }, size);
  const [left, up] = [grip.endsWith("w"), grip.startsWith("n")];
  const growth = ((left ? -dx : dx) + (up ? -dy : dy)) / 2;
  const room = Math.min(
    left ? from.x + from.side : size.width - from.x,
    up ? from.y + from.side : size.height - from.y,
  );
  const side = between(from.side + growth, Math.min(LEAST, room), room);
  return { x: left ? from.x + from.side - side : from.x, y: up ? from.y + from.side - side : from.y, side };
}

/** Make a square larger or smaller around its middle. @param {Square} from @param {number} by a factor @param {Size} size */
export function zoom(from, by, size) {
  const { side } = inside({ ...from, side: from.side * by }, size);
  const shift = (from.side - side) / 2;
  return inside({ x: from.x + shift, y: from.y + shift, side }, size);
}

/**
 * What a key does to a square; undefined for keys that do nothing.
 * @param {Square} from
 * @param {{ key: string, shiftKey: boolean }} pressed with Shift it goes further
 * @param {Size} size
 * @returns {Square | undefined}
 */
export function press(from, { key, shiftKey }, size) {
  const step = from.side * (shiftKey ? 0.15 : 0.03);
  /** @type {Record<string, () => Square>} */
  const keys = {
    ArrowLeft: () => drag(from, "move", -step, 0, size),
    ArrowRight: () => drag(from, "move", step, 0, size),
    ArrowUp: () => drag(from, "move", 0, -step, size),
    ArrowDown: () => drag(from, "move", 0, step, size),
    "+": () => zoom(from, 1.1, size),
    "=": () => zoom(from, 1.1, size),
    "-": () => zoom(from, 1 / 1.1, size),
  };
  return keys[key]?.();
}
