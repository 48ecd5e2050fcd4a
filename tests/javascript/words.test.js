import { percentOf, seenAt, share } from "@page/words.js";
import { expect, test } from "vitest";
import { mask } from "./fakes.js";

const SIZE = { width: 4, height: 2 };

test("areas are never rounded to nothing or to all", () => {
  expect(share(0, 100_000)).toBe("0.00 %");
  expect(share(4, 100_000)).toBe("<0.01 %");
  expect(share(5, 100_000)).toBe("0.01 %");
  expect(share(1, 8)).toBe("12.50 %");
  expect(share(99_996, 100_000)).toBe(">99.99 %");
  expect(share(99_994, 100_000)).toBe("99.99 %");
  expect(share(100_000, 100_000)).toBe("100.00 %");
});

test("a threshold has a decimal only where it needs one", () => {
  expect([0.5, 0.375, 0.005, 0.29].map(percentOf)).toEqual(["50 %", "37.5 %", "0.5 %", "29 %"]);
});

test("without scores, the class alone is said", () => {
  const texts = seenAt([mask([0, 1, 2, 0], 2)], SIZE, { x: 3.9, y: 0.2 });
  expect(texts).toBe("x 3, y 0  ·  road");
});

test("with scores, the class that follows and the margin are said", () => {
  const confidence = Uint8Array.from([90, 60, 70, 80, 1, 2, 0, 1, 8, 30, 20, 15]);
  const sure = mask([0, 1, 2, 0], 2, { confidence });
  expect(seenAt([sure], SIZE, { x: 2, y: 0 })).toBe(
    "x 2, y 0  ·  road 60 %, then car 30 %, margin 30",
  );
  expect(seenAt([sure], SIZE, { x: 0, y: 1 })).toBe(
    "x 0, y 1  ·  car 70 %, then background 20 %, margin 50",
  );
});

test("of one class, its probability is said, whichever side of the threshold it is on", () => {
  const levels = { counts: Uint8Array.from([2, 4]), values: [0, 0.25, 0.5, 0.75, 1] };
  const names = ["background", "person"];
  const one = mask([0, 1], 2, { names, threshold: 0.5, levels });
  expect(seenAt([one], SIZE, { x: 0, y: 0 })).toBe("x 0, y 0  ·  background, person 38 %");
  expect(seenAt([{ ...one, step: 5 }], SIZE, { x: 3, y: 0 })).toBe(
    "x 3, y 0  ·  person about 88 %",
  );
});

test("two masks are told apart, and a part that one did not see is said", () => {
  const middle = mask([2, 2], 2, { covers: [0, 0.25, 1, 0.75] });
  const pair = [mask([0, 1, 2, 0], 2), middle];
  expect(seenAt(pair, SIZE, { x: 1, y: 0 })).toBe("x 1, y 0  ·  A background  ·  B car");
  expect(seenAt(pair, SIZE, { x: 0, y: 0 })).toBe(
    "x 0, y 0  ·  A background  ·  B not seen by the model",
  );
});
