// @vitest-environment happy-dom
import explorer from "@page/explorer.js";
import { Popover } from "@page/popover.js";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { fakeModel, option } from "./fakes.js";

const picker = (kind, changed) => ({
  ...{ _kind: kind, label: kind, value: "a", _message: "", _folder: "" },
  ...{ _most_bytes: 9, _chunk_bytes: 9, _options: [option("a"), option("b")] },
  ...{
    precision: "f32",
    _precisions: ["f32", "bf16"],
    _unsupported: {},
    runtime: "openvino",
    ran: "",
  },
  ...{ _runtimes: ["openvino"] },
  ...changed,
});
const choice = (label) => ({
  label,
  value: "",
  _options: [
    ["as the recipe says", ""],
    ["BGR", "BGR"],
  ],
});

beforeEach(() => {
  document.body.replaceChildren();
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(900);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(200);
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue({});
});

afterEach(() => vi.restoreAllMocks());

/** An Explorer whose parts have models of their own. */
async function rendered() {
  const masks = { mode: "overlay", opacity: 0.5, outline: false, threshold: 0, hidden: [] };
  const models = {
    images: fakeModel(picker("images")),
    panel: fakeModel({
      ...{ _status: {}, _error: {}, _times: [], _verdict: {}, _saved: {} },
      ...{ code: "", folder: "out", compare: false, saving: true },
    }),
    viewer: fakeModel({
      ...masks,
      ...{ _confidence: [], _notes: [], _change_colors: [], _still_id: "x", stale: false },
      ...{ _sent_image: { number: 0 }, _masks: [] },
    }),
    bars: fakeModel({ _sent_image: {}, _results: [], _notes: [], stale: false }),
  };
  const runs = ["1", "2"].map((number) => {
    models[`models${number}`] = fakeModel(picker("models"));
    models[`targets${number}`] = fakeModel(picker("targets"));
    models[`resize${number}`] = fakeModel(choice("Resize"));
    models[`color${number}`] = fakeModel(choice("Channels"));
    const kinds = ["models", "targets", "resize", "color"];
    return Object.fromEntries(kinds.map((kind) => [kind, kind + number]));
  });
  const parts = { images: "images", panel: "panel", viewer: "viewer", bars: "bars", runs };
  const model = fakeModel({ _parts: parts, _visible: ["masks"] });
  model.widget_manager = { get_model: async (id) => models[id] };
  const el = document.createElement("div");
  document.body.append(el);
  const close = await explorer.render({ model, el });
  return { model, models, el, close };
}
const shown = (el, selector) => [...el.querySelectorAll(selector)].filter((one) => !one.hidden);
const values = (el) => shown(el, ".wnb-pick-value").map((one) => one.textContent);

test("all parts are drawn from their own models, and let go of at the end", async () => {
  const { models, el, close, model } = await rendered();
  expect(el.querySelectorAll(".wnb-explorer")).toHaveLength(1);
  expect(values(el)).toEqual(["a", "a", "a", "f32", "a", "a", "f32"]);
  expect(el.querySelectorAll(".wnb-strip input")).toHaveLength(2);
  close();
  const left = Object.entries(models).filter(([, one]) => one.listeners() > 0);
  expect(left.map(([name]) => name)).toEqual([]);
  expect(model.listeners()).toBe(0);
});

test("one run has one row, two have letters", async () => {
  const { models, el } = await rendered();
  expect(shown(el, ".wnb-run-row")).toHaveLength(1);
  expect(shown(el, ".wnb-run-letter")).toHaveLength(0);
  models.panel.change({ compare: true });
  expect(shown(el, ".wnb-run-row")).toHaveLength(2);
  expect(shown(el, ".wnb-run-letter").map((one) => one.textContent)).toEqual(["A", "B", "A", "B"]);
});

test("a button says what is picked, and where that cannot run", async () => {
  const { models, el } = await rendered();
  const [, , target] = el.querySelectorAll(".wnb-pick");
  const gone = option("GPU", { enabled: false, reason: "not on this machine" });
  models.targets1.change({ _options: [option("a"), gone], value: "GPU" });
  expect(target.querySelector(".wnb-pick-value").textContent).toBe("GPU");
  expect([target.title, target.classList.contains("wnb-bad")]).toEqual([
    "GPU: not on this machine",
    true,
  ]);
  models.targets1.change({ value: "a" });
  expect(target.classList.contains("wnb-bad")).toBe(false);
  models.targets1.change({ precision: "f64" });
  const precision = el.querySelectorAll(".wnb-pick")[3];
  expect(precision.title).toBe("f64: not known");
});

test("a precision that the device does not have is greyed with the reason, once it is asked", async () => {
  const { models, el } = await rendered();
  const [, , , button] = el.querySelectorAll(".wnb-pick");
  const panel = button.parentElement.querySelector(".wnb-popover");
  panel.dispatchEvent(Object.assign(new Event("beforetoggle"), { newState: "open" }));
  panel.dispatchEvent(Object.assign(new Event("beforetoggle"), { newState: "closed" }));
  expect(models.targets1.sent.map(({ content }) => content.type)).toEqual(["precisions"]);
  models.targets1.change({ _unsupported: { bf16: "no bf16 on CPU here" } });
  const rows = [...panel.querySelectorAll(".wnb-option")];
  expect(rows.map((one) => one.querySelector("input").disabled)).toEqual([false, true]);
  expect(rows[1].querySelector(".wnb-reason").textContent).toBe("no bf16 on CPU here");
  models.targets1.change({ precision: "bf16" }); // set by code
  expect(button.title).toBe("bf16: no bf16 on CPU here");
});

test("an image of the strip is told to the kernel", async () => {
  const { models, el } = await rendered();
  el.querySelectorAll(".wnb-strip input")[1].click();
  expect([models.images.get("value"), models.images.saved]).toEqual(["b", 1]);
});

test("masks and bars are there while they have something to show", async () => {
  const { model, models, el } = await rendered();
  const parts = () => [...el.querySelectorAll(".wnb-part")].map((one) => one.hidden);
  expect(parts()).toEqual([false, true]);
  models.bars.change({ _notes: [{ text: "assumed: BGR", code: "", badge: "recipe assumed" }] });
  expect(el.querySelectorAll(".wnb-badge")).toHaveLength(0); // the bars are not shown
  model.change({ _visible: ["bars"] });
  expect(parts()).toEqual([true, false]);
  const [badge] = el.querySelectorAll(".wnb-badge");
  expect([badge.textContent, badge.title]).toEqual(["recipe assumed", "assumed: BGR"]);
});

test("the line of a badge is copied, as text", async () => {
  const { models, el } = await rendered();
  const code = 'wn.ModelCard.from_model("<b>.xml")';
  models.viewer.change({ _notes: [{ text: "assumed: BGR", code, badge: "recipe assumed" }] });
  const written = vi.spyOn(navigator.clipboard, "writeText").mockResolvedValue();
  const copy = [...el.querySelectorAll("button")].find((one) => one.textContent.includes("line"));
  copy.click();
  await vi.waitFor(() => expect(copy.textContent).toBe("Copied"));
  expect(written).toHaveBeenCalledWith(code);
  expect(el.querySelector(".wnb-note b")).toBeNull();
});

test("where the kernel is gone, it is said", async () => {
  const { models, el } = await rendered();
  const gone = el.querySelector(".wnb-gone");
  expect(gone.hidden).toBe(true);
  models.panel.comm_live = false;
  models.panel.fire("comm_live_update");
  expect([gone.hidden, gone.textContent.slice(0, 34)]).toEqual([
    false,
    "The kernel of this widget is gone.",
  ]);
  models.panel.comm_live = true;
  models.panel.fire("comm_live_update");
  expect(gone.hidden).toBe(true);
});

test("the drawer opens and closes", async () => {
  const { el } = await rendered();
  const [more, drawer] = [el.querySelector(".wnb-more"), el.querySelector(".wnb-drawer")];
  expect([drawer.hidden, more.getAttribute("aria-expanded")]).toEqual([true, "false"]);
  more.click();
  expect([drawer.hidden, more.getAttribute("aria-expanded")]).toEqual([false, "true"]);
  more.click();
  expect(drawer.hidden).toBe(true);
});

test("a list of titles is told to the kernel, and follows it", async () => {
  const { models, el } = await rendered();
  const select = el.querySelectorAll(".wnb-drawer select")[1];
  select.value = "BGR";
  select.dispatchEvent(new Event("change"));
  expect([models.color1.get("value"), models.color1.saved]).toEqual(["BGR", 1]);
  models.color1.change({ value: "" });
  expect(select.value).toBe("");
});

test("a panel lies below its button, above it where there is more room, and in the window", () => {
  const made = document.createElement("button");
  const popover = new Popover("Model", made, document.createElement("div"));
  popover.root.getBoundingClientRect = () => ({ width: 300, height: 200 });
  const at = (left, top) => {
    made.getBoundingClientRect = () => ({ left, top, bottom: top + 26 });
    popover.place();
    return [popover.root.style.left, popover.root.style.top];
  };
  vi.stubGlobal("innerWidth", 1000);
  vi.stubGlobal("innerHeight", 600);
  expect(at(50, 100)).toEqual(["50px", "128px"]);
  expect(at(900, 100)[0]).toBe("692px");
  expect(at(50, 500)[1]).toBe("298px");
  const toggle = new Event("toggle");
  toggle.newState = "open";
  popover.root.dispatchEvent(toggle);
  expect(made.getAttribute("aria-expanded")).toBe("true");
  popover.dispose();
});
