import {
  columnsCovered,
  decodedMask,
  framed,
  maskIndex,
  matching,
  parsedColor,
  percentAt,
  relabel,
  rowsCovered,
  takeConfidence,
  versionOf,
} from "@page/masks.js";
import { expect, test } from "vitest";
import { deflated, inRuns, sentMask } from "./fakes.js";

const ONE_CLASS = { names: ["background", "person"], threshold: 0.5 };
const LEVELS = [0, 0.25, 0.5, 0.75, 1];

async function oneClass(counts) {
  const labels = counts.map((count) => (count > 2 ? 1 : 0));
  const mask = await decodedMask(sentMask(labels, 2, ONE_CLASS));
  await takeConfidence(mask, { serial: 1, planes: deflated(counts), levels: LEVELS, step: 1 });
  return mask;
}

test("a mask of runs is here at once, from a view into a larger buffer", () => {
  const mask = decodedMask(sentMask([0, 1, 2, 1, 0, 0], 3));
  expect([...mask.labels]).toEqual([0, 1, 2, 1, 0, 0]);
  expect(mask.classes[1]).toEqual({
    name: "road",
    color: "#f02814",
    pixels: 2,
    rgb: [240, 40, 20],
  });
  expect(versionOf(mask)).toBe("1.0");
});

test("a run may be longer than one byte counts", () => {
  const labels = [...new Array(700).fill(1), ...new Array(300).fill(2)];
  const { runs, labels: sent } = inRuns(labels);
  expect([runs, sent.byteLength]).toEqual([2, 6]);
  expect([...decodedMask(sentMask(labels, 100)).labels]).toEqual(labels);
});

test("a mask that came deflated is the same, later", async () => {
  const labels = [0, 1, 2, 1, 0, 0];
  const coming = decodedMask({ ...sentMask(labels, 3), runs: 0, labels: deflated(labels) });
  expect(coming).toBeInstanceOf(Promise);
  const { runs: _, ...expected } = decodedMask(sentMask(labels, 3));
  expect(await coming).toEqual(expected);
});

test("colors are read byte by byte", () => {
  expect(parsedColor("#0072b2")).toEqual([0, 114, 178]);
  expect(parsedColor("#ffffff")).toEqual([255, 255, 255]);
});

test("confidences of another mask, and none at all, are not taken", async () => {
  const mask = await decodedMask(sentMask([0, 1], 2));
  await takeConfidence(mask, { serial: 2, planes: deflated([9, 9, 9, 9, 9, 9]) });
  await takeConfidence(mask, {});
  await takeConfidence(mask, undefined);
  expect(mask.confidence).toBeNull();
  await takeConfidence(mask, { serial: 1, planes: deflated([90, 60, 1, 0, 8, 30]) });
  expect([...mask.confidence]).toEqual([90, 60, 1, 0, 8, 30]);
});

test("of two confidences the later one counts, whichever is decoded first", async () => {
  const mask = await decodedMask(sentMask([0, 1], 2));
  const first = takeConfidence(mask, { serial: 1, planes: deflated([1, 1, 1, 1, 1, 1]) });
  const second = takeConfidence(mask, { serial: 1, planes: deflated([2, 2, 2, 2, 2, 2]) });
  await Promise.all([first, second]);
  expect(mask.confidence[0]).toBe(2);
});

test("a threshold takes the pixels whose probability is above it", async () => {
  // How many levels each probability is above: of 0.3 two (0 and 0.25), of 0.6 three.
  const mask = await oneClass([0, 2, 3, 5]);
  expect(relabel(mask, 0.25)).toBe(true);
  expect([...mask.labels]).toEqual([0, 1, 1, 1]);
  expect(mask.classes.map((one) => one.pixels)).toEqual([1, 3]);
  expect(relabel(mask, 0.75)).toBe(true);
  expect([...mask.labels]).toEqual([0, 0, 0, 1]);
  expect(mask.classes.map((one) => one.pixels)).toEqual([3, 1]);
});

test("a threshold between two levels acts as the one below", async () => {
  const mask = await oneClass([0, 2, 3, 5]);
  relabel(mask, 0.4);
  expect([...mask.labels]).toEqual([0, 1, 1, 1]);
});

test("the same threshold again changes nothing, its own brings back what came", async () => {
  const mask = await oneClass([0, 2, 3, 5]);
  relabel(mask, 0.75);
  const version = versionOf(mask);
  expect(relabel(mask, 0.75)).toBe(false);
  expect(versionOf(mask)).toBe(version);
  expect(relabel(mask, 0.5)).toBe(true);
  expect(mask.labels).toBe(mask.given);
  expect(versionOf(mask)).not.toBe(version);
});

test("a threshold waits until the probabilities are here", async () => {
  const mask = await decodedMask(sentMask([0, 1], 2, ONE_CLASS));
  expect(relabel(mask, 0.25)).toBe(false);
  expect(mask.at).toBe(0.5);
});

test("a probability is said as the middle of its step", () => {
  const levels = { counts: Uint8Array.from([0, 1, 3, 5]), values: LEVELS };
  expect([0, 1, 2, 3].map((index) => percentAt(levels, index))).toEqual([0, 13, 63, 100]);
});

test("a place of the image lies in a row of the mask, or beside it", () => {
  expect([0, 3.99, 4, 7.99].map((place) => maskIndex(place, 8, 2, [0, 1]))).toEqual([0, 0, 1, 1]);
  // The mask covers the middle half of the image.
  const places = [1.99, 2, 3.99, 4, 5.99, 6];
  expect(places.map((place) => maskIndex(place, 8, 2, [0.25, 0.75]))).toEqual([-1, 0, 0, 1, 1, -1]);
});

test("top and bottom belong to rows, left and right to columns", () => {
  const covers = [0.1, 0.2, 0.8, 0.9];
  expect(rowsCovered({ covers })).toEqual([0.1, 0.8]);
  expect(columnsCovered({ covers })).toEqual([0.2, 0.9]);
});

test("rows of two masks match by the middle of each", () => {
  expect([...matching(4, [0, 1], 2, [0, 1])]).toEqual([0, 0, 1, 1]);
  expect([...matching(2, [0, 1], 4, [0, 1])]).toEqual([1, 3]);
  expect([...matching(3, [0, 1], 3, [0, 1])]).toEqual([0, 1, 2]);
  expect([...matching(4, [0, 1], 2, [0.25, 0.75])]).toEqual([-1, 0, 1, -1]);
  expect([...matching(2, [0.25, 0.75], 4, [0, 1])]).toEqual([1, 2]);
});

test("a mask that covers a part belongs to a larger image", () => {
  const mask = { width: 50, height: 30, covers: [0, 0.25, 1, 0.75] };
  expect(framed(mask)).toEqual({ width: 100, height: 30 });
  expect(framed({ width: 1, height: 1, covers: [0, 0, 1, 1] })).toEqual({ width: 1, height: 1 });
});
