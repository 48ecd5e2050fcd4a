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
 * Put into each pixel of a pane what a table has for the label under its middle. Pixels stay as they
 * are beside the image, where the mask does not reach, and where the model was less sure than `level`
 * percent.
 *
 * @template {Int16Array | Uint32Array} Values
 * @param {Pick<Mask, "width" | "height" | "covers" | "labels" | "confidence">} mask
 * @param {number} level
 * @param {Size} size of the image
 * @param {Size} pane
 * @param {Placement} placement
 * @param {Values} table
 * @param {Values} out all of one value at first
 */
export function fill(mask, level, size, { width, height }, { scale, left, top }, table, out) {
  /** @type {(count: number, offset: number, length: number, size: number, covered: Covered) => Int32Array} */
  const along = (count, offset, length, maskSize, covered) =>
    Int32Array.from({ length: count }, (_, i) => {
      const place = (i + 0.5 - offset) / scale;
      return place >= 0 && place < length ? maskIndex(place, length, maskSize, covered) : -1;
    });
  const columns = along(width, left, size.width, mask.width, columnsCovered(mask));
  const rows = along(height, top, size.height, mask.height, rowsCovered(mask));
  const reached = (/** @type {number} */ column) => column >= 0;
  const [from, to] = [columns.findIndex(reached), columns.findLastIndex(reached) + 1];
  if (from < 0) return out;
  const { labels, confidence } = mask;
  const sure = level > 0 ? confidence : null;
  for (let y = 0; y < height; y++) {
    if (rows[y] < 0) continue;
    const [row, start] = [rows[y] * mask.width, y * width];
    if (y && rows[y] === rows[y - 1]) out.copyWithin(start, start - width, start);
    else if (sure) {
      for (let x = from; x < to; x++) {
        const at = row + columns[x];
        if (sure[at] >= level) out[start + x] = table[labels[at]];
      }
    } else for (let x = from; x < to; x++) out[start + x] = table[labels[row + columns[x]]];
  }
  return out;
}

const THEMSELVES = Int16Array.from({ length: 256 }, (_, label) => label);

/**
 * Return the label under the middle of each pixel of a pane; -1 where `fill` leaves one as it is.
 *
 * @param {Parameters<typeof fill>[0]} mask
 * @param {number} level
 * @param {Size} size of the image
 * @param {Size} pane
 * @param {Placement} placement
 */
export function sampled(mask, level, size, pane, placement) {
  const seen = new Int16Array(pane.width * pane.height).fill(-1);
  return fill(mask, level, size, pane, placement, THEMSELVES, seen);
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
