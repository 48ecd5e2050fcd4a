// @vitest-environment happy-dom

import viewer from "@page/viewer.js";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { arrived, deflated, fakeModel, sentMask } from "./fakes.js";

const LABELS = [0, 1, 2, 1, 0, 0];
let contexts;
let bitmaps;
let frames;

/** A canvas's context that keeps what is drawn, and what pixels are put on it. */
function fakeContext(canvas) {
  const context = { canvas, drawn: [], alphas: [], put: [], globalAlpha: 1 };
  for (const name of "setTransform clearRect beginPath rect clip moveTo lineTo stroke".split(" ")) {
    context[name] = () => {};
  }
  context.save = () => {
    context.kept = context.globalAlpha;
  };
  context.restore = () => {
    context.globalAlpha = context.kept;
  };
  context.drawImage = (source) => {
    context.drawn.push(source);
    context.alphas.push(context.globalAlpha);
  };
  context.createImageData = (width, height) => ({
    ...{ width, height },
    data: new Uint8ClampedArray(4 * width * height),
  });
  context.putImageData = ({ data }) => context.put.push(new Uint32Array(data.buffer.slice()));
  contexts.push(context);
  return context;
}

beforeEach(() => {
  contexts = [];
  bitmaps = [];
  frames = [];
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockImplementation(function context() {
    this.fake ??= fakeContext(this);
    return this.fake;
  });
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(240);
  vi.stubGlobal("createImageBitmap", async () => {
    const bitmap = { width: 3, height: 2, close: vi.fn() };
    bitmaps.push(bitmap);
    return bitmap;
  });
  vi.stubGlobal("requestAnimationFrame", (draw) => frames.push(draw));
  vi.stubGlobal("devicePixelRatio", 1);
});

afterEach(() => vi.unstubAllGlobals());

function rendered(changed = {}) {
  const model = fakeModel({
    ...{ mode: "overlay", opacity: 0.5, outline: false, threshold: 0, hidden: ["background"] },
    ...{ _confidence: [{}], _notes: [], _change_colors: [], _still_id: "abc", stale: false },
    _sent_image: { number: 1, bytes: arrived([1]), type: "image/png", width: 3, height: 2 },
    _masks: [sentMask(LABELS, 3, { image: 1, caption: "toy" })],
    ...changed,
  });
  const el = document.createElement("div");
  document.body.append(el);
  const close = viewer.render({ model, el });
  const root = el.querySelector(".wnb-viewer");
  return { model, root, close, canvas: root.querySelector("canvas") };
}

/** Draw what was asked for; return how often. */
function draw() {
  const asked = frames.splice(0);
  for (const frame of asked) frame();
  return asked.length;
}

/** Wait until a mask is on screen. */
async function painted(root, serial = 1) {
  await vi.waitFor(() => {
    draw();
    expect(root.dataset.painted).toBe(String(serial));
  });
}
const button = (root, name) => root.querySelector(`button[aria-label="${name}"]`);
const key = (canvas, name) => canvas.dispatchEvent(new KeyboardEvent("keydown", { key: name }));
const puts = () => contexts.reduce((sum, context) => sum + context.put.length, 0);

test("image and mask are laid over one another, the mask as strong as its opacity", async () => {
  const { root, canvas } = rendered({ opacity: 0.3 });
  await painted(root);
  const { drawn, alphas } = canvas.fake;
  expect(drawn).toHaveLength(2);
  expect(alphas).toEqual([1, 0.3]);
  expect(drawn[0].fake.drawn).toEqual(bitmaps);
  const [pixels] = drawn[1].fake.put;
  expect([drawn[1].width, drawn[1].height]).toEqual([240, 160]);
  // The middle of the upper row's three pixels: background is hidden, road and car are colored.
  expect([40, 120, 200].map((x) => pixels[40 * 240 + x])).toEqual([0, 0xff1428f0, 0xfff03c14]);
  expect(canvas.getAttribute("aria-label")).toBe(
    "overlay of toy: background 50.00 %, road 33.33 %, car 16.67 %",
  );
});

test("a mask whose image came before it is drawn in the moment when it arrives", async () => {
  const { root, model, canvas } = rendered();
  await painted(root);
  model.change({ _sent_image: { number: 2, bytes: arrived([2]), width: 3, height: 2 } });
  await vi.waitFor(() => expect(bitmaps).toHaveLength(2));
  await new Promise((done) => setTimeout(done, 0)); // it is decoded
  draw();
  const drawnOf = (bitmap) =>
    contexts.flatMap((context) => context.drawn).filter((one) => one === bitmap).length;
  expect(bitmaps.map(drawnOf)).toEqual([1, 1]); // out of sight, at the size that it will have
  expect(root.dataset.painted).toBe("1");
  const next = sentMask([2, 2, 2, 1, 1, 1], 3, { serial: 2, image: 2 });
  model.change({ _masks: [next] });
  await Promise.resolve(); // the end of the message
  expect(root.dataset.painted).toBe("2");
  expect(bitmaps.map(drawnOf)).toEqual([1, 1]);
  expect(puts()).toBe(2);
  const { drawn } = canvas.fake;
  const before = drawn.length;
  expect(draw()).toBe(1); // the next frame has the same room
  expect(drawn).toHaveLength(before);
});

test("the room that other classes leave is that of the next frame", async () => {
  const { root, model, canvas } = rendered();
  await painted(root);
  draw();
  expect(canvas.width).toBe(240);
  model.change({ _masks: [sentMask(LABELS, 3, { serial: 2, image: 1 })] });
  await Promise.resolve();
  expect([root.dataset.painted, canvas.width]).toEqual(["2", 240]);
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(120);
  draw();
  expect(canvas.width).toBe(120);
});

test("moving the opacity draws no layer anew and tells the kernel when it rests", async () => {
  const { root, canvas, model } = rendered();
  await painted(root);
  const before = puts();
  const opacity = root.querySelector('input[aria-label="Opacity"]');
  opacity.value = "80";
  opacity.dispatchEvent(new Event("input"));
  expect(draw()).toBe(1);
  expect(canvas.fake.alphas.at(-1)).toBe(0.8);
  expect([puts(), model.saved, model.get("opacity")]).toEqual([before, 0, 0.5]);
  opacity.dispatchEvent(new Event("change"));
  expect([model.saved, model.get("opacity")]).toEqual([1, 0.8]);
});

test("many changes are drawn once", async () => {
  const { root, model } = rendered();
  await painted(root);
  draw();
  model.change({ opacity: 0.1, outline: true, hidden: [] });
  expect(draw()).toBe(1);
});

test("keys switch classes, and the kernel hears of it", async () => {
  const { root, canvas, model } = rendered();
  await painted(root);
  key(canvas, "2");
  expect(model.get("hidden")).toEqual(["background", "road"]);
  key(canvas, "1");
  expect(model.get("hidden")).toEqual(["road"]);
  key(canvas, "8"); // there is no such class
  expect(model.get("hidden")).toEqual(["road"]);
});

test("opacity ends at its bounds", async () => {
  const { root, canvas, model } = rendered({ opacity: 0.95 });
  await painted(root);
  key(canvas, "]");
  expect(model.get("opacity")).toBe(1);
});

test("arrows read pixels, from the middle, until the focus leaves", async () => {
  const { root, canvas } = rendered();
  await painted(root);
  const probe = root.querySelector(".wnb-probe");
  key(canvas, "ArrowRight");
  expect(probe.textContent).toBe("x 2, y 1  ·  background");
  key(canvas, "ArrowUp");
  expect(probe.textContent).toBe("x 2, y 0  ·  car");
  canvas.dispatchEvent(new FocusEvent("blur"));
  expect(probe.textContent).toBe("");
});

test("zooming in draws the layers anew, and Fit goes back", async () => {
  const { root } = rendered();
  await painted(root);
  const before = puts();
  button(root, "Zoom in").click();
  draw();
  expect(puts()).toBe(before + 1);
  const zoomed = contexts.flatMap((context) => context.put).at(-1);
  expect(zoomed[0]).toBe(0); // background, enlarged, still in the corner
  button(root, "Fit").click();
  draw();
  expect(puts()).toBe(before + 2);
});

test("confidences that come later are said of the pixels", async () => {
  const { root, canvas, model } = rendered();
  await painted(root);
  const planes = deflated([
    ...[90, 60, 70, 80, 99, 98],
    ...[1, 2, 0, 0, 1, 1],
    ...[9, 30, 20, 15, 1, 2],
  ]);
  model.change({ _confidence: [{ serial: 1, planes }] });
  const threshold = root.querySelector('input[aria-label="Confidence threshold"]');
  expect(threshold.disabled).toBe(true);
  await vi.waitFor(() => expect(threshold.disabled).toBe(false));
  key(canvas, "ArrowRight");
  expect(root.querySelector(".wnb-probe").textContent).toContain("background 98 %, then road 2 %");
});

test("a mask that waits for its image is not shown over another one", async () => {
  const { root, model } = rendered();
  await painted(root);
  const next = sentMask(LABELS, 3, { serial: 2, image: 2 });
  model.change({ _masks: [next] });
  await new Promise((done) => setTimeout(done, 20));
  draw();
  expect(root.dataset.painted).toBe("1");
  model.change({ _sent_image: { number: 2, bytes: arrived([2]), width: 3, height: 2 } });
  await painted(root, 2);
  expect(bitmaps[0].close).toHaveBeenCalledOnce();
  expect(bitmaps[1].close).not.toHaveBeenCalled();
});

test("an image that cannot be decoded is said to be so, until another comes", async () => {
  vi.stubGlobal("createImageBitmap", () => Promise.reject(new Error("no image")));
  const { root, model } = rendered();
  const problem = root.querySelector(".wnb-problem");
  await vi.waitFor(() => expect(problem.hidden).toBe(false));
  expect(problem.textContent).toBe("The image cannot be shown: no image");
  model.change({ _confidence: [] });
  await new Promise((done) => setTimeout(done, 5));
  expect(problem.hidden).toBe(false);
  model.change({
    _sent_image: { number: 2 },
    _masks: [sentMask(LABELS, 3, { serial: 2, image: 2 })],
  });
  await painted(root, 2);
  expect(problem.hidden).toBe(true);
});

test("the image that is saved with the notebook is hidden by its name alone", () => {
  const { root } = rendered({ _still_id: 'a"]' });
  const { textContent } = root.querySelector("style");
  const still = '[data-wnb-still="a\\"\\]"]';
  const inner = `.jp-OutputArea-child:has(${still}):not(:has(.jp-OutputArea-child ${still}))`;
  expect(textContent).toBe(`${still},${inner}{display:none}`);
});

test("a difference has a color for each change, over a pale image, one alone where asked", async () => {
  const pair = [sentMask(LABELS, 3, { image: 1 }), sentMask([0, 2, 2, 1, 1, 0], 3, { image: 1 })];
  const { root, canvas } = rendered({
    mode: "difference",
    _masks: pair,
    _confidence: [{}, {}],
    _change_colors: ["#ff0000", "#00ff00", "#0000ff"],
  });
  await painted(root);
  expect(canvas.fake.alphas).toEqual([0.35, 1]);
  const at = (x, y) => canvas.fake.drawn.at(-1).fake.put.at(-1)[y * 240 + x];
  expect([at(40, 40), at(200, 40), at(40, 120)]).toEqual([0, 0, 0]); // the same in both
  const seen = new Set(Array.from({ length: 60 }, (_, x) => at(90 + x, 40)));
  expect(seen.size).toBe(1);
  const [one] = seen;
  expect(one).not.toBe(0);
  const named = root.querySelector('button[aria-label^="road to car"]');
  expect(named.textContent).toContain("road → car");
  const { background } = named.querySelector(".wnb-swatch").style;
  expect(["#ff0000", "#00ff00", "#0000ff"]).toContain(background);
  root.querySelector('button[aria-label^="background to road"]').click();
  draw();
  expect(at(120, 40)).toBe(0);
  expect(at(120, 120)).not.toBe(0);
});

test("swipe cuts both sides at the divider", async () => {
  const { root, canvas } = rendered({ mode: "swipe" });
  const cuts = [];
  canvas.fake.rect = (x, _y, width) => cuts.push([x, width]);
  await painted(root);
  expect(cuts).toEqual([
    [0, 120],
    [120, 120],
  ]);
  const divider = root.querySelector(".wnb-divider");
  divider.dispatchEvent(new KeyboardEvent("keydown", { key: "End" }));
  draw();
  expect(cuts.slice(2)).toEqual([
    [0, 240],
    [240, 0],
  ]);
});

test("blink shows one side after the other", async () => {
  const { root, canvas, model } = rendered();
  await painted(root);
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  model.change({ mode: "blink" });
  const drawn = () => {
    canvas.fake.drawn.length = 0;
    draw();
    return canvas.fake.drawn.length;
  };
  expect(drawn()).toBe(1); // the image alone
  vi.advanceTimersByTime(700);
  expect(drawn()).toBe(2); // and the mask over it
  model.change({ mode: "overlay" });
  drawn();
  vi.advanceTimersByTime(5000);
  expect(frames).toHaveLength(0);
  vi.useRealTimers();
});

test("a view that is gone listens to nothing and gives its image back", async () => {
  const { root, close, model } = rendered();
  await painted(root);
  close();
  expect(model.listeners()).toBe(0);
  expect(bitmaps[0].close).toHaveBeenCalledOnce();
});

test("a view that goes before its masks are decoded shows none", async () => {
  const { close, root } = rendered();
  close();
  await new Promise((done) => setTimeout(done, 30));
  draw();
  expect(root.dataset.painted).toBeUndefined();
  expect(puts()).toBe(0);
});
