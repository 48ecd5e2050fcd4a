// A button that opens a panel over the page: by click or key; Escape and a click elsewhere close it.

import { element, unique } from "./elements.js";

const EDGE = 8; // pixels between a panel and the edge of the window

export class Popover {
  /**
   * @param {string} label of the panel, for screen readers
   * @param {HTMLElement} button
   * @param {HTMLElement} content
   */
  constructor(label, button, content) {
    this.button = button;
    this.root = element(
      "div",
      {
        className: "wnb-popover",
        popover: "auto",
        id: unique(),
        role: "dialog",
        "aria-label": label,
        tabIndex: -1,
      },
      content,
    );
    this.abort = new AbortController();
    const { signal } = this.abort;
    button.setAttribute("aria-haspopup", "dialog");
    button.setAttribute("aria-expanded", "false");
    Object.assign(button, { popoverTargetElement: this.root });
    this.root.addEventListener("toggle", (event) => this.toggled(event), { signal });
    this.root.addEventListener("beforetoggle", () => this.opening(), { signal });
    this.root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") event.stopPropagation(); // JupyterLab has keys of its own
    });
    const place = () => this.open && this.place();
    addEventListener("scroll", place, { capture: true, passive: true, signal });
    addEventListener("resize", place, { signal });
    this.resized = new ResizeObserver(place);
    this.resized.observe(this.root);
    this.open = false;
  }

  /** @param {Event} event */
  toggled(event) {
    this.open = /** @type {ToggleEvent} */ (event).newState === "open";
    this.button.setAttribute("aria-expanded", String(this.open));
    if (!this.open) return;
    this.place();
    const { activeElement } = /** @type {Document | ShadowRoot} */ (this.root.getRootNode());
    if (!this.root.contains(activeElement)) this.first.focus({ preventScroll: true });
  }

  /** What has the focus first: the search, else what is picked. */
  get first() {
    const found =
      this.root.querySelector("input[type=search]:not([hidden])") ??
      this.root.querySelector("input:checked:not(:disabled)") ??
      this.root.querySelector("button:not([hidden])");
    return found instanceof HTMLElement ? found : this.root;
  }

  /** The browser puts the focus on what is marked so, as the panel opens. */
  opening() {
    for (const one of this.root.querySelectorAll("[autofocus]")) one.removeAttribute("autofocus");
    this.first.setAttribute("autofocus", "");
  }

  /** Below the button where there is room, else above it; never beyond the window. */
  place() {
    const at = this.button.getBoundingClientRect();
    const { width, height } = this.root.getBoundingClientRect();
    const left = Math.min(at.left, window.innerWidth - width - EDGE);
    const below = window.innerHeight - at.bottom - EDGE;
    const above = height > below && at.top > below;
    this.root.style.left = `${Math.max(EDGE, left)}px`;
    this.root.style.top = above ? `${Math.max(EDGE, at.top - height - 2)}px` : `${at.bottom + 2}px`;
    this.root.style.maxHeight = `${Math.max(160, (above ? at.top : below) - EDGE)}px`;
  }

  hide() {
    if (this.open) this.root.hidePopover();
  }

  dispose() {
    this.abort.abort();
    this.resized.disconnect();
  }
}
