/** The REST contract, drawn by Swagger UI from openapi.json beside this page. */

import { byId } from "./dom.js";

/** @typedef {import("./docs-mend.js").Contract} Contract */

import { mend, plugin, withoutOptionalKeys } from "./docs-mend.js";

// The bundle is a classic script that leaves one name behind.
const { SwaggerUIBundle } = window;

const DARK = matchMedia("(prefers-color-scheme: dark)");
const dress = () => document.documentElement.classList.toggle("dark-mode", DARK.matches); // Swagger UI's own switch
DARK.addEventListener("change", dress);
dress();

const answer = await fetch("openapi.json");
/** @type {Contract} */
const contract = await answer.json();

SwaggerUIBundle({
  spec: withoutOptionalKeys(contract),
  dom_id: "#contract",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [plugin],
  layout: "GlassbotLayout",
  syntaxHighlight: { activated: false },
  validatorUrl: "none", // its own would send the contract's address to another host
  persistAuthorization: false,
});
mend(byId("contract"));
