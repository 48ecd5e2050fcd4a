import { fill, fillChanges, outline, packed, sampled } from "@page/pixels.js";
import { expect, test } from "vitest";
import { mask } from "./fakes.js";

const PLAIN = { scale: 1, left: 0, top: 0 };

test("a color has red in the lowest byte, and is opaque", () => {
  expect(packed([0x12, 0x34, 0x56])).toBe(0xff563412);
  expect(packed([0, 0, 0])).toBe(0xff000000);
});

test("each pixel of the pane has the label under its middle", () => {
  const seen = sampled(
    mask([0, 1, 2, 0], 2),
    0,
    { width: 2, height: 2 },
    { width: 4, height: 4 },
    { scale: 2, left: 0, top: 0 },
  );
  expect([...seen]).toEqual([0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 0, 0, 2, 2, 0, 0]);
});

test("beside the image, and where the mask does not reach, there is no label", () => {
  const place = { scale: 1, left: 1, top: 0 };
  const size = { width: 4, height: 1 };
  const part = mask([1, 2], 2, { covers: [0, 0.25, 1, 0.75] });
  const seen = sampled(part, 0, size, { width: 6, height: 2 }, place);
  expect([...seen]).toEqual([-1, -1, 1, 2, -1, -1, -1, -1, -1, -1, -1, -1]);
});

test("the model is sure enough at just the level, and not below", () => {
  const size = { width: 3, height: 1 };
  const unsure = mask([0, 1, 2], 3, { confidence: Uint8Array.from([59, 60, 61]) });
  const at = (level) => [...sampled(unsure, level, size, size, PLAIN)];
  expect(at(60)).toEqual([-1, 1, 2]);
  expect(at(0)).toEqual([0, 1, 2]);
  const bare = mask([0, 1, 2], 3);
  expect([...sampled(bare, 60, size, size, PLAIN)]).toEqual([0, 1, 2]); // nothing says how sure
});

test("pixels are filled by their label; beside the mask they stay clear", () => {
  const colors = Uint32Array.from([5, 7, 9]);
  const size = { width: 4, height: 2 };
  const pane = { width: 5, height: 5 };
  const part = mask([0, 1, 2, 2], 2, { covers: [0, 0.25, 1, 0.75] });
  const out = fill(part, 0, size, pane, { scale: 1, left: 0, top: 1 }, colors, new Uint32Array(25));
  expect([...out]).toEqual([
    ...[0, 0, 0, 0, 0],
    ...[0, 5, 7, 0, 0],
    ...[0, 9, 9, 0, 0],
    ...[0, 0, 0, 0, 0],
    ...[0, 0, 0, 0, 0],
  ]);
});

test("enlarged rows are the same, also where the model was less sure", () => {
  const unsure = mask([0, 1, 1, 2], 2, { confidence: Uint8Array.from([90, 10, 80, 90]) });
  const colors = Uint32Array.from([5, 7, 9]);
  const place = { scale: 2, left: 0, top: 0 };
  const pane = { width: 4, height: 4 };
  const out = new Uint32Array(16);
  fill(unsure, 50, { width: 2, height: 2 }, pane, place, colors, out);
  expect([...out]).toEqual([5, 5, 0, 0, 5, 5, 0, 0, 7, 7, 9, 9, 7, 7, 9, 9]);
});

test("an image that was moved out of the pane leaves it clear", () => {
  const size = { width: 2, height: 1 };
  const seen = sampled(mask([1, 2], 2), 0, size, size, { scale: 1, left: 9, top: 0 });
  expect([...seen]).toEqual([-1, -1]);
});

test("an outline is as wide as a line on both sides of an edge", () => {
  const seen = Int16Array.from([1, 1, 1, 1, 2, 2, 2, 2]);
  const out = new Uint32Array(8);
  outline(seen, { width: 8, height: 1, pixels: 1 }, Uint32Array.from([0, 7, 9]), out);
  expect([...out]).toEqual([0, 0, 7, 7, 9, 9, 0, 0]);
  out.fill(0);
  outline(seen, { width: 8, height: 1, pixels: 0.5 }, Uint32Array.from([0, 7, 9]), out);
  expect([...out]).toEqual([0, 0, 0, 7, 9, 0, 0, 0]);
});

test("an outline goes along rows as along columns, not along the rim of the pane", () => {
  const seen = Int16Array.from([1, 1, 1, 1, 2, 2, 2, 2]);
  const out = new Uint32Array(8);
  outline(seen, { width: 1, height: 8, pixels: 1 }, Uint32Array.from([0, 7, 9]), out);
  expect([...out]).toEqual([0, 0, 7, 7, 9, 9, 0, 0]);
  outline(Int16Array.from([1, 1, 1, 1]), { width: 2, height: 2, pixels: 1 }, [0, 7], out.fill(0));
  expect([...out]).toEqual(new Array(8).fill(0));
});

test("an outline is whole where an edge is just a line's width from the rim", () => {
  const seen = Int16Array.from([0, 0, 1, 1, 1, 1, 2, 2]);
  const colors = Uint32Array.from([5, 7, 9]);
  const expected = [5, 5, 7, 7, 7, 7, 9, 9];
  const out = new Uint32Array(8);
  outline(seen, { width: 8, height: 1, pixels: 1 }, colors, out);
  expect([...out]).toEqual(expected);
  outline(seen, { width: 1, height: 8, pixels: 1 }, colors, out.fill(0));
  expect([...out]).toEqual(expected);
});

test("a hidden class has no outline, but its neighbor has", () => {
  const out = new Uint32Array(4);
  const seen = Int16Array.from([0, 0, 1, 1]);
  outline(seen, { width: 4, height: 1, pixels: 0.5 }, Uint32Array.from([0, 7]), out);
  expect([...out]).toEqual([0, 0, 7, 0]);
});

const SAME = [
  [0, 1, 2],
  [0, 1, 2],
];

test("what became of what has its color, and nothing is drawn where it is the same", () => {
  const seen = [Int16Array.from([0, 0, 1, 1, 1, 1, -1]), Int16Array.from([1, 0, 0, 2, 1, -1, 2])];
  const colors = new Uint32Array(9);
  colors[0 * 3 + 1] = 5;
  colors[1 * 3 + 0] = 7;
  const out = new Uint32Array(7);
  fillChanges(seen, SAME, 3, colors, out);
  expect([...out]).toEqual([5, 0, 7, 0, 0, 0, 0]);
});

test("classes count by their common numbers", () => {
  const seen = [Int16Array.from([0, 1, 0]), Int16Array.from([0, 0, 1])];
  const numbers = [
    [0, 1],
    [2, 1],
  ];
  const colors = new Uint32Array(9);
  colors[1 * 3 + 2] = 7;
  const out = new Uint32Array(3);
  fillChanges(seen, numbers, 3, colors, out);
  expect([...out]).toEqual([0, 7, 0]);
});
