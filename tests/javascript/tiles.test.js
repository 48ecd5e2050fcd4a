// @vitest-environment happy-dom
import { followOptions, matching } from "@page/listed.js";
import picker from "@page/picker.js";
import { Thumbnails } from "@page/thumbnails.js";
import { Tiles } from "@page/tiles.js";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { arrived, deflated, fakeModel, fakeUrls, option } from "./fakes.js";

const WIDTH = 520; // five tiles of 104 pixels
let revoked;

beforeEach(() => {
  document.body.replaceChildren();
  revoked = fakeUrls();
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(WIDTH);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(172); // two rows
  vi.useFakeTimers();
});

afterEach(() => vi.useRealTimers());

const numbered = (count) => Array.from({ length: count }, (_, index) => option(`i${index}`));

function tilesOf(options, { strip = false, value = "i0" } = {}) {
  const model = fakeModel({ _options: options });
  const thumbnails = new Thumbnails(model);
  const pick = vi.fn();
  const tiles = new Tiles({ label: "Images", strip, thumbnails, pick });
  document.body.append(tiles.root);
  tiles.update(options);
  tiles.mark(value);
  return { tiles, thumbnails, pick, model };
}
const shown = ({ root }) => [...root.querySelectorAll("input")].map((one) => one.value);
const asked = (model) => model.sent.map(({ content }) => content.keys);

test("of ten thousand images only those in view are on the page", () => {
  const { tiles } = tilesOf(numbered(10_000));
  expect(tiles.inner.style.height).toBe(`${(10_000 / 5) * 86}px`);
  expect(shown(tiles)).toEqual(numbered(20).map(({ key }) => key)); // two rows, and two beyond
  tiles.root.scrollTop = 86 * 1000;
  tiles.root.dispatchEvent(new Event("scroll"));
  const present = shown(tiles);
  expect(present).toContain("i5000");
  expect(present).toContain("i0"); // the picked one, so that the Tab key finds it
  expect(present).toHaveLength(5 * 6 + 1);
  const first = tiles.root.querySelector('input[value="i5000"]');
  expect(first.getAttribute("aria-posinset")).toBe("5001");
  expect(first.getAttribute("aria-setsize")).toBe("10000");
  expect(first.parentElement.style.transform).toBe("translate(0px, 86000px)");
});

test("a strip has one row, and scrolls to what is picked", () => {
  const { tiles } = tilesOf(numbered(1000), { strip: true });
  expect(tiles.inner.style.width).toBe("104000px");
  expect(shown(tiles)).toHaveLength(7);
  tiles.mark("i500");
  expect(tiles.root.scrollLeft).toBe(501 * 104 - WIDTH);
  tiles.root.dispatchEvent(new Event("scroll"));
  expect(tiles.root.querySelector(".wnb-picked input").value).toBe("i500");
});

test("arrows pick along the rows, and pass over what cannot be picked", () => {
  const options = numbered(30);
  options[1] = option("i1", { enabled: false, reason: "not an image" });
  const { tiles, pick } = tilesOf(options);
  const press = (key, about) =>
    tiles.root.dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true, ...about }));
  const picks = () => pick.mock.calls.map(([key]) => key);
  press("ArrowRight");
  press("ArrowDown");
  press("End");
  press("ArrowRight"); // there is none
  press("Home");
  expect(picks()).toEqual(["i2", "i7", "i29", "i0"]);
  expect(press("ArrowRight", { ctrlKey: true })).toBe(true);
  expect(press("a")).toBe(true);
  expect(pick).toHaveBeenCalledTimes(4);
  expect(document.activeElement.value).toBe("i0");
});

test("a click picks; what cannot be picked says why", () => {
  const bad = option("i1", { enabled: false, reason: "a link that leads out" });
  const { tiles, pick } = tilesOf([option("i0"), bad, option("i2")]);
  const [, second, third] = tiles.root.querySelectorAll("input");
  expect(second.disabled).toBe(true);
  expect(second.getAttribute("aria-description")).toBe("a link that leads out");
  expect(tiles.root.querySelectorAll(".wnb-reason")[1].textContent).toBe("a link that leads out");
  third.click();
  expect(pick.mock.calls).toEqual([["i2"]]);
});

test("thumbnails are asked for at rest, once, and given back at the end", () => {
  const { tiles, thumbnails, model } = tilesOf(numbered(3));
  expect(asked(model)).toEqual([]);
  vi.advanceTimersByTime(50);
  expect(asked(model)).toEqual([["i0", "i1", "i2"]]);
  const described = [
    { key: "i0", detail: "3x2" },
    { key: "i1", reason: "cut", enabled: false },
  ];
  model.fire("msg:custom", { type: "thumbnails", options: described }, [arrived([1]), arrived([])]);
  const [image] = tiles.root.querySelectorAll("img");
  expect([image.getAttribute("src"), image.parentElement.title]).toEqual(["blob:0", "i0 · 3x2"]);
  expect(tiles.root.querySelectorAll("input")[1].disabled).toBe(true);
  vi.advanceTimersByTime(500);
  expect(asked(model)).toHaveLength(1);
  // One that was not made is asked for again when it is in view.
  const dropped = [{ key: "i2", dropped: true }];
  model.fire("msg:custom", { type: "thumbnails", options: dropped }, [arrived([])]);
  vi.advanceTimersByTime(50);
  expect(asked(model)[1]).toEqual(["i2"]);
  // The options changed: files may be others.
  model.change({ _options: numbered(3) });
  tiles.update(numbered(3));
  vi.advanceTimersByTime(50);
  expect(asked(model)[2]).toEqual(["i0", "i1", "i2"]);
  tiles.dispose();
  thumbnails.dispose();
  expect(revoked).toEqual(["blob:0"]);
  expect(model.listeners()).toBe(0);
});

test("other messages are no thumbnails, and two watchers ask together", () => {
  const { thumbnails, model } = tilesOf(numbered(2));
  model.fire("msg:custom", { type: "upload", id: "a" }, []);
  thumbnails.want({}, ["i1", "x"]);
  vi.advanceTimersByTime(50);
  expect(asked(model)).toEqual([["i0", "i1", "x"]]);
});

test("so many are kept, those in view among them", () => {
  const { thumbnails, model } = tilesOf(numbered(10));
  const options = Array.from({ length: 1600 }, (_, index) => ({ key: `i${index}` }));
  const message = { type: "thumbnails", options };
  model.fire(
    "msg:custom",
    message,
    options.map(() => arrived([1])),
  );
  expect(thumbnails.known.size).toBe(1510); // the ten oldest are in view
  expect(thumbnails.get("i9").url).toBe("blob:9");
  expect(thumbnails.get("i10")).toBeUndefined();
  expect(revoked).toHaveLength(90);
});

test("a long list arrives compressed", async () => {
  vi.useRealTimers();
  const options = numbered(300);
  const bytes = new TextEncoder().encode(JSON.stringify(options));
  const model = fakeModel({ _options: { count: 300, deflated: deflated(bytes) } });
  const show = vi.fn();
  followOptions(model, model.on, show);
  await vi.waitFor(() => expect(show).toHaveBeenCalledWith(options));
  model.change({ _options: [option("a")] });
  expect(show).toHaveBeenLastCalledWith([option("a")]);
});

test("a search finds all words, wherever they stand", () => {
  const options = [option("road.png", { detail: "640x480" }), option("a road"), option("sky")];
  const titles = (text) => matching(options, text).map(({ title }) => title);
  expect(titles(" ROAD ")).toEqual(["road.png", "a road"]);
  expect(titles("480 road")).toEqual(["road.png"]);
  expect(titles("")).toHaveLength(3);
  expect(titles("lake")).toEqual([]);
});

test("a picker of images shows those that are searched for, and says where there is none", () => {
  const about = { _kind: "images", label: "Image", value: "i3", _message: "", _folder: "" };
  const model = fakeModel({ ...about, _options: numbered(20), _most_bytes: 9, _chunk_bytes: 9 });
  const el = document.createElement("div");
  document.body.append(el);
  const close = picker.render({ model, el });
  const search = el.querySelector("input[type=search]");
  expect(search.hidden).toBe(false);
  search.value = "i1";
  search.dispatchEvent(new Event("input"));
  expect(shown(el.querySelector(".wnb-tiles") && { root: el.querySelector(".wnb-tiles") })).toEqual(
    ["i1", ...Array.from({ length: 10 }, (_, index) => `i1${index}`)],
  );
  search.value = "lake";
  search.dispatchEvent(new Event("input"));
  expect(el.querySelector(".wnb-none").textContent).toBe("None of 20 images has “lake”.");
  close();
  expect(model.listeners()).toBe(0);
});
