// The viewer's controls: mode, opacity, threshold, outline, zoom.

import { button, element, opacitySlider, slider, unique } from "./elements.js";
import { ZOOM_STEP } from "./geometry.js";
import { availability, effects, MODES } from "./modes.js";
import { percentOf } from "./words.js";

/** @import { Settings, View } from "./view.js" */
/**
 * @typedef {object} ToolbarActs
 * @property {<Name extends keyof Settings>(name: Name, value: Settings[Name], settled: boolean) => void} set
 * @property {() => void} showOther
 * @property {(factor: number) => void} zoomBy
 * @property {() => void} fit
 */

/**
 * What the threshold's slider is for: of several classes it hides what is unsure, of one class it is
 * that class's threshold.
 *
 * @param {Pick<View, "masks" | "ownThreshold">} view
 */
export function thresholdControl({ masks, ownThreshold: own }) {
  if (own === null) {
    return {
      title: "Confidence ≥",
      label: "Confidence threshold",
      range: { min: 0, max: 100, step: 1 },
      scored: masks.some((mask) => mask.confidence),
      hint: "",
    };
  }
  const { step, classes } = masks[0];
  const name = classes[classes.length - 1].name;
  return {
    title: "Threshold",
    label: "Class threshold",
    range: { min: step, max: 100 - step, step },
    scored: masks.every((mask) => mask.threshold === null || mask.levels),
    hint: `Pixels whose probability is higher are ${name}; a double click goes back to ${percentOf(own)}`,
  };
}

export class Toolbar {
  /**
   * @param {View} view
   * @param {ToolbarActs} acts
   */
  constructor(view, acts) {
    this.view = view;
    const group = unique();
    this.modes = MODES.map(([mode, title]) => {
      const input = element("input", { type: "radio", name: group, value: mode });
      input.addEventListener("change", () => acts.set("mode", mode, true));
      const label = element("label", { className: "wnb-mode" }, input, element("span", {}, title));
      return { mode, input, label };
    });
    this.opacity = opacitySlider((value, settled) => acts.set("opacity", value, settled));
    this.opacityText = element("output", { className: "wnb-number" });
    this.threshold = slider({ min: 0, max: 100, step: 1 }, (value, settled) =>
      acts.set("threshold", value / 100, settled),
    );
    this.threshold.addEventListener("dblclick", () => {
      if (view.ownThreshold !== null) acts.set("threshold", view.ownThreshold, true);
    });
    this.thresholdTitle = element("span");
    this.thresholdText = element("output", { className: "wnb-number" });
    this.outline = element("input", { type: "checkbox" });
    this.outline.addEventListener("change", () => acts.set("outline", this.outline.checked, true));
    /** @type {(text: string, title: string, act: () => void) => HTMLButtonElement} */
    const tool = (text, title, act) => button({ "aria-label": title, title }, [text], act);
    this.other = tool("A", "Show the other mask", () => acts.showOther());
    const pair = { className: "wnb-slider" };
    this.thresholdLabel = element(
      "label",
      pair,
      this.thresholdTitle,
      this.threshold,
      this.thresholdText,
    );
    this.root = element(
      "div",
      { className: "wnb-toolbar" },
      element(
        "div",
        { className: "wnb-modes", role: "radiogroup", "aria-label": "View" },
        ...this.modes.map(({ label }) => label),
      ),
      this.other,
      element("label", pair, "Opacity", this.opacity, this.opacityText),
      this.thresholdLabel,
      element("label", { className: "wnb-check" }, this.outline, "Outline"),
      element(
        "span",
        { className: "wnb-zoom" },
        tool("−", "Zoom out", () => acts.zoomBy(1 / ZOOM_STEP)),
        tool("+", "Zoom in", () => acts.zoomBy(ZOOM_STEP)),
        tool("Fit", "Fit", () => acts.fit()),
      ),
    );
  }

  update() {
    const { view } = this;
    const { mode, given, settings } = view;
    for (const one of this.modes) {
      const available = availability(one.mode, given);
      one.input.checked = one.mode === mode;
      one.input.disabled = available === "disabled";
      one.label.hidden = available === "hidden";
    }
    const has = effects(mode, given);
    this.opacity.disabled = !has.opacity || settings.outline;
    this.opacity.value = String(Math.round(settings.opacity * 100));
    this.opacityText.value = `${Math.round(settings.opacity * 100)} %`;
    this.outline.checked = settings.outline;
    this.outline.disabled = !has.outline;
    this.other.hidden = !has.otherMask;
    this.other.textContent = "AB"[view.front];

    const { title, label, range, scored, hint } = thresholdControl(view);
    // The attributes are strings; set before the value, which they bound.
    for (const [name, value] of Object.entries(range)) {
      this.threshold.setAttribute(name, String(value));
    }
    this.threshold.value = String(Math.round(settings.threshold * 100));
    this.threshold.setAttribute("aria-label", label);
    this.threshold.disabled =
      !scored || !(view.ownThreshold === null ? has.confidence : has.threshold);
    this.thresholdText.value = percentOf(settings.threshold);
    this.thresholdTitle.textContent = title;
    this.thresholdLabel.title = scored
      ? hint
      : "The result keeps no scores: segment(…, scores=True)";
  }
}
