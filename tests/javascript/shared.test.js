// @vitest-environment happy-dom
import { button, element, setText, unique } from "@page/elements.js";
import { listening } from "@page/model.js";
import { notesBelow } from "@page/notes.js";
import { dimWhileStale } from "@page/stale.js";
import { expect, test, vi } from "vitest";
import { fakeModel } from "./fakes.js";

test("an element has properties, and attributes where it has no such property", () => {
  const made = element("input", { type: "range", max: 7, "aria-label": "Opacity" }, "x");
  expect([made.type, made.max, made.getAttribute("aria-label")]).toEqual(["range", "7", "Opacity"]);
  expect(made.textContent).toBe("x");
});

test("what takes keys keeps them from JupyterLab", () => {
  const kept = (made) => made.hasAttribute("data-lm-suppress-shortcuts");
  expect(kept(element("input"))).toBe(true);
  expect(kept(element("canvas", { tabIndex: 0 }))).toBe(true);
  expect(kept(element("div"))).toBe(false);
});

test("a button submits no form and acts once a click", () => {
  const act = vi.fn();
  const made = button({ title: "Fit" }, ["Fit"], act);
  made.click();
  expect([made.type, made.title, act.mock.calls.length]).toEqual(["button", "Fit", 1]);
});

test("an empty text hides its element, and the same text is not set again", () => {
  const node = element("p");
  setText(node, "text");
  const { firstChild } = node;
  setText(node, "text");
  expect(node.firstChild).toBe(firstChild);
  setText(node, "");
  expect(node.hidden).toBe(true);
});

test("names are not given twice", () => {
  expect(new Set(Array.from({ length: 100 }, unique)).size).toBe(100);
});

test("all that listens ends together", () => {
  const model = fakeModel({});
  const { on, stop } = listening(model);
  const [first, second] = [vi.fn(), vi.fn()];
  on("change:a", first);
  on("change:a", second);
  on("change:b", first);
  model.fire("change:a");
  expect([first.mock.calls.length, second.mock.calls.length]).toEqual([1, 1]);
  stop();
  expect(model.listeners()).toBe(0);
});

test("notes are text, with the line to state below them", () => {
  const model = fakeModel({ _notes: [] });
  const list = notesBelow(model, model.on);
  expect(list.hidden).toBe(true);
  model.change({ _notes: [{ text: "<b>assumed</b>", code: "recipe={}" }, { text: "plain" }] });
  expect(list.hidden).toBe(false);
  expect(list.querySelectorAll("li").length).toBe(2);
  expect(list.querySelector("b")).toBeNull();
  expect([...list.querySelectorAll("code")].map((one) => one.textContent)).toEqual(["recipe={}"]);
});

test("what is made anew at once does not flicker; what takes longer is dimmed until it is there", () => {
  vi.useFakeTimers();
  const model = fakeModel({ stale: false });
  const root = element("div");
  const stop = dimWhileStale(model, model.on, root);
  const dimmed = () => root.classList.contains("wnb-stale");
  model.change({ stale: true });
  vi.advanceTimersByTime(249);
  model.change({ stale: false });
  vi.advanceTimersByTime(1000);
  expect(dimmed()).toBe(false);
  model.change({ stale: true });
  vi.advanceTimersByTime(250);
  expect(dimmed()).toBe(true);
  model.change({ stale: false });
  expect(dimmed()).toBe(false);
  model.change({ stale: true });
  stop();
  vi.advanceTimersByTime(1000);
  expect(dimmed()).toBe(false);
  vi.useRealTimers();
});
