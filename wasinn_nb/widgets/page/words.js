// What the viewer says of areas and of single pixels.

import { columnsCovered, maskIndex, percentAt, rowsCovered } from "./masks.js";

/** @import { Point, Size } from "./geometry.js" */
/** @import { Mask } from "./masks.js" */

/**
 * Say a part in percent, as `percent` in tables.py does.
 *
 * @param {number} pixels
 * @param {number} total
 */
export function share(pixels, total) {
  const percent = (100 * pixels) / total;
  if (pixels && percent < 0.005) return "<0.01 %";
  if (pixels < total && percent >= 99.995) return ">99.99 %";
  return `${percent.toFixed(2)} %`;
}

/**
 * Say a threshold, in percent with at most one decimal.
 *
 * @param {number} threshold
 */
export const percentOf = (threshold) => `${Number((threshold * 100).toFixed(1))} %`;

/**
 * Say what the model saw at a spot: class, probability, the class that follows, and by how much it
 * leads.
 *
 * @param {Mask[]} masks
 * @param {Size} size of the image
 * @param {Point} spot
 */
export function seenAt(masks, size, spot) {
  const [x, y] = [Math.floor(spot.x), Math.floor(spot.y)];
  const texts = masks.map((mask, index) => {
    const side = masks.length > 1 ? `${"AB"[index]} ` : "";
    return side + seenBy(mask, size, { x: x + 0.5, y: y + 0.5 });
  });
  return [`x ${x}, y ${y}`, ...texts].join("  ·  ");
}

/**
 * @param {Mask} mask
 * @param {Size} size of the image
 * @param {Point} spot
 */
function seenBy(mask, size, { x, y }) {
  const column = maskIndex(x, size.width, mask.width, columnsCovered(mask));
  const row = maskIndex(y, size.height, mask.height, rowsCovered(mask));
  if (column < 0 || row < 0) return "not seen by the model";
  const { confidence, classes, labels, levels } = mask;
  const at = row * mask.width + column;
  const { name } = classes[labels[at]];
  if (levels) {
    const about = mask.step > 1 ? "about " : "";
    const whose = labels[at] ? "" : `, ${classes[1].name}`;
    return `${name}${whose} ${about}${percentAt(levels, at)} %`;
  }
  if (!confidence) return name;
  const [first, second] = [confidence[at], confidence[2 * labels.length + at]];
  const runner = classes[confidence[labels.length + at]];
  return `${name} ${first} %, then ${runner.name} ${second} %, margin ${first - second}`;
}
