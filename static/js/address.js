/**
 * What the address says behind its "#": the name of a sample, and the label, method and layer that are looked at. A photo
 * of somebody's own is never in it; the browser's history holds a name, by which photo-store.js finds the photo again.
 *
 * @typedef {object} View "" is what the page would choose itself
 * @property {string} sample
 * @property {string} label vocabulary:id
 * @property {string} method
 * @property {string} layer
 */

const FIELDS = /** @type {(keyof View)[]} */ (["sample", "label", "method", "layer"]);

const SCROLL = "glassbot-scroll";

/** @returns {View} */
export function view() {
  const fields = new URLSearchParams(location.hash.slice(1));
  return /** @type {View} */ (Object.fromEntries(FIELDS.map((name) => [name, fields.get(name) ?? ""])));
}

/** @param {Partial<View>} wanted */
export function href(wanted) {
  const named = FIELDS.filter((name) => wanted[name]);
  return `#${named.map((name) => `${name}=${encodeURIComponent(wanted[name] ?? "").replaceAll("%3A", ":")}`).join("&")}`;
}

/** @param {string} hash */
const whole = (hash) => (hash === "#" ? location.pathname + location.search : hash);

/** The name of the photo that is shown here; undefined where none was. @returns {string | undefined} */
export const photo = () => history.state?.photo;

/** @returns {boolean} whether this is the lens */
export const isLens = () => Boolean(history.state?.lens);

/** @returns {boolean} whether somebody typed it or followed a link, and no photo was shown here yet */
export const isTyped = () => !history.state;

/** Go on to another view of the same photo. @param {Partial<View>} change */
export function turn(change) {
  const to = href({ ...view(), ...change });
  if (to !== href(view())) history.pushState(history.state, "", whole(to));
}

/** Go on to another photo. @param {string} id @param {string} sample */
export function enter(id, sample) {
  const { label, method, layer } = view();
  const linked = photo() || isLens() ? "" : label; // a link without a photo says what to show of the next one
  history.pushState({ photo: id }, "", whole(href({ sample, label: linked, method, layer })));
}

/** Say which photo this view is of. @param {string} id */
export const settle = (id) => history.replaceState({ photo: id }, "");

/** Know no photo here any more. */
export const forget = () => history.replaceState({}, "");

/** Go on to the lens. */
export const enterLens = () => history.pushState({ lens: true }, "", "#lens");

/** Make it the address of the empty state. */
export const leaveLens = () => history.replaceState({}, "", whole("#"));

/** How far the page was scrolled when it was left, in pixels. */
function leftAt() {
  try {
    return Number(sessionStorage.getItem(SCROLL));
  } catch {
    return 0;
  }
}

/** Once the photo of before is shown again, go back to where the page was, unless somebody scrolled meanwhile. */
export function scrollBack() {
  const top = leftAt();
  history.scrollRestoration = "manual"; // the browser would scroll a page that holds nothing yet
  const go = (/** @type {Event} */ event) =>
    /** @type {CustomEvent} */ (event).detail.activations.then(
      () => scrollY === 0 && scrollTo({ top, behavior: "instant" }),
    );
  document.addEventListener("glassbot:answer", go, { once: true });
  document.addEventListener("glassbot:leave", () => document.removeEventListener("glassbot:answer", go), {
    once: true,
  });
}

/** Back and forward, and addresses typed by hand. @param {() => void} arrived */
export function listen(arrived) {
  if (!history.state && !view().sample) history.replaceState({}, "");
  let here = history.state;
  addEventListener("pagehide", () => {
    try {
      sessionStorage.setItem(SCROLL, String(scrollY));
    } catch {
      // then a reload begins at the top
    }
  });
  addEventListener("popstate", () => {
    const isPlace = isTyped() && !location.hash.includes("="); // the skip link, or a heading
    if (isPlace) return history.replaceState(here, "");
    here = history.state;
    arrived();
  });
}
