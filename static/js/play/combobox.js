/** A combobox with a list, as the WAI-ARIA Authoring Practices describe it: the focus stays in the field. */

import { byId, el, findAll } from "../dom.js";

/**
 * @template Item
 * @param {object} wanted
 * @param {string} wanted.id
 * @param {string} wanted.label
 * @param {string} wanted.list what the list is called
 * @param {(text: string) => Item[]} wanted.search
 * @param {(item: Item) => (Node | string)[]} wanted.option what an option shows
 * @param {(item: Item) => string} wanted.value what the field shows once it is chosen
 * @param {(item: Item) => void} wanted.chose
 * @param {(text: string, found: number) => void} wanted.typed
 * @returns {HTMLElement}
 */
export function combobox({ id, label, list: listName, search, option, value, chose, typed }) {
  const input = el("input", {
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
  const list = el("ul", { id: `${id}-list`, role: "listbox", "aria-label": listName, hidden: true });
  /** @type {Item[]} */
  let items = [];
  let active = -1;

  function close() {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    active = -1;
  }

  function open() {
    items = search(input.value);
    list.replaceChildren(
      ...items.map((item, i) =>
        el("li", { id: `${id}-${i}`, role: "option", "aria-selected": "false" }, ...option(item)),
      ),
    );
    const any = items.length > 0;
    if (!any) return close();
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    mark(-1);
  }

  /** @param {number} to */
  function mark(to) {
    active = to;
    for (const [i, entry] of findAll(list, "li").entries()) entry.setAttribute("aria-selected", String(i === active));
    if (active < 0) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", `${id}-${active}`);
    byId(`${id}-${active}`).scrollIntoView({ block: "nearest" });
  }

  /** @param {number} at */
  function choose(at) {
    const item = items[at];
    if (!item) return;
    input.value = value(item);
    close();
    chose(item);
  }

  input.addEventListener("input", () => {
    open();
    typed(input.value, items.length);
  });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    const last = items.length - 1;
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowDown: () => (list.hidden ? open() : mark(active >= last ? 0 : active + 1)),
      ArrowUp: () => (list.hidden ? open() : mark(active <= 0 ? last : active - 1)),
      Enter: () => {
        if (list.hidden) open();
        choose(Math.max(0, active));
      },
      Escape: () => {
        if (list.hidden) input.value = "";
        close();
      },
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
  list.addEventListener("click", (event) => {
    const entry = event.target instanceof Element && event.target.closest("li");
    if (entry) choose([...list.children].indexOf(entry));
  });
  return el("div", { class: "combobox" }, el("label", { for: id }, label), input, list);
}
