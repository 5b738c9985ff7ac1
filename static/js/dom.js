/** The few helpers that build and find elements. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * The element with that id, which the template promises.
 * @param {string} id
 * @returns {any}
 */
export const byId = (id) => document.getElementById(id);

/**
 * An element with attributes and children; strings become text, never markup.
 * @param {string} name
 * @param {Record<string, string | number | boolean>} [attributes] false leaves one out
 * @param {...(Node | string)} children
 * @returns {any}
 */
export function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same, for SVG. @type {typeof el} */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

/**
 * @param {Element} node
 * @param {Record<string, string | number | boolean>} attributes
 * @param {(Node | string)[]} children
 */
function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== false) node.setAttribute(key, value === true ? "" : String(value));
  }
  node.append(...children);
  return node;
}

/**
 * A white outline with a dark one under it, visible on any photo.
 * @param {string} name an SVG shape
 * @param {Record<string, string | number>} shape its attributes
 * @param {number} width of the white line
 * @returns {Element[]}
 */
export function outline(name, shape, width) {
  return [
    svg(name, { ...shape, fill: "none", stroke: "#000", "stroke-opacity": 0.6, "stroke-width": 2.2 * width }),
    svg(name, { ...shape, fill: "none", stroke: "#fff", "stroke-width": width }),
  ];
}

/**
 * Press one button of a group and let go of the others.
 * @param {Element} group
 * @param {Element | null} chosen
 */
export function press(group, chosen) {
  for (const button of group.querySelectorAll("button[aria-pressed]")) {
    button.setAttribute("aria-pressed", String(button === chosen));
  }
}

/**
 * The chosen value of a group of radio buttons, and a callback for every change of it.
 * @param {Element} group
 * @param {(value: string) => void} changed
 */
export function onRadio(group, changed) {
  group.addEventListener("change", (event) => changed(/** @type {HTMLInputElement} */ (event.target).value));
}

/**
 * Choose one of a group of radio buttons as a click would, without one.
 * @param {Element} group
 * @param {string} value
 */
export function radio(group, value) {
  for (const input of group.querySelectorAll("input")) input.checked = input.value === value;
}
