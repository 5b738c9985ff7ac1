/** What Swagger UI leaves to be desired: padlocks where no key is needed, controls without names, links in buttons. */

import { findAll } from "./dom.js";

/** @typedef {{ paths: Record<string, Record<string, { security?: object[] }>>, components: { securitySchemes?: object } }} Contract */

/**
 * The contract without the keys that a service only allows: a padlock then means that one is needed.
 * @param {Contract} contract
 * @returns {Contract}
 */
export function withoutOptionalKeys(contract) {
  const operations = Object.values(contract.paths).flatMap((path) => Object.values(path));
  const optional = (/** @type {{ security?: object[] }} */ { security = [] }) =>
    security.some((one) => Object.keys(one).length === 0);
  for (const operation of operations.filter(optional)) delete operation.security;
  if (!operations.some(({ security }) => security?.length)) delete contract.components.securitySchemes;
  return contract;
}

/**
 * @typedef {(name: string | Component, attributes: object | null, ...children: unknown[]) => unknown} Create
 * @typedef {(properties: Record<string, unknown>) => unknown} Component
 * @typedef {object} System what Swagger UI gives to a plugin
 * @property {{ createElement: Create }} React
 * @property {(name: string, container: true) => Component} getComponent
 * @property {{ info: () => { get: (key: string) => string }, securityDefinitions: () => unknown }} specSelectors
 */

/**
 * In place of parts of Swagger UI: a layout that is one part of a page, and no link inside a button.
 * @param {System} system
 */
export const plugin = ({ React: { createElement }, getComponent, specSelectors }) => ({
  components: {
    GlassbotLayout: () => {
      const part = (/** @type {string} */ name, properties = {}) => createElement(getComponent(name, true), properties);
      return createElement(
        "div",
        { className: "swagger-ui" },
        part("Markdown", { source: specSelectors.info().get("description") }),
        specSelectors.securityDefinitions() ? part("AuthorizeBtnContainer") : null,
        part("errors"),
        createElement("h2", null, SAY.operations),
        part("operations"),
        createElement("h2", null, SAY.schemas),
        part("Models"),
      );
    },
  },
  wrapComponents: {
    DeepLink:
      () =>
      (/** @type {{ text: string }} */ { text }) =>
        createElement("span", null, text),
  },
});

const SAY = { operations: "Operations", schemas: "Schemas of the answers" };

/** Names for controls that have none where no row of a table gives one. @type {Record<string, string>} */
const NAMES = { select: "Choose one of the values", textarea: "Body of the request", input: "Value" };

/**
 * Keep what is drawn into an element readable for everybody, now and whenever it changes.
 * @param {HTMLElement} root
 */
export function mend(root) {
  const all = () => {
    for (const field of findAll(root, "select, textarea, input:not([type=checkbox])", HTMLElement)) name(field);
    for (const block of findAll(root, "pre")) block.tabIndex = 0; // it scrolls where it is long
    for (const table of findAll(root, "table[role=region]")) table.removeAttribute("role"); // a landmark without a name
    for (const title of findAll(root, "section.models > h4")) title.setAttribute("aria-level", "3");
  };
  new MutationObserver(all).observe(root, { childList: true, subtree: true });
}

/** @param {HTMLElement} field */
function name(field) {
  if (field.getAttribute("aria-label") || field.closest("label")) return;
  if (field.id && document.querySelector(`label[for="${CSS.escape(field.id)}"]`)) return;
  const row = field.closest("tr")?.querySelector(".parameter__name")?.textContent;
  field.setAttribute("aria-label", row?.trim() || NAMES[field.localName]);
}
