// @vitest-environment happy-dom

import { MatrixPanel } from "@page/gallery_matrix.js";
import { staticSource } from "@page/gallery_static.js";
import { GalleryView } from "@page/gallery_view.js";
import { localModel } from "@page/local_model.js";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { arrived, deflated } from "./fakes.js";

const HOSTILE = "<img src=x onerror=alert(1)>";
const facet = (name, group, more = {}) => ({
  name,
  label: name,
  group,
  kind: "number",
  color: "",
  draws: "",
  high: false,
  ...more,
});
const class_ = (name, color) => ({ name, label: name, color });
let views;

/** What a canvas's context does, without a canvas. */
function fakeDrawing(name) {
  if (name !== "createImageData") return () => {};
  return (width, height) => ({ data: new Uint8ClampedArray(4 * width * height) });
}

beforeEach(() => {
  views = [];
  vi.stubGlobal("requestAnimationFrame", (draw) => {
    queueMicrotask(draw);
    return 1;
  });
  vi.stubGlobal(
    "IntersectionObserver",
    class {
      constructor(seen) {
        this.seen = seen;
      }
      observe(target) {
        this.seen([{ target, isIntersecting: true }]);
      }
      disconnect() {}
    },
  );
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockImplementation(function context() {
    return new Proxy({ canvas: this }, { get: (own, name) => own[name] ?? fakeDrawing(name) });
  });
  vi.stubGlobal("createImageBitmap", async () => ({ width: 4, height: 3, close() {} }));
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(600);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(400);
  HTMLDialogElement.prototype.showModal ??= function showModal() {
    this.open = true;
  };
});

afterEach(() => {
  for (const view of views) view.stop();
  vi.unstubAllGlobals();
});

function shown() {
  const rows = 4;
  const about = {
    title: "toy",
    rows,
    failed: 1,
    aspect: 0.7,
    details: 0,
    facets: [
      facet("mean IoU", "truth"),
      facet("status", "image", { kind: "text" }),
      facet("road", "classes", { color: "#ff0000", draws: "road" }),
      facet(HOSTILE, "classes", { color: "#00ff00", draws: HOSTILE }),
    ],
    classes: [
      class_("background", "#000000"),
      class_("road", "#ff0000"),
      class_(HOSTILE, "#00ff00"),
    ],
    layers: ["prediction", "truth", "wrong"],
    matrix: {
      classes: [class_("background", "#000000"), class_("road", "#ff0000")],
      cells: [
        [0, 0, 100],
        [1, 0, 7],
      ],
      unit: "pixel",
    },
    asks: true,
    code: false,
    notes: [],
  };
  const tile = (row) => ({
    row,
    name: row ? `n${row}` : HOSTILE,
    size: [4, 3],
    thumbnail: arrived([1]),
    labels: deflated([0, 1]),
    width: 2,
    height: 1,
    covers: [0, 0, 1, 1],
  });
  const tiles = [0, 1, 2, 3].map(tile);
  const numbers = (values) => ({ values, shown: values.map(String) });
  const content = {
    facets: {
      "mean IoU": { edges: [0, 0.5, 1], counts: [1, 2], bins: deflated([0, 1, 1, 255]) },
      status: {
        ...{ texts: ["done", "error"], labels: ["done", "error"], counts: [3, 1] },
        bins: deflated([0, 0, 0, 1]),
      },
      road: { edges: [0, 0.5, 1], counts: [2, 1], bins: deflated([0, 0, 1, 255]) },
      [HOSTILE]: { edges: [0, 0.5, 1], counts: [3, 0], bins: deflated([0, 0, 0, 255]) },
    },
    columns: {
      "mean IoU": numbers([0.4, 0.9, 0.8, null]),
      road: numbers([0.1, 0.2, 0.7, null]),
      name: numbers(["a", "b", "c", "d"]),
    },
    layers: { prediction: tiles, truth: tiles, wrong: tiles },
    bars: [],
    cells: { "1:0": [1, 2] },
    change_colors: [],
    traits: {
      ...{ text: "", sort_by: "mean IoU", descending: false, tile_size: 100, opacity: 0.5 },
      ...{ hidden: ["background"], layer: "prediction", _filters: [], _cell: [], _still_id: "" },
      _about: about,
    },
  };
  const el = document.createElement("div");
  document.body.replaceChildren(el);
  const model = localModel(content.traits);
  const view = new GalleryView(model, staticSource(content), el);
  views.push(view);
  const selected = (count) => vi.waitFor(() => expect(view.root.dataset.selected).toBe(count));
  const rowsOnScreen = () =>
    view.grid.views.filter((one) => !one.root.hidden).map((one) => one.row);
  return { el, model, view, selected, rowsOnScreen };
}

const find = (el, label) => {
  const found = el.querySelector(`[aria-label="${label}"]`);
  if (!found) throw new Error(`nothing is called ${label}`);
  return found;
};
const press = (target, key) =>
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));

test("the worst comes first, with its value, and names are text", async () => {
  const { el, view, rowsOnScreen } = shown();
  await vi.waitFor(() => expect(rowsOnScreen()).toEqual([0, 2, 1, 3]));
  await vi.waitFor(() => expect(view.grid.root.dataset.drawn).toBe("4/4"));
  const [first] = el.querySelectorAll('[role="option"]');
  await vi.waitFor(() => expect(first.textContent).toBe(`${HOSTILE}0.4`));
  expect(first.getAttribute("aria-posinset")).toBe("1");
  expect(el.querySelectorAll("img[onerror]").length).toBe(0);
  expect(el.querySelector("output").value).toBe("4 images");
});

test("a filter by keys, and its chip takes it away", async () => {
  const { el, model, selected } = shown();
  await selected("4");
  const handle = await vi.waitFor(() => find(el, "mean IoU, lowest"));
  expect(handle.getAttribute("aria-valuetext")).toBe("0");
  press(handle, "ArrowRight");
  await selected("2");
  expect(model.get("_filters")).toEqual([{ column: "mean IoU", low: 0.5, high: null }]);
  expect(handle.getAttribute("aria-valuetext")).toBe("0.5");
  find(el, "Remove the filter mean IoU ≥ 0.5").click();
  await selected("4");
  press(find(el, "mean IoU, highest"), "ArrowLeft");
  await selected("1");
  press(find(el, "mean IoU, highest"), "Escape");
  await selected("4");
});

test("code that is copied right after typing is of what was typed", async () => {
  const { el, model, view } = shown();
  let answer = () => {};
  const asked = [];
  view.source.ask = (question, about) => {
    asked.push([question, about]);
    if (question === "code") return Promise.resolve({ code: "the code" });
    return new Promise((done) => {
      answer = () => done({ bits: deflated([1]) });
    });
  };
  const query = el.querySelector("input[type=search]");
  query.value = "road > 0.1";
  query.dispatchEvent(new Event("change")); // as the click on the button does
  const code = view.barActs().code();
  await Promise.resolve();
  expect(asked.map(([question]) => question)).toEqual(["holds"]);
  answer();
  expect(await code).toBe("the code");
  expect(model.get("text")).toBe("road > 0.1");
  const [, about] = asked.at(-1);
  expect(about.traits).toEqual({
    ...{ text: "road > 0.1", sort_by: "mean IoU", descending: false },
    ...{ _filters: [], _cell: [] },
  });
});

test("texts are chosen one by one", async () => {
  const { el, model, selected } = shown();
  const bar = await vi.waitFor(() => {
    const found = [...el.querySelectorAll(".wnb-facet-bar")].find((one) => one.title === "error");
    if (!found) throw new Error("not yet");
    return found;
  });
  bar.click();
  await selected("1");
  expect(bar.getAttribute("aria-pressed")).toBe("true");
  bar.click();
  await selected("4");
  expect(model.get("_filters")).toEqual([]);
});

test("images that failed are counted beside the others, and chosen by a click", async () => {
  const { el, model, selected } = shown();
  await selected("4");
  const failed = el.querySelector(".wnb-gallery-failed");
  expect(failed.textContent).toBe("1 failed, sorted last");
  model.set("sort_by", "name"); // images that failed have one, too
  expect(failed.textContent).toBe("1 failed");
  failed.click();
  await selected("1");
  expect(model.get("_filters")).toEqual([{ column: "status", texts: ["error"] }]);
  expect(el.querySelector(".wnb-gallery-count").value).toBe("1 of 4 images");
});

test("confusions have their pixels, which order them, and their part of the true class", () => {
  const { el } = shown();
  const texts = (one) => [...el.querySelectorAll(one)].map((found) => found.textContent);
  expect(texts(".wnb-matrix-count")).toEqual(["pixels ▼", "7"]);
  expect(texts(".wnb-matrix-share")).toEqual(["of true class", "100.00 %"]);
});

test("an expression, and what is wrong with one", async () => {
  const { el, model, selected } = shown();
  const query = find(el, "Filter by an expression");
  query.value = "road > 0.15 and `mean IoU` > 0";
  query.dispatchEvent(new Event("change"));
  await selected("2");
  expect(model.get("text")).toBe("road > 0.15 and `mean IoU` > 0");
  query.value = "rode > 1";
  query.dispatchEvent(new Event("change"));
  const problem = el.querySelector('[role="alert"]');
  await vi.waitFor(() => expect(problem.textContent).toContain('no column "rode"'));
  expect(query.getAttribute("aria-invalid")).toBe("true");
  await selected("2");
});

test("a column sorts, and again the other way round", async () => {
  const { el, model, rowsOnScreen } = shown();
  const sort = el.querySelector('[data-column="road"] .wnb-facet-sort');
  sort.click();
  expect([model.get("sort_by"), model.get("descending")]).toEqual(["road", true]);
  await vi.waitFor(() => expect(rowsOnScreen()).toEqual([2, 1, 0, 3]));
  sort.click();
  await vi.waitFor(() => expect(rowsOnScreen()).toEqual([0, 1, 2, 3]));
});

test("a column that is chosen from the list begins with what deserves a look", () => {
  const { el, model } = shown();
  const list = find(el, "Sort by");
  for (const [name, descending] of [
    ["road", true], // the largest parts of a class
    ["mean IoU", false],
    [HOSTILE, true],
    ["name", false],
  ]) {
    list.value = name;
    list.dispatchEvent(new Event("change"));
    expect([model.get("sort_by"), model.get("descending")]).toEqual([name, descending]);
  }
});

test("a class stands in a line below its image, and the true one where it is another", async () => {
  const { el, view } = shown();
  await vi.waitFor(() => expect(view.grid.root.dataset.drawn).toBe("4/4"));
  const before = view.grid.layout.line;
  Object.assign(view.tiles.get(0), { detail: "75 % drake", wrong: "teal" });
  view.tiles.get(2).detail = "60 % drake";
  view.grid.details = 2;
  for (const one of view.grid.views) one.key = ""; // as if they had come so
  view.grid.drawNow();
  const words = (name) => [...el.querySelectorAll(name)].slice(0, 3).map((one) => one.textContent);
  expect(words(".wnb-gallery-tile-value")).toEqual(["0.4", "0.8", "0.9"]);
  const [first] = el.querySelectorAll('[role="option"]');
  const details = [...first.querySelectorAll(".wnb-gallery-tile-detail")];
  expect(details.map((one) => one.textContent)).toEqual(["75 % drake", "true: teal"]);
  expect(words(".wnb-gallery-tile-wrong")).toEqual(["true: teal", "", ""]);
  expect(view.grid.layout.line - before).toBe(32);
  expect(first.title).toBe(`${HOSTILE}\n75 % drake\ntrue class: teal`);
  view.model.set("sort_by", "probability"); // which the class has beside it
  view.grid.drawNow();
  expect(words(".wnb-gallery-tile-value")).toEqual(["", "", ""]);
});

test("classes without colors have no swatches in the confusions", () => {
  const classes = ["cat", "dog"].map((name) => class_(name, ""));
  const { root } = new MatrixPanel({ classes, cells: [[0, 1, 2]], unit: "image" }, () => {});
  expect(root.querySelectorAll(".wnb-gallery-swatch").length).toBe(0);
  expect(root.querySelector(".wnb-matrix-item").textContent).toContain("cat");
});

test("one class alone, and all again", async () => {
  const { el, model } = shown();
  find(el, "Draw only road").click();
  expect(model.get("hidden")).toEqual(["background", HOSTILE]);
  expect(find(el, "Draw road").getAttribute("aria-pressed")).toBe("true");
  expect(find(el, `Draw ${HOSTILE}`).getAttribute("aria-pressed")).toBe("false");
  find(el, `Draw only ${HOSTILE}`).click();
  expect(model.get("hidden")).toEqual(["background", "road"]);
  find(el, `Draw only ${HOSTILE}`).click();
  expect(model.get("hidden")).toEqual(["background"]); // as before
  find(el, "Draw road").click();
  expect(model.get("hidden")).toEqual(["background", "road"]);
});

test("a cell of the confusion matrix shows its images and its pixels", async () => {
  const { el, model, selected } = shown();
  const label = "road as background: 7 pixels, 100.00 % of road";
  find(el, label).click();
  await selected("2");
  expect(model.get("layer")).toBe("cell:1:0");
  expect(find(el, label).getAttribute("aria-pressed")).toBe("true");
  find(el, label).click();
  await selected("4");
  expect([model.get("layer"), model.get("_cell")]).toEqual(["prediction", []]);
});

test("keys move through the grid, open an image, and go on from there", async () => {
  const { el, view, rowsOnScreen } = shown();
  await vi.waitFor(() => expect(rowsOnScreen()).toEqual([0, 2, 1, 3]));
  const grid = find(el, "Images");
  press(grid, "ArrowRight");
  press(grid, "End");
  press(grid, "ArrowLeft");
  expect(view.grid.active).toBe(2);
  press(grid, "Enter");
  const { dialog } = view;
  await vi.waitFor(() => expect(dialog.root.dataset.shown).toBe("1"));
  expect(dialog.where.textContent).toBe("3 of 4");
  press(dialog.root, "ArrowRight");
  await vi.waitFor(() => expect(dialog.root.dataset.shown).toBe("3"));
  expect(dialog.next.disabled).toBe(true);
  expect(view.grid.active).toBe(3);
});
