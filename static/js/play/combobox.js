/** A combobox with a list, as the WAI-ARIA Authoring Practices describe it: the focus stays in the field. */

import { byId, el, findAll } from "../dom.js";

/**
 * @template Item
 * @typedef {object} Wanted
 * @property {string} id
 * @property {string} label
 * @property {string} list what the list is called
 * @property {(text: string) => Item[]} search
 * @property {(item: Item) => (Node | string)[]} option what an option shows
 * @property {(item: Item) => string} value what the field shows once it is chosen
 * @property {(item: Item) => void} chose
 * @property {(text: string, found: number) => void} typed
 */

/** @template Item */
export class Combobox {
  /** @type {Item[]} */
  #items = [];
  #active = -1;
  #input;
  #list;

  /** @param {Wanted<Item>} wanted */
  constructor(wanted) {
    const { id, label, list } = wanted;
    this.wanted = wanted;
    this.#input = el("input", {
      id,
      type: "text",
      role: "combobox",
      autocomplete: "off",
      autocapitalize: "none",
      spellcheck: "false",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": `${id}-list`,
    });
    this.#list = el("ul", { id: `${id}-list`, role: "listbox", "aria-label": list, hidden: true });
    this.element = el("div", { class: "combobox" }, el("label", { for: id }, label), this.#input, this.#list);
    this.#listen();
  }

  #listen() {
    const list = this.#list;
    this.#input.addEventListener("input", () => {
      this.#open();
      this.wanted.typed(this.#input.value, this.#items.length);
    });
    this.#input.addEventListener("blur", () => this.#close());
    this.#input.addEventListener("keydown", (event) => {
      const act = this.#acts()[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    });
    list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
    list.addEventListener("click", (event) => {
      const entry = event.target instanceof Element && event.target.closest("li");
      if (entry) this.#choose([...list.children].indexOf(entry));
    });
  }

  /** What each key does. @returns {Record<string, () => void>} */
  #acts() {
    const [closed, last, at] = [this.#list.hidden, this.#items.length - 1, this.#active];
    if (closed)
      return {
        ArrowDown: () => this.#open(),
        ArrowUp: () => this.#open(),
        Enter: () => {
          this.#open();
          this.#choose(0);
        },
        Escape: () => {
          this.#input.value = "";
          this.wanted.typed("", 0);
        },
      };
    return {
      ArrowDown: () => this.#mark(at >= last ? 0 : at + 1),
      ArrowUp: () => this.#mark(at <= 0 ? last : at - 1),
      Enter: () => this.#choose(Math.max(0, at)),
      Escape: () => this.#close(),
    };
  }

  #close() {
    this.#list.hidden = true;
    this.#input.setAttribute("aria-expanded", "false");
    this.#input.removeAttribute("aria-activedescendant");
    this.#active = -1;
  }

  #open() {
    const { id, search, option } = this.wanted;
    this.#items = search(this.#input.value);
    const entries = this.#items.map((item, i) =>
      el("li", { id: `${id}-${i}`, role: "option", "aria-selected": "false" }, ...option(item)),
    );
    this.#list.replaceChildren(...entries);
    this.#close();
    if (!entries.length) return;
    this.#list.hidden = false;
    this.#input.setAttribute("aria-expanded", "true");
  }

  /** @param {number} to */
  #mark(to) {
    const { id } = this.wanted;
    this.#active = to;
    for (const [i, entry] of findAll(this.#list, "li").entries()) entry.setAttribute("aria-selected", String(i === to));
    this.#input.setAttribute("aria-activedescendant", `${id}-${to}`);
    byId(`${id}-${to}`).scrollIntoView({ block: "nearest" });
  }

  /** @param {number} at */
  #choose(at) {
    const item = this.#items[at];
    if (!item) return;
    this.#input.value = this.wanted.value(item);
    this.#close();
    this.wanted.chose(item);
  }
}
