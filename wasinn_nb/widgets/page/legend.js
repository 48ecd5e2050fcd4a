// The viewer's classes: a button for each, with its area as a bar; in a difference, one for each
// transition.

import { button, element } from "./elements.js";
import { versionOf } from "./masks.js";
import { share } from "./words.js";

/** @import { Transition } from "./comparison.js" */
/** @import { MaskClass } from "./masks.js" */
/** @import { View } from "./view.js" */
/** @typedef {MaskClass & { counts: number[] }} Area a class, and how many pixels of each mask it has */

const MANY_CLASSES = 20; // beyond it, classes without a pixel are not listed
const MOST_KEYS = 9;
const MOST_TRANSITIONS = 30;

/**
 * Return the classes of all masks with their areas: those to list, and how many are left out.
 *
 * @param {Pick<View, "masks" | "comparison">} view
 * @returns {{ listed: Area[], left: number }}
 */
export function areas({ masks, comparison }) {
  const every = comparison.classes.map((one) => ({
    ...one,
    counts: masks.map((mask) => mask.classes.find((other) => other.name === one.name)?.pixels ?? 0),
  }));
  const listed = every.filter(
    (one) => every.length <= MANY_CLASSES || one.counts.some((count) => count > 0),
  );
  return { listed, left: every.length - listed.length };
}

/** @param {string} color */
function swatch(color) {
  const made = element("i", { className: "wnb-swatch" });
  made.style.background = color;
  return made;
}

/**
 * @param {number} part
 * @param {string} color
 */
function areaBar(part, color) {
  const filled = element("i");
  filled.style.cssText = `width:${100 * part}%;background:${color}`;
  return element("span", { className: "wnb-area" }, filled);
}

export class Legend {
  /**
   * @param {View} view
   * @param {object} acts
   * @param {(name: string) => void} acts.toggle
   * @param {(name: string) => void} acts.only
   * @param {(index: number) => void} acts.toggleTransition
   */
  constructor(view, acts) {
    this.view = view;
    this.acts = acts;
    this.root = element("div", { className: "wnb-legend", role: "group", "aria-label": "Classes" });
    this.key = "";
    /** @type {{ button: HTMLButtonElement, pressed: () => boolean }[]} */
    this.buttons = [];
    /** @type {string[]} */
    this.keyed = []; // the classes that the keys 1 to 9 switch
  }

  update() {
    const { masks, mode } = this.view;
    const key = JSON.stringify([masks.map(versionOf), mode === "difference"]);
    if (this.key !== key) {
      this.key = key;
      this.buttons = [];
      this.root.replaceChildren(
        ...(mode === "difference" ? this.transitionNodes() : this.classNodes()),
      );
    }
    for (const { button: made, pressed } of this.buttons) {
      made.setAttribute("aria-pressed", String(pressed()));
    }
  }

  classNodes() {
    const { listed, left } = areas(this.view);
    this.keyed = listed.slice(0, MOST_KEYS).map((one) => one.name);
    /** @type {HTMLElement[]} */
    const nodes = listed.map((one, index) => this.classRow(one, index));
    /** @param {string} text */
    const say = (text) => nodes.push(element("p", {}, text));
    if (left === 1) say("1 further class has no pixel.");
    else if (left) say(`${left} further classes have no pixel.`);
    if (!this.view.image) say("The result keeps no image.");
    if (this.view.masks[0].classes.length === 1) say("The model has one class only.");
    return nodes;
  }

  /**
   * @param {Area} area
   * @param {number} index
   */
  classRow(area, index) {
    const title = `Show ${area.name} alone, or all again`;
    const only = button(
      { className: "wnb-only", "aria-label": `Only ${area.name}`, title },
      ["only"],
      () => this.acts.only(area.name),
    );
    return element("div", { className: "wnb-class-row" }, this.classButton(area, index), only);
  }

  /**
   * @param {Area} area
   * @param {number} index
   */
  classButton({ name, color, counts }, index) {
    const totals = this.view.masks.map((mask) => mask.labels.length);
    const shares = counts.map((count, at) => share(count, totals[at]));
    const key = index < MOST_KEYS ? ` (key ${index + 1})` : "";
    const made = button(
      {
        className: "wnb-class",
        "data-name": name,
        "aria-label": `${name}, ${shares.join(" | ")}`, // as it is written
        title: `Switch ${name} on or off${key}`,
      },
      [
        swatch(color),
        element("span", { className: "wnb-name", dir: "auto" }, name),
        " ", // for what reads it aloud
        element("span", { className: "wnb-share" }, shares.join(" | ")),
        ...counts.map((count, at) => areaBar(count / totals[at], color)),
      ],
      () => this.acts.toggle(name),
    );
    const pressed = () => !this.view.settings.hidden.includes(name);
    this.buttons.push({ button: made, pressed });
    return made;
  }

  transitionNodes() {
    const { transitions, pixels } = this.view.comparison;
    const changed = transitions.reduce((sum, one) => sum + one.pixels, 0);
    const text = changed
      ? `${share(changed, pixels)} of the pixels differ (${changed.toLocaleString("en")}).`
      : "No pixel differs.";
    const listed = transitions.slice(0, MOST_TRANSITIONS);
    return [element("p", {}, text), ...listed.map((one) => this.transitionButton(one))];
  }

  /** @param {Transition} transition */
  transitionButton({ index, from, to, pixels, color }) {
    const { classes, pixels: total } = this.view.comparison;
    const [before, after] = [classes[from], classes[to]];
    const counted = pixels === 1 ? "1 pixel" : `${pixels.toLocaleString("en")} pixels`;
    const made = button(
      {
        className: "wnb-class",
        "aria-label": `${before.name} to ${after.name}, ${counted}`,
        title: "Show this change alone, or all again",
      },
      [
        swatch(color),
        element("span", { className: "wnb-name" }, `${before.name} → ${after.name}`),
        element("span", { className: "wnb-share" }, share(pixels, total)),
      ],
      () => this.acts.toggleTransition(index),
    );
    const pressed = () => this.view.only === null || this.view.only === index;
    this.buttons.push({ button: made, pressed });
    return made;
  }
}
