// @vitest-environment happy-dom
import { areas, Legend } from "@page/legend.js";
import { Stage } from "@page/stage.js";
import { Toolbar, thresholdControl } from "@page/toolbar.js";
import { View } from "@page/view.js";
import { beforeEach, expect, test, vi } from "vitest";
import { mask } from "./fakes.js";

const SETTINGS = { mode: "overlay", opacity: 0.5, outline: false, threshold: 0, hidden: [] };
const ONE_CLASS = { names: ["background", "person"], threshold: 0.375 };
const LEVELS = { counts: Uint8Array.from([1, 2]), values: [0, 0.5, 1] };
let acts;

beforeEach(() => {
  acts = {};
  for (const name of ["set", "showOther", "zoomBy", "fit", "toggle", "only", "toggleTransition"]) {
    acts[name] = vi.fn();
  }
});

function viewOf(settings, ...masks) {
  const view = new View({ ...SETTINGS, ...settings });
  view.show({ bitmap: {}, width: 6, height: 4 }, masks);
  return view;
}

function toolbarOf(view) {
  const toolbar = new Toolbar(view, acts);
  toolbar.update();
  return toolbar;
}

function legendOf(view) {
  const legend = new Legend(view, acts);
  legend.update();
  return legend;
}
const labels = (legend) =>
  [...legend.root.querySelectorAll(".wnb-class")].map((one) => one.getAttribute("aria-label"));
const pressed = (legend) =>
  [...legend.root.querySelectorAll(".wnb-class")].map((one) => one.getAttribute("aria-pressed"));
const texts = (legend) => [...legend.root.querySelectorAll("p")].map((one) => one.textContent);

// -- legend ------------------------------------------------------------------------------------

test("each class has its share of each mask", () => {
  const view = viewOf({}, mask([0, 0, 0, 1], 2), mask([0, 1, 1, 2], 2));
  expect(areas(view).listed.map(({ name, counts }) => [name, counts])).toEqual([
    ["background", [3, 1]],
    ["road", [1, 2]],
    ["car", [0, 1]],
  ]);
  expect(labels(legendOf(view))[1]).toBe("road, 25.00 % | 50.00 %");
});

test("a class of one mask alone has no pixel in the other", () => {
  const view = viewOf(
    {},
    mask([0, 1], 2, { names: ["a", "b"] }),
    mask([0, 0], 2, { names: ["c"] }),
  );
  expect(areas(view).listed.map(({ name, counts }) => [name, counts])).toEqual([
    ["a", [1, 0]],
    ["b", [1, 0]],
    ["c", [0, 2]],
  ]);
});

test("of many classes, those without a pixel are counted, of few they are listed", () => {
  const names = Array.from({ length: 21 }, (_, index) => `c${index}`);
  const many = legendOf(viewOf({}, mask([0, 20], 2, { names })));
  expect(labels(many)).toEqual(["c0, 50.00 %", "c20, 50.00 %"]);
  expect(texts(many)).toEqual(["19 further classes have no pixel."]);
  expect(many.keyed).toEqual(["c0", "c20"]);
  const few = legendOf(viewOf({}, mask([0, 1], 2, { names: names.slice(0, 20) })));
  expect(labels(few)).toHaveLength(20);
  expect(few.keyed).toHaveLength(9);
  expect(few.root.querySelectorAll(".wnb-class")[9].title).toBe("Switch c9 on or off");
});

test("a class is switched by its button, and shows whether it is on", () => {
  const view = viewOf({ hidden: ["background"] }, mask([0, 1, 2, 0], 2));
  const legend = legendOf(view);
  expect(pressed(legend)).toEqual(["false", "true", "true"]);
  const second = legend.root.querySelectorAll(".wnb-class")[1];
  second.click();
  expect(acts.toggle).toHaveBeenCalledWith("road");
  view.settings.hidden = ["road"];
  legend.update();
  expect(pressed(legend)).toEqual(["true", "false", "true"]);
  expect(legend.root.querySelectorAll(".wnb-class")[1]).toBe(second); // it keeps the focus
});

test("each class can be shown alone, and then all again", () => {
  const view = viewOf({ hidden: ["background"] }, mask([0, 1, 2, 0], 2));
  const legend = legendOf(view);
  const only = legend.root.querySelectorAll(".wnb-only");
  expect([...only].map((one) => one.getAttribute("aria-label"))).toEqual([
    "Only background",
    "Only road",
    "Only car",
  ]);
  only[1].click();
  expect(acts.only).toHaveBeenCalledWith("road");
  expect(acts.toggle).not.toHaveBeenCalled();
  expect(view.alone("road")).toEqual(["background", "car"]);
  view.settings.hidden = view.alone("road");
  expect(view.alone("road")).toEqual([]);
  expect(view.alone("car")).toEqual(["background", "road"]);
});

test("names are text, whatever they hold", () => {
  const legend = legendOf(viewOf({}, mask([0], 1, { names: ["<img src=x onerror=alert(1)>"] })));
  expect(legend.root.querySelector("img")).toBeNull();
  expect(texts(legend)).toEqual(["The model has one class only."]);
});

test("a difference lists what became of what, and shows one change alone", () => {
  const pair = [mask([0, 0, 1, 1], 2), mask([0, 1, 2, 1], 2)];
  const view = viewOf({ mode: "difference" }, ...pair);
  const legend = legendOf(view);
  expect(texts(legend)).toEqual(["50.00 % of the pixels differ (2)."]);
  expect(labels(legend)).toEqual(["background to road, 1 pixel", "road to car, 1 pixel"]);
  expect(pressed(legend)).toEqual(["true", "true"]);
  legend.root.querySelectorAll(".wnb-class")[1].click();
  expect(acts.toggleTransition).toHaveBeenCalledWith(5);
  view.only = 5;
  legend.update();
  expect(pressed(legend)).toEqual(["false", "true"]);
});

test("masks without a difference are said to have none", () => {
  const view = viewOf({ mode: "difference" }, mask([0, 1], 2), mask([0, 1], 2));
  expect(texts(legendOf(view))).toEqual(["No pixel differs."]);
});

// -- toolbar -----------------------------------------------------------------------------------

test("of several classes, the slider hides what is unsure", () => {
  const plain = mask([0, 1], 2);
  const control = thresholdControl({ masks: [plain], ownThreshold: null });
  expect(control).toMatchObject({ label: "Confidence threshold", scored: false, hint: "" });
  expect(control.range).toEqual({ min: 0, max: 100, step: 1 });
  const scored = mask([0, 1], 2, { confidence: new Uint8Array(6) });
  expect(thresholdControl({ masks: [plain, scored], ownThreshold: null }).scored).toBe(true);
});

test("of one class, the slider is its threshold, in the steps that its probabilities have", () => {
  const one = mask([0, 1], 2, { ...ONE_CLASS, levels: LEVELS, step: 5 });
  const control = thresholdControl({ masks: [one], ownThreshold: 0.375 });
  expect(control).toMatchObject({ label: "Class threshold", scored: true });
  expect(control.range).toEqual({ min: 5, max: 95, step: 5 });
  expect(control.hint).toBe(
    "Pixels whose probability is higher are person; a double click goes back to 37.5 %",
  );
  const waiting = mask([0, 1], 2, ONE_CLASS);
  expect(thresholdControl({ masks: [one, waiting], ownThreshold: 0.375 }).scored).toBe(false);
});

test("a slider tells the kernel when it comes to rest", () => {
  const { opacity } = toolbarOf(viewOf({}, mask([0, 1], 2)));
  opacity.value = "25";
  opacity.dispatchEvent(new Event("input"));
  opacity.dispatchEvent(new Event("change"));
  expect(acts.set.mock.calls).toEqual([
    ["opacity", 0.25, false],
    ["opacity", 0.25, true],
  ]);
});

test("a double click brings back the threshold of the result", () => {
  const view = viewOf({ threshold: 0.9 }, mask([0, 1], 2, { ...ONE_CLASS, levels: LEVELS }));
  toolbarOf(view).threshold.dispatchEvent(new Event("dblclick"));
  expect(acts.set).toHaveBeenCalledWith("threshold", 0.375, true);
  acts.set.mockClear();
  toolbarOf(viewOf({}, mask([0, 1], 2))).threshold.dispatchEvent(new Event("dblclick"));
  expect(acts.set).not.toHaveBeenCalled();
});

test("the toolbar shows what is set, also where Python set it", () => {
  const confidence = new Uint8Array(6);
  const view = viewOf({ opacity: 0.3, threshold: 0.61 }, mask([0, 1], 2, { confidence }));
  const toolbar = toolbarOf(view);
  expect(toolbar.opacity.value).toBe("30");
  expect(toolbar.threshold.value).toBe("61");
  expect(toolbar.threshold.disabled).toBe(false);
  expect(toolbar.modes.filter(({ input }) => input.checked).map(({ mode }) => mode)).toEqual([
    "overlay",
  ]);
  expect(toolbar.modes.filter(({ label }) => label.hidden).map(({ mode }) => mode)).toEqual([
    "difference",
  ]);
  view.settings.outline = true; // lines are drawn at full strength
  toolbar.update();
  expect([toolbar.outline.checked, toolbar.opacity.disabled]).toEqual([true, true]);
});

test("a slider without scores says what it lacks", () => {
  const toolbar = toolbarOf(viewOf({}, mask([0, 1], 2)));
  expect(toolbar.threshold.disabled).toBe(true);
  expect(toolbar.thresholdLabel.title).toContain("scores=True");
});

test("the other mask can be shown where one of two is seen", () => {
  const view = viewOf({}, mask([0, 1], 2), mask([1, 1], 2));
  view.second = true;
  const { other } = toolbarOf(view);
  expect([other.hidden, other.textContent]).toEqual([false, "B"]);
  other.click();
  expect(acts.showOther).toHaveBeenCalledOnce();
  view.settings.mode = "swipe";
  expect(toolbarOf(view).other.hidden).toBe(true);
});

// -- stage -------------------------------------------------------------------------------------

test("the divider is there in swipe alone, and says where it is", () => {
  const view = viewOf({ mode: "swipe" }, mask([0, 1], 2));
  const stage = new Stage(view);
  view.swipe = 0.254;
  stage.update();
  expect(stage.divider.hidden).toBe(false);
  expect(stage.divider.style.left).toBe("25.4%");
  expect(stage.divider.getAttribute("aria-valuenow")).toBe("25");
  expect(stage.captions.map((one) => one.textContent)).toEqual(["Image", "Overlay"]);
  expect(stage.captions[1].classList.contains("wnb-right")).toBe(true);
  view.settings.mode = "mask";
  stage.update();
  expect(stage.divider.hidden).toBe(true);
  expect(stage.captions.every((one) => one.hidden)).toBe(true);
});

test("a pointer is found on the canvas's own pixels", () => {
  const stage = new Stage(viewOf({}, mask([0, 1], 2)));
  Object.assign(stage.canvas, { width: 800, height: 400 });
  stage.canvas.getBoundingClientRect = () => ({ left: 10, top: 20, width: 400, height: 200 });
  expect(stage.pointOf({ clientX: 110, clientY: 70 })).toEqual({ x: 200, y: 100 });
});

test("a tip goes away by itself, a later one not with an earlier one", () => {
  vi.useFakeTimers();
  const stage = new Stage(viewOf({}, mask([0, 1], 2)));
  stage.say("one");
  vi.advanceTimersByTime(1000);
  stage.say("two");
  vi.advanceTimersByTime(1000);
  expect([stage.tip.hidden, stage.tip.textContent]).toEqual([false, "two"]);
  vi.advanceTimersByTime(200);
  expect(stage.tip.hidden).toBe(true);
  vi.useRealTimers();
});
