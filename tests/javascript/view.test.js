import { WHOLE } from "@page/geometry.js";
import { View } from "@page/view.js";
import { expect, test } from "vitest";
import { mask } from "./fakes.js";

const SETTINGS = { mode: "overlay", opacity: 0.5, outline: false, threshold: 0.5, hidden: [] };
const image = (width, height) => ({ bitmap: {}, width, height });
const levels = (...counts) => ({
  counts: Uint8Array.from(counts),
  values: [0, 0.25, 0.5, 0.75, 1],
});
const ONE_CLASS = { names: ["background", "person"], threshold: 0.5 };

function viewOf(...masks) {
  const view = new View({ ...SETTINGS });
  view.show(image(6, 4), masks);
  return view;
}

test("a zoom stays for another image of the same size, and only for that", () => {
  const view = viewOf(mask([0, 1], 2));
  const frame = { zoom: 3, x: 0.2, y: 0.4 };
  view.frame = frame;
  view.show(image(6, 4), [mask([1, 0], 2)]);
  expect(view.frame).toBe(frame);
  view.show(image(4, 6), [mask([1, 0], 2)]);
  expect(view.frame).toEqual(WHOLE);
});

test("without an image, the mask's own pixels are the size", () => {
  const view = viewOf();
  view.show(null, [mask([0, 1, 1, 0, 0, 0], 3)]);
  expect(view.size).toEqual({ width: 3, height: 2 });
  expect(view.mode).toBe("mask");
});

test("an image that comes without a mask changes nothing else", () => {
  const view = viewOf(mask([0, 1], 2));
  view.show(image(9, 9), []);
  expect(view.size).toEqual({ width: 6, height: 4 });
});

test("other masks are seen from the first side, with all transitions", () => {
  const view = viewOf(mask([0, 1], 2), mask([1, 1], 2));
  view.second = true;
  view.only = 1;
  expect(view.front).toBe(1);
  view.show(view.image, [mask([0, 1], 2), mask([2, 1], 2)]);
  expect([view.front, view.only]).toEqual([0, null]);
  expect(view.comparison.transitions).toEqual([
    { index: 2, from: 0, to: 2, pixels: 1, color: "#787878" },
  ]);
});

test("of one mask, blink shows another side but no other mask", () => {
  const view = viewOf(mask([0, 1], 2));
  view.second = true;
  expect(view.front).toBe(0);
});

test("until the threshold is moved, each result of one class keeps its own", () => {
  const first = mask([0, 1], 2, { ...ONE_CLASS, levels: levels(2, 4) });
  const second = mask([1, 1], 2, { ...ONE_CLASS, threshold: 0.25, levels: levels(2, 4) });
  const view = viewOf(first, second);
  view.applyThreshold();
  expect([first.at, second.at]).toEqual([0.5, 0.25]);
  expect(view.comparison.transitions).toMatchObject([{ from: 0, to: 1, pixels: 1 }]);
  view.settings.threshold = 0.75;
  view.applyThreshold();
  expect([[...first.labels], [...second.labels]]).toEqual([
    [0, 1],
    [0, 1],
  ]);
  expect(view.comparison.transitions).toEqual([]);
});

test("of several classes, the threshold changes no label", () => {
  const view = viewOf(mask([0, 1, 2, 0], 2));
  view.settings.threshold = 0.9;
  const { comparison } = view;
  view.applyThreshold();
  expect(view.ownThreshold).toBeNull();
  expect([...view.masks[0].labels]).toEqual([0, 1, 2, 0]);
  expect(view.comparison).toBe(comparison);
});

test("switching a class twice changes nothing, and the list that came stays as it is", () => {
  const view = viewOf(mask([0, 1], 2));
  const hidden = Object.freeze(["background"]);
  view.settings.hidden = hidden;
  expect(view.switched("road")).toEqual(["background", "road"]);
  expect(view.switched("background")).toEqual([]);
});
