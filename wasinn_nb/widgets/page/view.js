// What a viewer shows, and how: all that it knows but the page's elements.

import { compared } from "./comparison.js";
import { WHOLE } from "./geometry.js";
import { framed, relabel } from "./masks.js";
import { modeFor } from "./modes.js";

/** @import { Comparison } from "./comparison.js" */
/** @import { Frame, Size, Spot } from "./geometry.js" */
/** @import { Mask } from "./masks.js" */
/** @import { Mode } from "./modes.js" */
/**
 * What Python sets too; the kernel hears of a change when its control comes to rest.
 *
 * @typedef {object} Settings
 * @property {Mode} mode
 * @property {number} opacity
 * @property {boolean} outline
 * @property {number} threshold
 * @property {string[]} hidden
 */
/**
 * An image as it was sent; its bitmap may be smaller than it is.
 *
 * @typedef {Size & { bitmap: ImageBitmap }} DecodedImage
 */

export class View {
  /** @param {Settings} settings */
  constructor(settings) {
    this.settings = settings;
    /** @type {DecodedImage | null} */
    this.image = null;
    /** @type {Mask[]} */
    this.masks = [];
    /** @type {Size} */
    this.size = { width: 0, height: 0 };
    /** @type {Frame} */
    this.frame = WHOLE;
    /** @type {Comparison} */
    this.comparison = compared([]);
    /** @type {string[]} */
    this.changeColors = [];
    this.swipe = 0.5; // where the divider is
    this.second = false; // which side blink shows, and which mask the modes with one side show
    /** @type {number | null} */
    this.only = null; // the one transition that the difference shows
    /** @type {Spot | null} */
    this.cross = null; // the pixel that is read with the keys
  }

  /**
   * Show other masks, and the image under them; a zoom stays where the size does.
   *
   * @param {DecodedImage | null} image
   * @param {Mask[]} masks
   * @param {string[]} changeColors of what became of what
   */
  show(image, masks, changeColors) {
    const shown = this.masks.length > 0;
    this.image = image;
    this.masks = masks;
    if (!masks.length) return;
    const { width, height } = image ?? framed(masks[0]);
    this.frame = shown ? this.frameOf({ width, height }) : WHOLE;
    this.size = { width, height };
    this.second = false;
    this.only = null;
    this.changeColors = changeColors;
    this.comparison = compared(masks, changeColors);
  }

  /**
   * Return the part that is seen of the next image: the same as of this one where its size is.
   *
   * @param {Size} size
   */
  frameOf({ width, height }) {
    return this.size.width === width && this.size.height === height ? this.frame : WHOLE;
  }

  get pair() {
    return this.masks.length > 1;
  }

  get given() {
    return { image: this.image !== null, pair: this.pair };
  }

  get mode() {
    return modeFor(this.settings.mode, this.given);
  }

  /** The mask that modes with one side show. */
  get front() {
    return this.pair && this.second ? 1 : 0;
  }

  /** The threshold of the result where it is of one class; of several classes, null. */
  get ownThreshold() {
    return this.masks[0]?.threshold ?? null;
  }

  /** Bring masks of one class to the threshold; until it is moved, each has its own. */
  applyThreshold() {
    const own = this.ownThreshold;
    const { threshold } = this.settings;
    const moved = own !== null && threshold !== own;
    const changed = this.masks.filter(
      (mask) => mask.threshold !== null && relabel(mask, moved ? threshold : mask.threshold),
    );
    if (changed.length) this.comparison = compared(this.masks, this.changeColors);
  }

  /**
   * Return the classes that are hidden once a class is switched.
   *
   * @param {string} name
   */
  switched(name) {
    const { hidden } = this.settings;
    return hidden.includes(name) ? hidden.filter((one) => one !== name) : [...hidden, name];
  }

  /**
   * Return the classes that are hidden once a class is shown alone; where it is so already, none.
   *
   * @param {string} name
   */
  alone(name) {
    const others = this.comparison.classes.map((one) => one.name).filter((one) => one !== name);
    const { hidden } = this.settings;
    const already = !hidden.includes(name) && others.every((one) => hidden.includes(one));
    return already ? [] : others;
  }
}
