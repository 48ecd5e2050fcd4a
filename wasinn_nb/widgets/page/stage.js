// What the viewer draws on: the canvas, and what lies over it.

import { element } from "./elements.js";
import { captionsFor } from "./modes.js";

/** @import { Layout } from "./geometry.js" */
/** @import { View } from "./view.js" */

const TIP_MS = 1200;
const CAPTION_INSET = 6;
const KEYS =
  "Keys: 1 to 9 switch classes, with Shift show one alone, arrows move the cross whose pixel is read, " +
  "plus, minus and 0 zoom, o outlines, brackets change the opacity";

export class Stage {
  /** @param {View} view */
  constructor(view) {
    this.view = view;
    this.canvas = element("canvas", {
      className: "wnb-canvas",
      tabIndex: 0,
      role: "img",
      "aria-description": KEYS,
    });
    this.divider = element("div", {
      className: "wnb-divider",
      tabIndex: 0,
      role: "slider",
      "aria-label": "Swipe",
      "aria-valuemin": 0,
      "aria-valuemax": 100,
      "aria-orientation": "horizontal",
    });
    this.captions = [0, 1].map(() => element("span", { className: "wnb-caption" }));
    this.tip = element("div", { className: "wnb-tip", hidden: true });
    this.root = element(
      "div",
      { className: "wnb-stage" },
      this.canvas,
      ...this.captions,
      this.divider,
      this.tip,
    );
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.tipping = undefined;
  }

  update() {
    this.divider.hidden = this.view.mode !== "swipe";
    this.updateDivider();
    this.updateCaptions();
  }

  updateDivider() {
    const percent = this.view.swipe * 100;
    this.divider.style.left = `${percent}%`;
    this.divider.setAttribute("aria-valuenow", String(Math.round(percent)));
  }

  updateCaptions() {
    const { mode, masks } = this.view;
    const captions = masks.map(({ caption }) => caption);
    const texts = captionsFor(mode, captions, this.view);
    this.captions.forEach((caption, index) => {
      caption.textContent = texts[index];
      caption.hidden = !texts[index];
      caption.classList.toggle("wnb-right", index === 1 && mode === "swipe");
    });
  }

  /**
   * Give canvas and captions their places.
   *
   * @param {Layout} layout
   */
  arrange({ width, height, canvas, caption }) {
    this.root.style.width = `${width}px`;
    this.root.style.height = `${height}px`;
    // Setting its size clears a canvas, even where it stays the same.
    if (this.canvas.width !== canvas.width) this.canvas.width = canvas.width;
    if (this.canvas.height !== canvas.height) this.canvas.height = canvas.height;
    this.captions[1].style.cssText = caption
      ? `left:${caption.left + CAPTION_INSET}px;top:${caption.top + CAPTION_INSET}px`
      : "";
  }

  /**
   * Return where on the canvas a pointer is, in the canvas's own pixels.
   *
   * @param {MouseEvent} event
   */
  pointOf(event) {
    const box = this.canvas.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) / box.width) * this.canvas.width,
      y: ((event.clientY - box.top) / box.height) * this.canvas.height,
    };
  }

  /**
   * Show a tip for a moment.
   *
   * @param {string} text
   */
  say(text) {
    this.tip.textContent = text;
    this.tip.hidden = false;
    clearTimeout(this.tipping);
    this.tipping = setTimeout(() => {
      this.tip.hidden = true;
    }, TIP_MS);
  }

  dispose() {
    clearTimeout(this.tipping);
  }
}
