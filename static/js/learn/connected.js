/** The last step: fetched, with the connected view that it shares with the home page, when somebody comes near it. */

export class Connected extends HTMLElement {
  connectedCallback() {
    const near = new IntersectionObserver(
      async ([{ isIntersecting }]) => {
        if (!isIntersecting) return;
        near.disconnect();
        const { begin } = await import("./connected-step.js");
        begin(this);
      },
      { rootMargin: "0px 0px 50%" },
    );
    near.observe(this);
  }
}
