// @vitest-environment happy-dom
import { keyAct, listenToCanvas, listenToDivider } from "@page/input.js";
import { beforeEach, expect, test, vi } from "vitest";

const NAMES = [
  ...["spotUnder", "read", "leave", "drag", "zoomBy", "fit", "moveCross"],
  ...["toggleKeyed", "toggleOutline", "changeOpacity", "moveDivider", "shiftDivider"],
];
let acts;
let stage;
let abort;

beforeEach(() => {
  acts = Object.fromEntries(NAMES.map((name) => [name, vi.fn()]));
  acts.spotUnder.mockReturnValue({ x: 1, y: 2, side: 0 });
  const made = () => Object.assign(document.createElement("div"), { setPointerCapture: vi.fn() });
  stage = { root: made(), canvas: made(), divider: made(), say: vi.fn() };
  stage.root.getBoundingClientRect = () => ({ left: 100, width: 400 });
  abort = new AbortController();
  listenToCanvas(stage, acts, abort.signal);
  listenToDivider(stage, acts, abort.signal);
});

function dispatch(target, Kind, type, about = {}) {
  const event = new Kind(type, { bubbles: true, cancelable: true, ...about });
  target.dispatchEvent(event);
  return event;
}
const press = (key, about) => dispatch(stage.canvas, KeyboardEvent, "keydown", { key, ...about });
const point = (target, type, x, y, button = 0) =>
  dispatch(target, PointerEvent, type, { clientX: x, clientY: y, button });
const called = () => NAMES.filter((name) => acts[name].mock.calls.length);

test("keys do what the canvas's description says", () => {
  const done = (key, about) => {
    for (const name of NAMES) acts[name].mockClear();
    expect(press(key, about).defaultPrevented).toBe(true);
    const [name] = called();
    return [name, ...acts[name].mock.calls[0]];
  };
  expect(done("1")).toEqual(["toggleKeyed", 0, false]);
  expect(done("9")).toEqual(["toggleKeyed", 8, false]);
  expect(done("!", { code: "Digit1", shiftKey: true })).toEqual(["toggleKeyed", 0, true]);
  expect(done("ArrowLeft")).toEqual(["moveCross", { x: -1, y: 0 }, false]);
  expect(done("ArrowDown", { shiftKey: true })).toEqual(["moveCross", { x: 0, y: 1 }, true]);
  expect(done("+")).toEqual(["zoomBy", 1.5]);
  expect(done("-")).toEqual(["zoomBy", 1 / 1.5]);
  expect(done("0")).toEqual(["fit"]);
  expect(done("o")).toEqual(["toggleOutline"]);
  expect(done("[")).toEqual(["changeOpacity", -0.1]);
  expect(done("]")).toEqual(["changeOpacity", 0.1]);
});

test("other keys, and those of the browser, are left alone", () => {
  expect(press("§", { code: "Backquote" }).defaultPrevented).toBe(false);
  for (const key of ["a", "Tab", "Enter", "10", "constructor"]) {
    expect(press(key).defaultPrevented).toBe(false);
  }
  for (const held of ["ctrlKey", "metaKey", "altKey"]) {
    expect(keyAct({ key: "0", [held]: true })).toBeUndefined();
    expect(press("0", { [held]: true }).defaultPrevented).toBe(false);
  }
  expect(called()).toEqual([]);
});

test("a drag goes on from where the pointer was last", () => {
  point(stage.canvas, "pointerdown", 10, 20);
  point(stage.canvas, "pointermove", 15, 18);
  point(stage.canvas, "pointermove", 25, 18);
  expect(acts.drag.mock.calls).toEqual([[{ x: 5, y: -2 }], [{ x: 10, y: 0 }]]);
  point(stage.canvas, "pointerup", 25, 18);
  point(stage.canvas, "pointermove", 40, 40);
  expect(acts.drag).toHaveBeenCalledTimes(2);
});

test("only the first button drags", () => {
  point(stage.canvas, "pointerdown", 10, 20, 2);
  point(stage.canvas, "pointermove", 15, 18);
  expect(acts.drag).not.toHaveBeenCalled();
});

test("the pixel under the pointer is read until the pointer leaves", () => {
  point(stage.canvas, "pointermove", 15, 18);
  expect(acts.read).toHaveBeenLastCalledWith({ x: 1, y: 2, side: 0 });
  point(stage.canvas, "pointerleave", 15, 18);
  expect(acts.read).toHaveBeenLastCalledWith(null);
});

test("the wheel scrolls the page; with Ctrl it zooms where the pointer is", () => {
  const wheel = (about) => dispatch(stage.canvas, WheelEvent, "wheel", { deltaY: -300, ...about });
  expect(wheel({}).defaultPrevented).toBe(false);
  expect(stage.say).toHaveBeenCalledOnce();
  expect(acts.zoomBy).not.toHaveBeenCalled();
  const zooming = new WheelEvent("wheel", { deltaY: -300, cancelable: true });
  Object.defineProperty(zooming, "ctrlKey", { value: true });
  stage.canvas.dispatchEvent(zooming);
  expect(zooming.defaultPrevented).toBe(true);
  expect(acts.zoomBy).toHaveBeenCalledWith(Math.E, { x: 1, y: 2, side: 0 });
});

test("the divider follows the pointer as a part of the stage's width", () => {
  point(stage.divider, "pointermove", 200, 0);
  expect(acts.moveDivider).not.toHaveBeenCalled();
  point(stage.divider, "pointerdown", 200, 0);
  point(stage.divider, "pointermove", 200, 0);
  expect(acts.moveDivider).toHaveBeenCalledWith(0.25);
  point(stage.divider, "pointercancel", 200, 0);
  point(stage.divider, "pointermove", 300, 0);
  expect(acts.moveDivider).toHaveBeenCalledOnce();
});

test("keys move the divider, Home and End to its ends", () => {
  const moved = (key) => {
    const event = dispatch(stage.divider, KeyboardEvent, "keydown", { key });
    expect(event.defaultPrevented).toBe(true);
    return acts.shiftDivider.mock.lastCall[0];
  };
  expect(["ArrowLeft", "ArrowRight", "Home", "End"].map(moved)).toEqual([-0.02, 0.02, -1, 1]);
  expect(dispatch(stage.divider, KeyboardEvent, "keydown", { key: "o" }).defaultPrevented).toBe(
    false,
  );
});

test("nothing is listened to after the view is gone", () => {
  abort.abort();
  press("o");
  point(stage.canvas, "pointermove", 1, 1);
  point(stage.divider, "pointerdown", 1, 1);
  point(stage.divider, "pointermove", 1, 1);
  expect(called()).toEqual([]);
});
