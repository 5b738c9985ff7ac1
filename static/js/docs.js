/** The REST contract, drawn by Swagger UI from openapi.json beside this page. */

// The bundle is a classic script that leaves one name behind.
const { SwaggerUIBundle } = window;

SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#contract",
  deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  validatorUrl: "none", // its own would send the contract's address to another host
  persistAuthorization: false,
});
