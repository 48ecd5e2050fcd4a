// Where panes lie in the viewer's canvas and the image in its panes; zooming and moving. All of it
// in numbers: nothing here knows the page.

/** @typedef {{ x: number, y: number }} Point */
/** @typedef {{ width: number, height: number }} Size */
/** @typedef {Point & { side: number }} Spot a place in the image, in its own pixels, and the pane */
/**
 * How far the image is enlarged beyond what fits, and which part of it is in the middle, from 0 to 1.
 *
 * @typedef {Point & { zoom: number }} Frame
 */
/** @typedef {{ left: number, top: number }} Corner */
/**
 * All in pixels of the screen but `width`, `height` and `caption` (the second pane's corner), which are in the
 * page's own; `pane` says how many pixels of the screen one of these is.
 *
 * @typedef {object} Layout
 * @property {number} width
 * @property {number} height
 * @property {Size} canvas
 * @property {Size & { pixels: number }} pane
 * @property {Corner[]} panes
 * @property {Corner | null} caption
 */
/**
 * The size of an image's pixel in a pane, and where the image's corner lies in it.
 *
 * @typedef {Corner & { scale: number }} Placement
 */

export const ZOOM_STEP = 1.5;
const MAX_ZOOM = 64;
const PANE_GAP = 8;
const STACKED_BELOW = 560; // narrower than that, two panes lie one below the other
const CROSS_STEP = 8;
const NARROWEST = 240; // pixels of the page for a pane
const LOWEST = 80;

/** @type {(value: number, low: number, high: number) => number} */
export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** @type {Readonly<Frame>} */
export const WHOLE = { zoom: 1, x: 0.5, y: 0.5 };

/**
 * Divide the room on the page into a pane, or two of them side by side: as large as there is room,
 * and as wide as the image is then.
 *
 * @param {Size} size of the image
 * @param {{ width: number, highest: number, pixels: number }} room
 * @param {boolean} two
 * @returns {Layout}
 */
export function laidOut(size, { width: most, highest, pixels }, two) {
  const stacked = two && most < STACKED_BELOW;
  const columns = two && !stacked ? 2 : 1;
  const gaps = (columns - 1) * PANE_GAP;
  const aspect = size.width / size.height;
  const widest = Math.max(NARROWEST, highest * aspect); // beyond it, there is gray beside the image
  const width = Math.min(most, Math.ceil(columns * widest + gaps));
  const paneWidth = (width - gaps) / columns;
  const paneHeight = clamp(paneWidth / aspect, LOWEST, highest);
  const height = stacked ? 2 * paneHeight + PANE_GAP : paneHeight;
  const canvas = { width: Math.round(width * pixels), height: Math.round(height * pixels) };
  const pane = {
    width: Math.floor(paneWidth * pixels),
    height: Math.floor(paneHeight * pixels),
    pixels,
  };
  const first = { left: 0, top: 0 };
  if (!two) return { width, height, canvas, pane, panes: [first], caption: null };
  const second = stacked
    ? { left: 0, top: canvas.height - pane.height }
    : { left: canvas.width - pane.width, top: 0 };
  const caption = stacked
    ? { left: 0, top: paneHeight + PANE_GAP }
    : { left: paneWidth + PANE_GAP, top: 0 };
  return { width, height, canvas, pane, panes: [first, second], caption };
}

/**
 * Return where the image lies in a pane, and the frame with its middle brought to where no room is
 * left beside the image.
 *
 * @param {Size} size of the image
 * @param {Size} pane
 * @param {Frame} frame
 * @returns {{ placement: Placement, frame: Frame }}
 */
export function placed(size, pane, frame) {
  const scale = Math.min(pane.width / size.width, pane.height / size.height) * frame.zoom;
  /** @type {(middle: number, length: number, room: number) => [number, number]} */
  const along = (middle, length, room) => {
    if (length * scale <= room) return [(room - length * scale) / 2, 0.5];
    const half = room / 2 / scale / length;
    const inside = clamp(middle, half, 1 - half);
    return [room / 2 - inside * length * scale, inside];
  };
  const [left, x] = along(frame.x, size.width, pane.width);
  const [top, y] = along(frame.y, size.height, pane.height);
  // Whole pixels where the image fits them, so that no line is blurred.
  const placement = { scale, left: Math.round(left), top: Math.round(top) };
  return { placement, frame: { zoom: frame.zoom, x, y } };
}

/**
 * Return the spot at a point of the canvas, or null beside the image.
 *
 * @param {Point} point
 * @param {Layout} layout
 * @param {Placement} placement
 * @param {Size} size of the image
 * @returns {Spot | null}
 */
export function spotAt(point, { panes, pane }, { scale, left, top }, size) {
  /** @type {(x: number, y: number, from: Corner, room: Size) => boolean} */
  const inside = (x, y, from, room) =>
    x >= from.left && x < from.left + room.width && y >= from.top && y < from.top + room.height;
  for (const [side, corner] of panes.entries()) {
    const x = (point.x - corner.left - left) / scale;
    const y = (point.y - corner.top - top) / scale;
    if (inside(point.x, point.y, corner, pane) && inside(x, y, { left: 0, top: 0 }, size)) {
      return { x, y, side };
    }
  }
  return null;
}

/**
 * Zoom; what lies at the spot, if one is given, stays where it is.
 *
 * @param {Frame} frame
 * @param {number} factor
 * @param {Point | null} spot
 * @param {Size} size of the image
 * @returns {Frame}
 */
export function zoomed({ zoom: before, x, y }, factor, spot, size) {
  const zoom = clamp(before * factor, 1, MAX_ZOOM);
  if (!spot) return { zoom, x, y };
  const keep = 1 - before / zoom;
  return {
    zoom,
    x: x + (spot.x / size.width - x) * keep,
    y: y + (spot.y / size.height - y) * keep,
  };
}

/**
 * Move the image with the pointer, by so much of the page.
 *
 * @param {Frame} frame
 * @param {Point} by
 * @param {number} scale of the image, in the page's pixels
 * @param {Size} size of the image
 * @returns {Frame}
 */
export function dragged(frame, by, scale, size) {
  return {
    zoom: frame.zoom,
    x: frame.x - by.x / scale / size.width,
    y: frame.y - by.y / scale / size.height,
  };
}

/**
 * Move the cross by eight pixels of the page, or finely by one of the image; without one, it starts
 * in the middle.
 *
 * @param {Point | null} cross
 * @param {Point} direction
 * @param {boolean} finely
 * @param {Frame} frame
 * @param {number} scale of the image, in the page's pixels
 * @param {Size} size of the image
 * @returns {Spot}
 */
export function movedCross(cross, direction, finely, frame, scale, size) {
  const step = finely ? 1 : Math.max(1, CROSS_STEP / scale);
  const from = cross ?? { x: frame.x * size.width, y: frame.y * size.height };
  return {
    x: clamp(from.x + direction.x * step, 0, size.width - 0.5),
    y: clamp(from.y + direction.y * step, 0, size.height - 0.5),
    side: 0,
  };
}

/**
 * Move the frame just as far as a spot needs to be seen.
 *
 * @param {Frame} frame
 * @param {Point} spot
 * @param {Size} pane
 * @param {number} scale
 * @param {Size} size of the image
 * @returns {Frame}
 */
export function followed({ zoom, x, y }, spot, pane, scale, size) {
  /** @type {(middle: number, place: number, length: number, room: number) => number} */
  const along = (middle, place, length, room) => {
    const half = room / scale / length / 2;
    return clamp(middle, place / length - half, place / length + half);
  };
  return {
    zoom,
    x: along(x, spot.x, size.width, pane.width),
    y: along(y, spot.y, size.height, pane.height),
  };
}
