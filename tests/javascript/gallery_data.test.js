// What a gallery's page computes: filters, orders, expressions, and where tiles are.

import { deflateSync } from "node:zlib";
import { Columns } from "@page/gallery_columns.js";
import { gridLayout, visibleLines } from "@page/gallery_grid.js";
import { rowsThatHold } from "@page/gallery_query.js";
import { keptBins, keptRange, rangeFilter, Selection } from "@page/gallery_selection.js";
import { kernelSource, rowNumbers, unpacked, unpackedBits } from "@page/gallery_source.js";
import { orderOf, staticSource } from "@page/gallery_static.js";
import { labelColors, TileStore, thumbnailSide } from "@page/gallery_tiles.js";
import { inflated } from "@page/masks.js";
import { expect, test, vi } from "vitest";
import { arrived, deflated, fakeModel } from "./fakes.js";

const EDGES = [0, 0.25, 0.5, 0.75, 1];

test("a filter keeps the bins that lie in its range", () => {
  const kept = (filter) => [...keptBins(filter, { edges: EDGES, texts: null })].slice(0, 5);
  expect(kept({ low: 0.25, high: 0.75 })).toEqual([0, 1, 1, 0, 0]);
  expect(kept({ low: null, high: 0.25 })).toEqual([1, 0, 0, 0, 0]);
  expect(kept({ low: 0.75, high: null })).toEqual([0, 0, 0, 1, 0]);
  const texts = keptBins({ texts: ["b"] }, { edges: null, texts: ["a", "b"] });
  expect([...texts].slice(0, 3)).toEqual([0, 1, 0]);
  expect(texts[255]).toBe(0); // rows without a value
});

test("a range of bins is a filter, and comes back as the same range", () => {
  const filter = rangeFilter("sky", EDGES, 1, 2);
  expect(filter).toEqual({ column: "sky", low: 0.25, high: 0.75 });
  expect(keptRange(filter, EDGES)).toEqual([1, 2]);
  expect(rangeFilter("sky", EDGES, 0, 3)).toBeNull();
  expect(rangeFilter("sky", EDGES, 0, 1)).toEqual({ column: "sky", low: null, high: 0.5 });
  expect(keptRange(undefined, EDGES)).toEqual([0, 3]);
});

test("filters combine, and a histogram leaves out its own filter", () => {
  const selection = new Selection(4);
  const sky = { bins: null, totals: Uint32Array.of(1, 1, 1), edges: EDGES, texts: null };
  const kind = { bins: Uint8Array.of(0, 1, 0, 1), totals: null, edges: null, texts: ["a", "b"] };
  selection.columns.set("sky", sky);
  selection.columns.set("kind", kind);
  selection.order = Uint32Array.of(3, 2);
  selection.update();
  expect([...selection.rows]).toEqual([3, 2]); // the first ones, of all
  expect([selection.selected, selection.ordered]).toEqual([4, true]);
  expect(selection.counts(sky, "sky")).toBe(sky.totals); // for which no row's bin is needed
  selection.holds.set("text", Uint8Array.of(1, 1, 1, 1));
  selection.update();
  expect([selection.selected, selection.ordered]).toEqual([4, false]);
  expect(selection.counts(sky, "sky")).toBeNull();
  selection.order = Uint32Array.of(3, 2, 1, 0);
  sky.bins = Uint8Array.of(0, 1, 2, 255);
  selection.update();
  expect([...selection.rows]).toEqual([3, 2, 1, 0]);
  expect(selection.ordered).toBe(true);
  selection.filters.set("sky", { column: "sky", low: 0.25, high: null });
  selection.update();
  expect([...selection.rows]).toEqual([2, 1]);
  expect(selection.selected).toBe(2);
  expect([...selection.counts(sky, "sky")].slice(0, 4)).toEqual([1, 1, 1, 0]);
  expect([...selection.counts(kind, "kind")].slice(0, 2)).toEqual([1, 1]);
  selection.filters.set("kind", { column: "kind", texts: ["b"] });
  selection.update();
  expect([...selection.rows]).toEqual([1]);
  expect([...selection.counts(sky, "sky")].slice(0, 4)).toEqual([0, 1, 0, 0]);
  expect([...selection.counts(kind, "kind")].slice(0, 2)).toEqual([1, 1]);
});

const COLUMNS = {
  road: [0.1, 0.6, null, 0],
  "grass land": [0, 0.5, 0.2, null],
  name: ["a", "it's", "c", "b"],
  "it's `x`": [0, 1, 2, 3],
  "two\nlines": [0, 1, 2, 3],
};

test.each([
  ["road > 0.05 and `grass land` > 0", [0, 1, 0, 0]],
  ["0 < road <= 0.1", [1, 0, 0, 0]],
  ["not road > 0.05", [0, 0, 1, 1]],
  ["road > 0.05 | name == 'c'", [1, 1, 1, 0]],
  ["name in ['a', \"b\"]", [1, 0, 0, 1]],
  ["name not in ('a',)", [0, 1, 1, 1]],
  ["name == 'it\\'s'", [0, 1, 0, 0]],
  ["road.isna() or `grass land`.isna()", [0, 0, 1, 1]],
  ["road * 2 + 1 > 2", [0, 1, 0, 0]],
  ["(road > 0.5) == False", [1, 0, 1, 1]],
  ["-road < -0.5", [0, 1, 0, 0]],
  ["road != 0.1", [0, 1, 1, 1]],
  ["`it's ``x``` > 1 and\n`two\nlines` < 3", [0, 0, 1, 0]],
])("the expression %s", (text, rows) => {
  expect([...rowsThatHold(text, COLUMNS, 4)]).toEqual(rows);
});

test.each(["road >", "rode > 1", "road", "road > 1)", "road; road", "constructor > 1", "road.x()"])(
  "an expression that is wrong says so: %s",
  (text) => {
    expect(() => rowsThatHold(text, COLUMNS, 4)).toThrow(Error);
  },
);

test.each([
  ["raod < 1", 'There is no column "raod" in this page; did you mean road?'],
  ["`gras land` < 1", 'There is no column "gras land" in this page; did you mean `grass land`?'],
  ["`it's x` < 1", "There is no column \"it's x\" in this page; did you mean `it's ``x```?"],
  ["image < 1", 'There is no column "image" in this page'],
  ["road > 0 AND name == 'a'", 'Write "and" in lower case'],
  ["NOT road > 0", 'Write "not" in lower case'],
  ["name contains 'a'", 'Expected an operator, such as ==, <, in, and, or, before "contains"'],
  ["road <", "The expression ends where a column, a number or a text in quotes was expected"],
  ["(road < 1", 'Expected ")" at the end'],
  ["road = 1", 'The expression cannot be read from here: = 1; compare with "=="'],
  ["road; road", 'The expression cannot be read from here: ; road; join comparisons with "and"'],
])("what is wrong with an expression: %s", (text, problem) => {
  expect(() => rowsThatHold(text, COLUMNS, 4)).toThrow(new Error(problem));
});

test("values that are missing come last in both orders", () => {
  expect(orderOf([2, null, 1, 2], false)).toEqual([2, 0, 3, 1]);
  expect(orderOf([2, null, 1, 2], true)).toEqual([0, 3, 2, 1]);
  expect(orderOf(["b", "a"], false)).toEqual([1, 0]);
});

test("row numbers and bits come back from their bytes", () => {
  const planes = Uint8Array.of(1, 2, 0, 1, 0, 0, 0, 0);
  expect([...rowNumbers(planes)]).toEqual([1, 258]);
  expect([...unpackedBits(Uint8Array.of(0b101), 4)]).toEqual([1, 0, 1, 0]);
  const bytes = arrived(Uint8Array.of(1));
  expect(unpacked({ a: [{ buffer: 0 }, null], b: "x" }, [bytes])).toEqual({
    a: [bytes, null],
    b: "x",
  });
});

test("each view hears its own answers, and what failed", async () => {
  const model = fakeModel({});
  const [one, other] = [kernelSource(model), kernelSource(model)];
  const first = one.ask("values", { name: "sky", rows: [1] });
  const second = other.ask("values", { name: "sky", rows: [2] });
  const [a, b] = model.sent.map(({ content }) => content);
  expect(a).toMatchObject({ ask: "values", name: "sky", rows: [1] });
  model.fire("msg:custom", { id: b.id, answer: { failed: "no such column" } }, []);
  model.fire("msg:custom", { id: a.id, answer: { values: ["1"] } }, []);
  expect(await first).toEqual({ values: ["1"] });
  await expect(second).rejects.toThrow("no such column");
  one.stop();
  other.stop();
  expect(model.listeners()).toBe(0);
});

test("tiles fill the width, and 100,000 rows scroll to their end", () => {
  const layout = gridLayout(1000, 150, 100_000);
  expect(layout.columns).toBe(6);
  expect(layout.columns * layout.tile + 5 * 8).toBeLessThanOrEqual(1000);
  expect(visibleLines(layout, 0, 600)).toMatchObject({ first: 0, offset: 0 });
  expect(visibleLines(layout, layout.height - 600, 600).last).toBe(layout.lines - 1);
  const tall = gridLayout(400, 400, 100_000); // taller than browsers scroll through
  expect(tall.columns).toBe(1);
  expect(tall.height).toBe(8_000_000);
  const end = visibleLines(tall, tall.height - 600, 600);
  expect(end.last).toBe(99_999);
  expect(end.offset + (end.last - end.first + 1) * tall.line).toBeCloseTo(tall.height);
});

test("thumbnails have as many pixels as are drawn, in steps", () => {
  vi.stubGlobal("window", { devicePixelRatio: 1.5 });
  expect(thumbnailSide(64, 46)).toBe(96);
  expect(thumbnailSide(65, 46)).toBe(112);
  expect(thumbnailSide(46, 65)).toBe(112); // images may be taller than wide
  vi.unstubAllGlobals();
});

test("an order goes as far as it is needed, and a filter needs the bins of rows", async () => {
  const planes = (rows) =>
    deflated([...rows, ...rows.map(() => 0), ...rows.map(() => 0), ...rows.map(() => 0)]);
  const selection = new Selection(5000);
  const asked = [];
  const answers = {
    facet: { edges: EDGES, counts: [3, 1, 1, 0] },
    bins: { bins: deflated([0, 1, 2]) },
    order: { order: planes([2, 1, 0]) },
  };
  const source = {
    ask: async (ask, more) => {
      asked.push([ask, more]);
      return answers[ask];
    },
  };
  const heard = [];
  const columns = new Columns(source, selection, {
    sorting: () => ({ name: "sky", descending: false }),
    inView: () => ["sky"],
    changed: (name) => heard.push(name),
    ordered: (grown) => heard.push(grown),
    failed: (error) => heard.push(error),
  });
  columns.seen("sky");
  await columns.takeOrder();
  expect(asked).toEqual([
    ["facet", { name: "sky" }],
    ["order", { name: "sky", descending: false, most: 2000 }],
  ]);
  expect(selection.columns.get("sky").bins).toBeNull();
  expect([...selection.columns.get("sky").totals].slice(0, 4)).toEqual([3, 1, 1, 0]);
  expect(heard).toEqual(["sky", false]);
  columns.prepare();
  columns.prepare(); // what is there or on its way is not asked for again
  await columns.ordering;
  await vi.waitFor(() => expect(selection.columns.get("sky").bins).not.toBeNull());
  expect(asked.slice(2)).toEqual([
    ["bins", { name: "sky" }],
    ["order", { name: "sky", descending: false, most: 5000 }],
  ]);
  expect(heard.slice(2).sort()).toEqual(["sky", true]);
  expect([...selection.order]).toEqual([2, 1, 0]);
});

test("classes that are hidden are transparent", () => {
  const classes = [
    { name: "a", color: "#000000" },
    { name: "b", color: "#ff0000" },
  ];
  const colors = labelColors(classes, ["a"]);
  expect(colors[0]).toBe(0);
  expect(colors[1]).toBe(0xff0000ff);
  expect(colors[200]).toBe(0);
});

test("a store of tiles asks for what is on screen, once, and lets the oldest go", async () => {
  vi.stubGlobal("URL", { createObjectURL: () => "blob:x", revokeObjectURL: vi.fn() });
  const [asked, sides] = [[], []];
  const source = {
    ask: async (_, { rows, side }) => {
      asked.push(rows);
      sides.push(side);
      const tile = {
        name: "n",
        size: [4, 3],
        thumbnail: arrived([1]),
        labels: deflated([0, 1]),
        width: 2,
        height: 1,
      };
      return { tiles: rows.slice(0, 25).map((row) => ({ ...tile, row })) };
    },
    stop() {},
  };
  const store = new TileStore(source, () => {});
  store.want(Array.from({ length: 60 }, (_, row) => row));
  await vi.waitFor(() => expect(store.kept.size).toBe(60));
  expect(asked.map((rows) => rows.length)).toEqual([40, 35, 10]);
  expect([...store.get(3).mask.labels]).toEqual([0, 1]);
  store.want([1, 2, 3]);
  expect(asked.length).toBe(3);
  store.want([1, 2, 3], 96); // they are drawn larger than before
  await vi.waitFor(() => expect(store.asking).toBe(false));
  expect([asked.at(-1), sides.at(-1)]).toEqual([[1, 2, 3], 96]);
  store.want([1, 2, 3], 80);
  expect([asked.length, store.kept.size]).toEqual([4, 60]);
  for (let start = 60; start < 700; start += 40) {
    store.want(Array.from({ length: 40 }, (_, at) => start + at));
    await vi.waitFor(() => expect(store.asking).toBe(false));
  }
  expect(store.kept.size).toBe(600);
  expect(store.get(3)).toBeUndefined();
  store.stop();
  expect(store.kept.size).toBe(0);
  vi.unstubAllGlobals();
});

test("an image that is there is not asked for again with another layer", async () => {
  const blobs = [];
  vi.stubGlobal("URL", { createObjectURL: (blob) => blobs.push(blob), revokeObjectURL: () => {} });
  const asked = [];
  const source = {
    async ask(_, { rows, layer, bare }) {
      asked.push({ layer, bare });
      const tile = { name: "n", size: [4, 3], labels: deflated([0, 1]), width: 2, height: 1 };
      const sent = rows.map((row) => ({ ...tile, row }));
      return {
        tiles: sent.map((one) =>
          bare.includes(one.row) ? one : { ...one, thumbnail: arrived([one.row]) },
        ),
      };
    },
    stop() {},
  };
  const store = new TileStore(source, () => {});
  const look = async (layer, rows, side) => {
    store.layer = layer;
    store.want(rows, side);
    await vi.waitFor(() => expect(store.asking).toBe(false));
  };
  await look("prediction", [1, 2], 96);
  await look("truth", [1, 2, 3], 96);
  expect(asked.at(-1)).toEqual({ layer: "truth", bare: [1, 2] });
  expect(await Promise.all(blobs.map((blob) => blob.arrayBuffer()))).toEqual(
    [1, 2, 1, 2, 3].map((row) => Uint8Array.of(row).buffer),
  );
  await look("wrong", [1, 2], 160); // drawn larger than it is there
  expect(asked.at(-1).bare).toEqual([]);
  await look("prediction", [1], 160); // the larger one serves
  expect(asked.at(-1).bare).toEqual([1]);
  await look(
    "prediction",
    Array.from({ length: 700 }, (_, row) => row + 10),
    160,
  );
  expect(store.images.size).toBe(600);
  store.stop();
  expect(store.images.size).toBe(0);
  vi.unstubAllGlobals();
});

test("a page without a kernel answers from what is in it", async () => {
  const tile = (row) => ({
    row,
    name: `n${row}`,
    size: [2, 1],
    thumbnail: arrived([1]),
    labels: arrived(deflateSync(Uint8Array.of(0, 1))),
    width: 2,
    height: 1,
    covers: [0, 0, 1, 1],
  });
  const classes = [
    { name: "a", label: "a", color: "#000000" },
    { name: "b", label: "b", color: "#ff0000" },
  ];
  const content = {
    traits: { hidden: [], _about: { rows: 2, classes, matrix: null } },
    facets: { sky: { edges: [0, 1], counts: [2], bins: deflated([0, 0]) } },
    columns: { sky: { values: [0.5, 0.1], shown: ["0.5", "0.1"] } },
    layers: {
      prediction: [tile(0), tile(1)],
      truth: [tile(0), { row: 1, name: "n1", size: [2, 1] }],
    },
    bars: [],
    cells: { "0:1": [1] },
    change_colors: ["#00ff00"],
  };
  const source = staticSource(content);
  const { order } = await source.ask("order", { name: "sky", descending: false });
  expect([...rowNumbers(await inflated(order))]).toEqual([1, 0]);
  const { bits } = await source.ask("holds", { text: "sky > 0.2" });
  expect([...unpackedBits(await inflated(bits), 2)]).toEqual([1, 0]);
  const cell = await source.ask("holds", { cell: [0, 1] });
  expect([...unpackedBits(await inflated(cell.bits), 2)]).toEqual([0, 1]);
  expect((await source.ask("values", { name: "sky", rows: [1] })).values).toEqual(["0.1"]);
  expect(
    (await source.ask("tiles", { rows: [1], layer: "truth" })).tiles[0].thumbnail,
  ).toBeDefined();
  const { viewer } = await source.ask("open", { row: 0, against: "truth" });
  expect(viewer._masks.map((mask) => mask.classes.map((one) => one.pixels))).toEqual([
    [1, 1],
    [1, 1],
  ]);
  content.bars[1] = { facts: "true class: cat", bars: { _results: [{ title: "toy" }] } };
  const opened = await source.ask("open", { row: 1, against: "" });
  expect([opened.name, opened.facts, opened.viewer]).toEqual(["n1", "true class: cat", undefined]);
  expect(opened.bars._results).toEqual([{ title: "toy" }]);
  expect(opened.bars._sent_image.bytes).toBe(content.layers.prediction[1].thumbnail);
  await expect(source.ask("code", {})).rejects.toThrow("no code");
});
