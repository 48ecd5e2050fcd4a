import { availability, captionsFor, drawings, effects, MODES, modeFor } from "@page/modes.js";
import { expect, test } from "vitest";

const BOTH = { image: true, pair: true };
const ONE = { image: true, pair: false };
const MASK_ALONE = { image: false, pair: false };
const MASKS = { image: false, pair: true };
const SIDE = { second: false, front: 0, swipe: 0.25 };
const names = MODES.map(([mode]) => mode);
const offered = (given) => names.filter((mode) => availability(mode, given) === "offered");

test("a mode that has too little to show is replaced by one that has enough", () => {
  for (const mode of names) expect(modeFor(mode, BOTH)).toBe(mode);
  expect(modeFor("difference", ONE)).toBe("overlay");
  expect(modeFor("swipe", ONE)).toBe("swipe");
  for (const mode of names.filter((one) => one !== "difference")) {
    expect(modeFor(mode, MASK_ALONE)).toBe("mask");
  }
  expect(modeFor("photo", MASKS)).toBe("mask");
  expect(modeFor("difference", MASKS)).toBe("difference");
});

test("only what has an effect can be chosen", () => {
  expect(offered(BOTH)).toEqual(names);
  expect(offered(ONE)).toEqual(names.filter((mode) => mode !== "difference"));
  expect(offered(MASK_ALONE)).toEqual(["mask"]);
  expect(offered(MASKS)).toEqual(names.filter((mode) => mode !== "photo"));
  expect(availability("difference", ONE)).toBe("hidden");
  expect(availability("photo", MASKS)).toBe("disabled");
});

test("controls without an effect are off", () => {
  const on = (mode, given) =>
    Object.entries(effects(mode, given))
      .filter(([, has]) => has)
      .map(([name]) => name);
  expect(on("photo", BOTH)).toEqual([]);
  expect(on("overlay", ONE)).toEqual(["opacity", "outline", "confidence", "threshold"]);
  expect(on("mask", BOTH)).toEqual(["outline", "confidence", "threshold", "otherMask"]);
  expect(on("swipe", BOTH)).toEqual(["opacity", "outline", "confidence", "threshold"]);
  expect(on("difference", BOTH)).toEqual(["threshold"]); // it moves the edges that are compared
});

test("modes with one side draw the mask that is chosen", () => {
  const second = { ...SIDE, second: true, front: 1 };
  expect(drawings("overlay", true, second)).toEqual([{ pane: 0, image: true, mask: 1 }]);
  expect(drawings("mask", true, SIDE)).toEqual([{ pane: 0, image: false, mask: 0 }]);
  expect(drawings("photo", true, second)).toEqual([{ pane: 0, image: true, mask: null }]);
});

test("modes with two sides draw image and overlay, or both masks", () => {
  expect(drawings("side by side", false, SIDE)).toEqual([
    { pane: 0, image: true, mask: null },
    { pane: 1, image: true, mask: 0 },
  ]);
  expect(drawings("swipe", true, SIDE)).toEqual([
    { pane: 0, image: true, mask: 0, columns: [0, 0.25] },
    { pane: 0, image: true, mask: 1, columns: [0.25, 1] },
  ]);
  expect(drawings("blink", false, SIDE)).toEqual([{ pane: 0, image: true, mask: null }]);
  expect(drawings("blink", false, { ...SIDE, second: true })).toEqual([
    { pane: 0, image: true, mask: 0 },
  ]);
});

test("captions say which side is which", () => {
  const pair = ["f32", ""];
  expect(captionsFor("swipe", pair, SIDE)).toEqual(["A: f32", "B"]);
  expect(captionsFor("swipe", ["toy"], SIDE)).toEqual(["Image", "Overlay"]);
  expect(captionsFor("blink", pair, { second: true, front: 1 })).toEqual(["B", ""]);
  expect(captionsFor("blink", ["toy"], SIDE)).toEqual(["Image", ""]);
  expect(captionsFor("difference", pair, SIDE)).toEqual(["A: f32  →  B", ""]);
});

test("captions are left out where there is only one thing to see", () => {
  const pair = ["f32", "bf16"];
  expect(captionsFor("overlay", ["toy"], SIDE)).toEqual(["", ""]);
  expect(captionsFor("overlay", pair, { second: true, front: 1 })).toEqual(["B: bf16", ""]);
  expect(captionsFor("photo", pair, SIDE)).toEqual(["", ""]);
});
