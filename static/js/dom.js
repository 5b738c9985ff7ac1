/** The few helpers that build and find elements. */

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {Record<string, string | number | boolean>} Attributes of an element; false leaves one out */

/**
 * The element with that id, which the template promises.
 * @template {Element} [Type=HTMLElement]
 * @param {string} id
 * @param {new () => Type} [type] its class, where more is asked of it than every element can do
 * @returns {Type}
 * @throws {TypeError} where the page has no such element
 */
export function byId(id, type) {
  return checked(document.getElementById(id), `#${id}`, type);
}

/**
 * The first element inside another that a selector matches, which the template promises.
 * @template {Element} [Type=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => Type} [type] its class, where more is asked of it than every element can do
 * @returns {Type}
 * @throws {TypeError} where there is no such element
 */
export function find(root, selector, type) {
  return checked(root.querySelector(selector), selector, type);
}

/**
 * All elements inside another that a selector matches, in document order.
 * @template {Element} [Type=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => Type} [type] their class, where more is asked of them than every element can do
 * @returns {Type[]}
 */
export function findAll(root, selector, type) {
  return [...root.querySelectorAll(selector)].map((node) => checked(node, selector, type));
}

/**
 * @template {Element} Type
 * @param {Element | null} node
 * @param {string} name what was looked for
 * @param {(new () => Type) | undefined} type HTMLElement where it is left out
 * @returns {Type}
 */
function checked(node, name, type) {
  if (!(node instanceof (type ?? HTMLElement))) throw new TypeError(`The page has no ${name}`);
  return /** @type {Type} */ (node);
}

/**
 * An element with attributes and children; strings become text, never markup.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Attributes} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/**
 * The same, for SVG.
 * @template {keyof SVGElementTagNameMap} Name
 * @param {Name} name
 * @param {Attributes} [attributes]
 * @param {...(Node | string)} children
 * @returns {SVGElementTagNameMap[Name]}
 */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

/**
 * @template {Element} Type
 * @param {Type} node
 * @param {Attributes} attributes
 * @param {(Node | string)[]} children
 * @returns {Type}
 */
function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== false) node.setAttribute(key, value === true ? "" : String(value));
  }
  node.append(...children);
  return node;
}

/**
 * Make nodes all that a place holds, in their order, and move none that is there already: what has the focus keeps it.
 * @param {Element} place
 * @param {Element[]} nodes
 */
export function arrange(place, nodes) {
  for (const child of [...place.children]) if (!nodes.includes(child)) child.remove();
  for (const [i, node] of nodes.entries()) {
    if (place.children[i] !== node) place.insertBefore(node, place.children[i] ?? null);
  }
}

/**
 * What draws on a canvas.
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasRenderingContext2DSettings} [settings]
 * @returns {CanvasRenderingContext2D}
 * @throws {TypeError} where the browser draws nothing
 */
export function context2d(canvas, settings) {
  const context = canvas.getContext("2d", settings);
  if (!context) throw new TypeError("This browser draws nothing on a canvas");
  return context;
}

/**
 * A white outline with a dark one under it, visible on any photo.
 * @param {"path" | "rect"} name an SVG shape
 * @param {Attributes} shape its attributes
 * @param {number} width of the white line
 * @returns {SVGElement[]}
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
 * Call back with the chosen value whenever another radio button of a group is chosen.
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

/**
 * Call back with every button of a grid that is clicked.
 * @param {HTMLElement} grid
 * @param {(button: HTMLButtonElement) => void} clicked
 */
export function onButton(grid, clicked) {
  grid.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("button");
    if (button) clicked(button);
  });
}

/** Straight apostrophes become typographic ones. @param {string} text */
export const curly = (text) => text.replaceAll("'", "’");

/**
 * Tell whoever listens on the document: "glassbot:answer", "glassbot:label" or "glassbot:leave".
 * @param {"answer" | "label" | "leave"} event
 * @param {object} [detail]
 */
export const tell = (event, detail) => document.dispatchEvent(new CustomEvent(`glassbot:${event}`, { detail }));
