/** What the scripts of the page find without importing it. */

export * from "./rest";
/** The answers of the REST contract, by the names of their schemas. */
export as namespace Rest;

declare global {
  interface Window {
    /** The chart library's one name; its bundle is a classic script. */
    uPlot: typeof import("uplot");
    /** Swagger UI's one name, as far as the page of the contract uses it. */
    SwaggerUIBundle: {
      (options: Record<string, unknown>): void;
      presets: { apis: unknown };
    };
  }
}
