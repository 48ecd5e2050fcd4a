// The viewer's modes: when each can be chosen, and what it shows of an image and one or two masks.

/** @typedef {"photo" | "overlay" | "mask" | "swipe" | "blink" | "side by side" | "difference"} Mode */
/** @typedef {{ image: boolean, pair: boolean }} Given what there is to show: an image, two masks */
/**
 * One drawing into a pane: the image or not, and over it the tint of one mask or none; `columns` is
 * the part of the canvas's width that it is cut to.
 *
 * @typedef {object} Drawing
 * @property {number} pane
 * @property {boolean} image
 * @property {number | null} mask
 * @property {[from: number, to: number]} [columns]
 */

/** @type {[mode: Mode, title: string][]} */
export const MODES = [
  ["photo", "Image"],
  ["overlay", "Overlay"],
  ["mask", "Mask"],
  ["swipe", "Swipe"],
  ["blink", "Blink"],
  ["side by side", "Side by side"],
  ["difference", "Difference"],
];

/** @type {(mode: Mode) => boolean} */
const twoSided = (mode) => mode === "swipe" || mode === "blink" || mode === "side by side";

/**
 * Return the mode that is asked for, or what stands in for it where there is too little to show.
 *
 * @param {Mode} asked
 * @param {Given} given
 * @returns {Mode}
 */
export function modeFor(asked, { image, pair }) {
  if (asked === "difference" && !pair) return "overlay";
  if (!image && (!pair || asked === "photo")) return "mask";
  return asked;
}

/**
 * Return whether a mode can be chosen, is grayed out, or is not even listed.
 *
 * @param {Mode} mode
 * @param {Given} given
 * @returns {"offered" | "disabled" | "hidden"}
 */
export function availability(mode, { image, pair }) {
  if (mode === "difference" && !pair) return "hidden";
  return !image && (mode === "photo" || (!pair && mode !== "mask")) ? "disabled" : "offered";
}

/**
 * Return which controls have an effect in a mode.
 *
 * @param {Mode} mode
 * @param {Given} given
 */
export function effects(mode, { image, pair }) {
  const areas = mode !== "photo" && mode !== "difference";
  return {
    opacity: image && areas && mode !== "mask",
    outline: areas,
    confidence: areas,
    threshold: mode !== "photo",
    otherMask: pair && areas && !twoSided(mode),
  };
}

/**
 * Return what is drawn in all modes but the difference.
 *
 * @param {Mode} mode
 * @param {boolean} pair
 * @param {{ second: boolean, front: number, swipe: number }} side `second`: the one that blink shows;
 *   `front`: the mask that modes with one side show; `swipe`: where the divider is
 * @returns {Drawing[]}
 */
export function drawings(mode, pair, { second, front, swipe }) {
  /** @type {Drawing} */
  const left = { pane: 0, image: true, mask: pair ? 0 : null };
  /** @type {Drawing} */
  const right = { pane: 0, image: true, mask: pair ? 1 : 0 };
  if (mode === "side by side") return [left, { ...right, pane: 1 }];
  if (mode === "swipe") {
    return [
      { ...left, columns: [0, swipe] },
      { ...right, columns: [swipe, 1] },
    ];
  }
  if (mode === "blink") return [second ? right : left];
  return [{ pane: 0, image: mode !== "mask", mask: mode === "photo" ? null : front }];
}

/**
 * Return what stands on the two sides of the viewer; empty where nothing needs to be said.
 *
 * @param {Mode} mode
 * @param {string[]} captions of the masks
 * @param {{ second: boolean, front: number }} side as for `drawings`
 * @returns {[first: string, second: string]}
 */
export function captionsFor(mode, captions, { second, front }) {
  const pair = captions.length > 1;
  const titles = pair
    ? captions.map((caption, index) => "AB"[index] + (caption ? `: ${caption}` : ""))
    : ["Image", "Overlay"];
  if (mode === "blink") return [titles[second ? 1 : 0], ""];
  if (twoSided(mode)) return [titles[0], titles[1]];
  if (mode === "difference") return [titles.join("  →  "), ""];
  return [pair && mode !== "photo" ? titles[front] : "", ""];
}
