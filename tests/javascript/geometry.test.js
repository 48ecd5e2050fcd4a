import {
  clamp,
  dragged,
  followed,
  laidOut,
  movedCross,
  placed,
  spotAt,
  WHOLE,
  zoomed,
} from "@page/geometry.js";
import { expect, test } from "vitest";

const SIZE = { width: 640, height: 400 };
const WIDE = { width: 1000, highest: 600, pixels: 1 };

test("a value is kept within its bounds", () => {
  expect([clamp(-1, 0, 1), clamp(0.3, 0, 1), clamp(2, 0, 1)]).toEqual([0, 0.3, 1]);
});

test("one pane has the shape of the image as far as the window is high enough", () => {
  expect(laidOut(SIZE, { ...WIDE, width: 800 }, false)).toMatchObject({
    height: 500,
    canvas: { width: 800, height: 500 },
    pane: { width: 800, height: 500 },
    panes: [{ left: 0, top: 0 }],
    caption: null,
    width: 800,
  });
  expect(laidOut({ width: 1000, height: 1 }, WIDE, false).height).toBe(80);
});

test("a pane is as wide as the image where it is as high as it can be", () => {
  // 600 pixels are the height of 960 of this image: no gray field stands beside it.
  expect(laidOut(SIZE, WIDE, false)).toMatchObject({ width: 960, height: 600 });
  expect(laidOut(SIZE, { ...WIDE, width: 4000 }, false).width).toBe(960);
  expect(laidOut(SIZE, { ...WIDE, width: 4000 }, true)).toMatchObject({
    width: 1928,
    pane: { width: 960, height: 600 },
  });
  expect(laidOut({ width: 10, height: 1000 }, WIDE, false)).toMatchObject({
    width: 240,
    height: 600,
  });
});

test("two panes lie side by side with a gap, the second at the right edge", () => {
  const { panes, pane, canvas, caption } = laidOut(SIZE, WIDE, true);
  expect(pane).toEqual({ width: 496, height: 310, pixels: 1 });
  expect(canvas).toEqual({ width: 1000, height: 310 });
  expect(panes).toEqual([
    { left: 0, top: 0 },
    { left: 504, top: 0 },
  ]);
  expect(caption).toEqual({ left: 504, top: 0 });
});

test("two panes lie one below the other where the cell is narrow", () => {
  const { panes, pane, canvas, height, caption } = laidOut(SIZE, { ...WIDE, width: 480 }, true);
  expect(pane).toEqual({ width: 480, height: 300, pixels: 1 });
  expect(height).toBe(608);
  expect(canvas).toEqual({ width: 480, height: 608 });
  expect(panes[1]).toEqual({ left: 0, top: 308 });
  expect(caption).toEqual({ left: 0, top: 308 });
});

test("a dense screen has more pixels in the same room", () => {
  const { canvas, height, pane } = laidOut(SIZE, { ...WIDE, width: 801, pixels: 1.5 }, false);
  expect(height).toBeCloseTo(500.625);
  expect(canvas).toEqual({ width: 1202, height: 751 });
  expect(pane).toEqual({ width: 1201, height: 750, pixels: 1.5 });
});

test("the image fits its pane, in the middle of what is left", () => {
  const { placement, frame } = placed(SIZE, { width: 800, height: 600 }, WHOLE);
  expect(placement).toEqual({ scale: 1.25, left: 0, top: 50 });
  expect(frame).toEqual(WHOLE);
});

test("an enlarged image is never moved out of its pane", () => {
  const pane = { width: 640, height: 400 };
  const corner = placed(SIZE, pane, { zoom: 2, x: 0, y: 1 });
  expect(corner.placement).toEqual({ scale: 2, left: 0, top: -400 });
  expect(corner.frame).toEqual({ zoom: 2, x: 0.25, y: 0.75 });
  const middle = placed(SIZE, pane, { zoom: 4, x: 0.5, y: 0.5 });
  expect(middle.placement).toEqual({ scale: 4, left: -960, top: -600 });
});

test("the image's corner lies on whole pixels of the screen", () => {
  const { placement } = placed({ width: 3, height: 2 }, { width: 101, height: 99 }, WHOLE);
  expect(placement.top).toBe(16); // (99 - 2 * 33.67) / 2 = 15.83
});

test("a point of the canvas is a spot of the image, or none beside it", () => {
  const layout = laidOut(SIZE, WIDE, true);
  const placement = { scale: 0.5, left: 88, top: 55 };
  const at = (x, y) => spotAt({ x, y }, layout, placement, SIZE);
  expect(at(88, 55)).toEqual({ x: 0, y: 0, side: 0 });
  expect(at(87.9, 55)).toBeNull();
  expect(at(88 + 319.9, 55 + 199.9)).toMatchObject({ side: 0 });
  expect(at(88 + 320, 100)).toBeNull(); // right of the image, in its pane
  expect(at(500, 100)).toBeNull(); // in the gap
  expect(at(504 + 88 + 10, 55 + 20)).toEqual({ x: 20, y: 40, side: 1 });
});

test("what an enlarged image has beyond its pane is no spot of the other pane", () => {
  const layout = laidOut(SIZE, WIDE, true);
  const placement = { scale: 4, left: 0, top: 0 };
  expect(spotAt({ x: 500, y: 10 }, layout, placement, SIZE)).toBeNull();
  expect(spotAt({ x: 504, y: 10 }, layout, placement, SIZE)).toEqual({ x: 0, y: 2.5, side: 1 });
});

test("zooming keeps what lies under the pointer where it is", () => {
  const pane = { width: 640, height: 400 };
  const spot = { x: 400, y: 150 };
  const before = placed(SIZE, pane, { zoom: 2, x: 0.5, y: 0.5 });
  const after = placed(SIZE, pane, zoomed(before.frame, 1.5, spot, SIZE));
  const seen = ({ placement }) => [
    placement.left + spot.x * placement.scale,
    placement.top + spot.y * placement.scale,
  ];
  expect(after.placement.scale).toBe(3);
  expect(seen(after)).toEqual(seen(before));
});

test("zooming ends at what fits and at 64 times that, and keeps the middle without a spot", () => {
  expect(zoomed(WHOLE, 0.5, null, SIZE)).toEqual(WHOLE);
  expect(zoomed({ zoom: 50, x: 0.3, y: 0.4 }, 2, null, SIZE)).toEqual({ zoom: 64, x: 0.3, y: 0.4 });
});

test("zooming where nothing is left to zoom moves nothing", () => {
  const frame = { zoom: 64, x: 0.3, y: 0.4 };
  expect(zoomed(frame, 2, { x: 600, y: 10 }, SIZE)).toEqual(frame);
});

test("a drag moves the image with the pointer", () => {
  const frame = dragged({ zoom: 2, x: 0.5, y: 0.5 }, { x: 64, y: -20 }, 2, SIZE);
  expect(frame).toEqual({ zoom: 2, x: 0.45, y: 0.525 });
});

test("the cross starts in the middle of what is seen and stays inside the image", () => {
  const frame = { zoom: 1, x: 0.5, y: 0.5 };
  const right = { x: 1, y: 0 };
  expect(movedCross(null, right, false, frame, 2, SIZE)).toEqual({ x: 324, y: 200, side: 0 });
  expect(movedCross(null, right, true, frame, 2, SIZE)).toEqual({ x: 321, y: 200, side: 0 });
  // A step is a pixel of the image at least, however far it is enlarged.
  expect(movedCross(null, right, false, frame, 100, SIZE).x).toBe(321);
  expect(movedCross({ x: 639, y: 3 }, right, false, frame, 1, SIZE).x).toBe(639.5);
  expect(movedCross({ x: 639, y: 3 }, { x: 0, y: -1 }, false, frame, 1, SIZE).y).toBe(0);
});

test("the frame follows a spot just as far as it needs to be seen", () => {
  const pane = { width: 640, height: 400 };
  const frame = { zoom: 2, x: 0.5, y: 0.5 };
  expect(followed(frame, { x: 320, y: 200 }, pane, 2, SIZE)).toEqual(frame);
  expect(followed(frame, { x: 576, y: 40 }, pane, 2, SIZE)).toEqual({ zoom: 2, x: 0.65, y: 0.35 });
});
