// The colors of a pane's pixels, from the labels under them. A pixel is a number as ImageData keeps
// it, read as 32 bits: red in the lowest byte; 0 is clear.

import { columnsCovered, maskIndex, rowsCovered } from "./masks.js";

/** @import { Placement, Size } from "./geometry.js" */
/** @import { Covered, Mask, Rgb } from "./masks.js" */

const EDGE_WIDTH = 2; // in the page's pixels

/** @type {(color: Rgb) => number} */
export const packed = ([red, green, blue]) =>
  ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;

/**
 * Return the label under the middle of each pixel of a pane; -1 beside the image, where the mask does
 * not reach, and where the model was less sure than `level` percent.
 *
 * @param {Pick<Mask, "width" | "height" | "covers" | "labels" | "confidence">} mask
 * @param {number} level
 * @param {Size} size of the image
 * @param {Size} pane
 * @param {Placement} placement
 */
export function sampled(mask, level, size, pane, { scale, left, top }) {
  /** @type {(count: number, offset: number, length: number, size: number, covered: Covered) => Int32Array} */
  const along = (count, offset, length, maskSize, covered) =>
    Int32Array.from({ length: count }, (_, i) => {
      const place = (i + 0.5 - offset) / scale;
      return place >= 0 && place < length ? maskIndex(place, length, maskSize, covered) : -1;
    });
  const columns = along(pane.width, left, size.width, mask.width, columnsCovered(mask));
  const rows = along(pane.height, top, size.height, mask.height, rowsCovered(mask));
  const { labels, confidence } = mask;
  const sure = level > 0 ? confidence : null;
  const seen = new Int16Array(pane.width * pane.height).fill(-1);
  for (let y = 0; y < pane.height; y++) {
    if (rows[y] < 0) continue;
    const row = rows[y] * mask.width;
    for (let x = 0, at = y * pane.width; x < pane.width; x++, at++) {
      const column = columns[x];
      if (column >= 0 && (!sure || sure[row + column] >= level)) seen[at] = labels[row + column];
    }
  }
  return seen;
}

/**
 * Color each pixel by its label.
 *
 * @param {Int16Array} seen
 * @param {Uint32Array} colors
 * @param {Uint32Array} out
 */
export function fill(seen, colors, out) {
  for (let i = 0; i < out.length; i++) if (seen[i] >= 0) out[i] = colors[seen[i]];
}

/**
 * Color the pixels that have another label within a line's width, each in its own color.
 *
 * @param {Int16Array} seen
 * @param {Size & { pixels: number }} pane
 * @param {Uint32Array} colors
 * @param {Uint32Array} out
 */
export function outline(seen, { width, height, pixels }, colors, out) {
  const reach = Math.max(1, Math.round(EDGE_WIDTH * pixels));
  for (let y = 0, i = 0; y < height; y++) {
    const up = y >= reach ? -reach * width : 0;
    const down = y + reach < height ? reach * width : 0;
    for (let x = 0; x < width; x++, i++) {
      const label = seen[i];
      if (label < 0 || !colors[label]) continue;
      const left = x >= reach ? -reach : 0;
      const right = x + reach < width ? reach : 0;
      const differs =
        seen[i + left] !== label ||
        seen[i + right] !== label ||
        seen[i + up] !== label ||
        seen[i + down] !== label;
      if (differs) out[i] = colors[label];
    }
  }
}

/**
 * Color the pixels whose label changes by what became of what.
 *
 * @param {Int16Array[]} seen in both masks, -1 where one does not reach
 * @param {number[][]} numbers the classes of both masks in common numbers
 * @param {number} classes how many there are
 * @param {Uint32Array} colors of `from * classes + to`; 0 leaves a pixel clear
 * @param {Uint32Array} out
 */
export function fillChanges([seenA, seenB], [numbersA, numbersB], classes, colors, out) {
  for (let i = 0; i < out.length; i++) {
    if (seenA[i] < 0 || seenB[i] < 0) continue;
    out[i] = colors[numbersA[seenA[i]] * classes + numbersB[seenB[i]]];
  }
}
