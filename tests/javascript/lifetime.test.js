// @vitest-environment happy-dom
import { widgetPage } from "@page/lifetime.js";
import { expect, test } from "vitest";
import { fakeModel } from "./fakes.js";

const el = () => document.createElement("div");

test("a view that ends leaves an empty element", () => {
  const ended = [];
  const show = ({ el }) => {
    el.append("shown", document.createElement("canvas"));
    return () => ended.push(el.childNodes.length);
  };
  const place = el();
  const end = widgetPage(show).render({ model: fakeModel({}), el: place });
  expect(place.childNodes.length).toBe(2);
  end();
  expect([ended, place.childNodes.length]).toEqual([[2], 0]);
});

test("so does one that is shown later", async () => {
  const show = async ({ el }) => {
    await null;
    el.append("shown");
    return () => {};
  };
  const place = el();
  const end = await widgetPage(show).render({ model: fakeModel({}), el: place });
  expect(place.textContent).toBe("shown");
  end();
  expect(place.textContent).toBe("");
});

test("a model that is gone keeps neither its module nor what takes room, and tells nobody", () => {
  const texts = { _esm: "code", _module: "more", _css: "style" };
  const model = fakeModel({ ...texts, _masks: [1], mode: "mask" });
  const options = [];
  const set = (name, value, given) => {
    model.values[name] = value;
    options.push(given);
  };
  const forget = widgetPage(() => () => {}, ["_masks"]).initialize({ model: { ...model, set } });
  expect(model.values._masks).toEqual([1]);
  forget();
  const gone = { _esm: null, _module: null, _css: null, _masks: null };
  expect(model.values).toEqual({ ...gone, mode: "mask" });
  expect(options.every(({ silent }) => silent)).toBe(true);
});
