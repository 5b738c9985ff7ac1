/** The style sheet of the connected view, fetched with it. */

/** @type {Promise<unknown> | undefined} */
let loading;

/** Until the page has it, or cannot have it. */
export function styled() {
  loading ??= new Promise((done) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = "static/css/network.css";
    link.onload = link.onerror = done;
    document.head.append(link);
  });
  return loading;
}
