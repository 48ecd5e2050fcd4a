import { compared } from "@page/comparison.js";
import { expect, test } from "vitest";
import { mask } from "./fakes.js";

test("one mask has its own classes and no transition", () => {
  const { classes, numbers, transitions, pixels } = compared([mask([0, 1, 2, 2], 2)]);
  expect(classes.map((one) => one.name)).toEqual(["background", "road", "car"]);
  expect(numbers).toEqual([[0, 1, 2]]);
  expect({ transitions, pixels }).toEqual({ transitions: [], pixels: 0 });
});

test("classes are the same by name, not by number", () => {
  const a = mask([0, 1], 2, { names: ["background", "road"] });
  const b = mask([1, 0], 2, { names: ["road", "background", "car"] });
  const { classes, numbers, transitions } = compared([a, b]);
  expect(classes.map((one) => one.name)).toEqual(["background", "road", "car"]);
  expect(numbers).toEqual([
    [0, 1],
    [1, 0, 2],
  ]);
  expect(transitions).toEqual([]);
});

test("transitions say what became of what, the most pixels first", () => {
  const a = mask([0, 1, 2, 2, 1, 0], 3);
  const b = mask([1, 2, 0, 0, 1, 0], 3);
  const { transitions, pixels } = compared([a, b]);
  expect(pixels).toBe(6);
  expect(transitions).toEqual([
    { index: 6, from: 2, to: 0, pixels: 2, color: "#787878" },
    { index: 1, from: 0, to: 1, pixels: 1, color: "#787878" },
    { index: 5, from: 1, to: 2, pixels: 1, color: "#787878" },
  ]);
});

test("a change and its reverse have colors of their own, as long as there are some", () => {
  const a = mask([0, 1, 2, 1, 0, 0], 3);
  const b = mask([1, 0, 0, 0, 1, 1], 3);
  const { transitions } = compared([a, b], ["#ff0000", "#00ff00"]);
  expect(transitions.map(({ from, to, color }) => [from, to, color])).toEqual([
    [0, 1, "#ff0000"],
    [1, 0, "#00ff00"],
    [2, 0, "#787878"],
  ]);
});

test("masks of two sizes are compared where their pixels lie", () => {
  const coarse = mask([0, 1], 2);
  const fine = mask([0, 0, 1, 1, 0, 0, 1, 2], 4);
  // The middle of a coarse pixel lies where four fine ones meet: the lower right one counts.
  expect(compared([coarse, fine])).toMatchObject({
    pixels: 2,
    transitions: [{ from: 1, to: 2, pixels: 1 }],
  });
  expect(compared([fine, coarse])).toMatchObject({
    pixels: 8,
    transitions: [{ from: 2, to: 1, pixels: 1 }],
  });
});

test("only pixels that both masks cover are compared", () => {
  const whole = mask([0, 1, 1, 0], 4);
  const middle = mask([1, 2], 2, { covers: [0, 0.25, 1, 0.75] });
  expect(compared([whole, middle])).toMatchObject({
    pixels: 2,
    transitions: [{ from: 1, to: 2, pixels: 1 }],
  });
});
