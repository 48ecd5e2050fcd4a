// What became of what between two masks, pixel by pixel.

import { columnsCovered, matching, rowsCovered } from "./masks.js";

/** @import { Mask, MaskClass } from "./masks.js" */
/**
 * What became of a class, and the color of these pixels: of no class, so that a change and its
 * reverse look different.
 *
 * @typedef {{ index: number, from: number, to: number, pixels: number, color: string }} Transition
 */
/**
 * The classes of all masks by name, each mask's classes in these common numbers, what became of what
 * (the most pixels first), and how many pixels both masks cover.
 *
 * @typedef {object} Comparison
 * @property {MaskClass[]} classes
 * @property {number[][]} numbers
 * @property {Transition[]} transitions
 * @property {number} pixels
 */

const OTHER_CHANGES = "#787878"; // of those that there is no color left for

/**
 * @param {Mask[]} masks none, one or two
 * @param {string[]} [colors] of the changes with the most pixels
 * @returns {Comparison}
 */
export function compared(masks, colors = []) {
  /** @type {MaskClass[]} */
  const classes = [];
  const numbers = masks.map((mask) =>
    mask.classes.map((one) => {
      const known = classes.findIndex((other) => other.name === one.name);
      return known < 0 ? classes.push(one) - 1 : known;
    }),
  );
  if (masks.length < 2) return { classes, numbers, transitions: [], pixels: 0 };
  const { counts, pixels } = counted(masks, numbers, classes.length);
  /** @type {Transition[]} */
  const transitions = [];
  counts.forEach((count, index) => {
    const [from, to] = [Math.floor(index / classes.length), index % classes.length];
    const color = OTHER_CHANGES;
    if (count && from !== to) transitions.push({ index, from, to, pixels: count, color });
  });
  transitions.sort((one, other) => other.pixels - one.pixels);
  colors.slice(0, transitions.length).forEach((color, rank) => {
    transitions[rank].color = color;
  });
  return { classes, numbers, transitions, pixels };
}

/**
 * Count, for each pixel of the first mask that both cover, what it is and what it became.
 *
 * @param {Mask[]} masks
 * @param {number[][]} numbers
 * @param {number} size how many classes there are
 */
function counted([a, b], [numbersA, numbersB], size) {
  const counts = new Uint32Array(size * size);
  const columns = matching(a.width, columnsCovered(a), b.width, columnsCovered(b));
  const rows = matching(a.height, rowsCovered(a), b.height, rowsCovered(b));
  let pixels = 0;
  for (let y = 0, at = 0; y < a.height; y++) {
    const row = rows[y] * b.width;
    for (let x = 0; x < a.width; x++, at++) {
      if (rows[y] < 0 || columns[x] < 0) continue;
      counts[numbersA[a.labels[at]] * size + numbersB[b.labels[row + columns[x]]]]++;
      pixels++;
    }
  }
  return { counts, pixels };
}
