// @vitest-environment happy-dom
import bars from "@page/bars.js";
import panel from "@page/panel.js";
import picker from "@page/picker.js";
import { beforeEach, expect, test, vi } from "vitest";
import { arrived, fakeModel, fakeUrls, option } from "./fakes.js";

let revoked;

beforeEach(() => {
  document.body.replaceChildren();
  revoked = fakeUrls();
});

function rendered(widget, traits) {
  const model = fakeModel(traits);
  const el = document.createElement("div");
  document.body.append(el);
  const close = widget.render({ model, el });
  return { model, el, close };
}
const texts = (el, selector) => [...el.querySelectorAll(selector)].map((one) => one.textContent);

// -- options of a picker -------------------------------------------------------------------------

const PICKER = {
  _kind: "models",
  label: "Model",
  value: "b",
  _message: "",
  _options: [option("a"), option("b"), option("c", { enabled: false, reason: "no card" })],
};
const TARGETS = {
  ...PICKER,
  _kind: "targets",
  precision: "f32",
  _precisions: ["f32", "bf16"],
  _unsupported: {},
  runtime: "openvino",
  _runtimes: ["openvino"],
  ran: "",
};
const IMAGES = { ...PICKER, _kind: "images", _folder: "images", _most_bytes: 9, _chunk_bytes: 9 };
const radios = (el) => [...el.querySelectorAll("input[type=radio]")];

test("more of a reason is folded away until it is asked for", () => {
  const gone = option("GPU", { enabled: false, reason: "not on this machine", why: "no libX.so" });
  const { el, model } = rendered(picker, { ...PICKER, _options: [option("CPU"), gone] });
  const [none, why] = el.querySelectorAll(".wnb-why");
  expect(none.hidden).toBe(true);
  expect([why.hidden, why.open]).toEqual([false, false]);
  expect(why.querySelector("summary").getAttribute("aria-label")).toBe("Why not GPU?");
  expect(why.querySelector("span").textContent).toBe("no libX.so");
  model.change({ _options: [option("CPU"), option("GPU")] });
  expect(why.hidden).toBe(true);
});

test("the picked option is marked, and what cannot be picked says why", () => {
  const { el } = rendered(picker, PICKER);
  expect(radios(el).map((one) => one.checked)).toEqual([false, true, false]);
  expect(radios(el).map((one) => one.disabled)).toEqual([false, false, true]);
  expect(texts(el, ".wnb-reason")).toEqual(["", "", "no card"]);
  expect(texts(el, "legend")).toEqual(["Model"]);
});

test("a choice is sent to the kernel", () => {
  const { el, model } = rendered(picker, { ...PICKER, _message: "not read" });
  expect(texts(el, ".wnb-message")).toEqual(["not read"]); // until the kernel has another
  radios(el)[0].click();
  expect([model.get("value"), model.saved]).toEqual(["a", 1]);
});

test("rows that stay are the same elements, in the order of the options", () => {
  const { el, model } = rendered(picker, PICKER);
  const [a, b] = radios(el);
  model.change({ _options: [option("d"), option("b"), option("a")] });
  expect(radios(el).map((one) => one.value)).toEqual(["d", "b", "a"]);
  expect([radios(el)[1], radios(el)[2]]).toEqual([b, a]);
  expect(b.checked).toBe(true);
});

test("a model that can be fetched has a button, which picks nothing", () => {
  const action = { name: "download", title: "Download 5 MB" };
  const { el, model } = rendered(picker, { ...PICKER, _options: [option("a", { action })] });
  const download = el.querySelector(".wnb-option button");
  expect(download.textContent).toBe("Download 5 MB");
  download.click();
  expect(model.sent.map(({ content }) => content)).toEqual([
    { type: "download", name: "a", traits: { value: "b" } },
  ]);
  expect(model.get("value")).toBe("b");
  model.change({ _options: [option("a", { progress: 0.25 })] });
  expect(download.hidden).toBe(true);
  expect(el.querySelector(".wnb-option progress").value).toBe(0.25);
});

test("a choice that is not offered is shown, but cannot be made again", () => {
  const { el, model } = rendered(picker, { ...TARGETS, precision: "f16" });
  const [precision, runtime] = el.querySelectorAll("select");
  const options = [...precision.querySelectorAll("option")];
  expect(options.map((one) => [one.value, one.disabled])).toEqual([
    ["f32", false],
    ["bf16", false],
    ["f16", true],
  ]);
  expect(precision.value).toBe("f16");
  expect(runtime.closest("label").hidden).toBe(true); // there is nothing to choose from
  precision.value = "bf16";
  precision.dispatchEvent(new Event("change"));
  expect(model.get("precision")).toBe("bf16");
  precision.dispatchEvent(new Event("focus"));
  expect(model.sent.map(({ content }) => content.type)).toEqual(["precisions"]);
  model.change({ _unsupported: { bf16: "no bf16 on CPU here" } });
  const [, bf16] = precision.querySelectorAll("option");
  expect([bf16.disabled, bf16.title]).toEqual([true, "no bf16 on CPU here"]);
  model.change({ _runtimes: ["openvino", "onnxruntime"], ran: "CPU" });
  expect(runtime.closest("label").hidden).toBe(false);
  expect(texts(el, ".wnb-ran")).toEqual(["Ran on CPU"]);
});

test("a folder is opened by its button and by Enter", () => {
  const { el, model } = rendered(picker, IMAGES);
  const folder = el.querySelector(".wnb-field input");
  expect(folder.value).toBe("images");
  folder.value = "other";
  folder.dispatchEvent(new KeyboardEvent("keydown", { key: "x" }));
  folder.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter" }));
  const open = [...el.querySelectorAll("button")].find((one) => one.textContent === "Open");
  open.click();
  const asked = { type: "folder", path: "other", traits: { value: "b" } };
  expect(model.sent.map(({ content }) => content)).toEqual([asked, asked]);
});

test("files that are dropped are uploaded; text is left to the field it is dropped on", async () => {
  const { el, model } = rendered(picker, IMAGES);
  const root = el.querySelector("fieldset");
  const drop = (types, files) => {
    const event = new Event("drop", { bubbles: true, cancelable: true });
    root.dispatchEvent(Object.assign(event, { dataTransfer: { types, files } }));
    return event.defaultPrevented;
  };
  expect(drop(["text/plain"], [])).toBe(false);
  expect(drop(["Files"], [new File(["abc"], "a.png")])).toBe(true);
  expect(el.querySelector(".wnb-moving").hidden).toBe(false);
  await vi.waitFor(() => expect(model.sent).toHaveLength(2));
  expect(model.sent[0].content).toEqual({ type: "uploads", traits: { value: "b" } });
  const { id } = model.sent[1].content;
  model.fire("msg:custom", { type: "upload", id, received: 3 });
  expect(el.querySelector(".wnb-moving").hidden).toBe(true);
});

// -- panel ---------------------------------------------------------------------------------------

const PANEL = {
  ...{ _status: {}, _error: {}, _times: [], _verdict: {}, _saved: {} },
  ...{ code: "wn.segment()", code_folder: "out", folder: "out", compare: false, saving: true },
};

test("a sign of work comes only where it takes a moment", () => {
  vi.useFakeTimers();
  const { el, model } = rendered(panel, PANEL);
  const root = el.querySelector(".wnb-working");
  model.change({ _status: { state: "busy", text: "Running" } });
  vi.advanceTimersByTime(149);
  model.change({ _status: { state: "done", text: "12 ms" } });
  vi.advanceTimersByTime(1000);
  expect([root.dataset.state, ...texts(el, ".wnb-status")]).toEqual(["done", "12 ms"]);
  model.change({ _status: { state: "busy", text: "Timing", part: 0.3 } });
  vi.advanceTimersByTime(150);
  expect(el.querySelector("progress").hidden).toBe(false);
  expect(el.querySelector("progress").value).toBe(0.3);
  vi.useRealTimers();
});

test("an error is text with its details, and goes away", () => {
  const { el, model } = rendered(panel, PANEL);
  const error = el.querySelector(".wnb-error");
  model.change({ _error: { kind: "ImageError", message: "<i>x</i>", details: "Traceback" } });
  expect([error.hidden, error.querySelector("i")]).toEqual([false, null]);
  expect(texts(error, "strong, pre")).toEqual(["ImageError ", "Traceback"]);
  model.change({ _error: {} });
  expect([error.hidden, error.textContent]).toEqual([true, ""]);
});

test("a verdict, and why there is none, are told apart", () => {
  const { el, model } = rendered(panel, PANEL);
  const verdict = el.querySelector(".wnb-verdict");
  model.change({ _verdict: { verdict: "same", text: "the same.", details: "bytes" } });
  expect(verdict.dataset.verdict).toBe("same");
  expect(verdict.textContent).toContain("The two runs are the same.");
  model.change({ _verdict: { text: "one has no scores" } });
  expect(verdict.dataset.verdict).toBe("");
  expect(verdict.textContent).toBe("The two runs are not compared: one has no scores");
  model.change({ _verdict: {} });
  expect(verdict.hidden).toBe(true);
});

test("what is saved is named, and why nothing was", () => {
  const { el, model } = rendered(panel, PANEL);
  const saved = el.querySelector(".wnb-saved");
  expect(saved.hidden).toBe(true);
  model.change({ _saved: { folder: "out", names: ["a.png", "a.tensor"] } });
  expect(saved.textContent).toBe("Saved in out: a.png, a.tensor");
  model.change({ _saved: { error: "no room" } });
  expect([saved.textContent, saved.classList.contains("wnb-failed")]).toEqual([
    "Not saved: no room",
    true,
  ]);
});

test("times are a table with a head and a line for each step", () => {
  const { el, model } = rendered(panel, PANEL);
  const rows = [
    ["step", "CPU"],
    ["read", "1 ms"],
    ["compute", "2 ms"],
  ];
  model.change({ _times: [{ title: "Median", rows }] });
  expect(texts(el, "caption, thead th, tbody th, td")).toEqual([
    "Median",
    "step",
    "CPU",
    "read",
    "1 ms",
    "compute",
    "2 ms",
  ]);
});

test("Enter in the folder saves there", () => {
  const { el, model } = rendered(panel, PANEL);
  const folder = el.querySelector("input[type=text]");
  folder.value = "elsewhere";
  folder.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter" }));
  expect(model.get("folder")).toBe("elsewhere");
  expect(model.sent.map(({ content }) => content)).toEqual([
    { action: "save", traits: { folder: "elsewhere", compare: false } },
  ]);
});

test("code that may not be copied is selected, and the button says what to do", async () => {
  const { el, model, close } = rendered(panel, PANEL);
  const refused = () => Promise.reject(new Error("not allowed"));
  vi.spyOn(navigator.clipboard, "writeText").mockImplementation(refused);
  const copy = [...el.querySelectorAll("button")].find((one) => one.textContent === "Copy code");
  copy.click();
  await vi.waitFor(() => expect(copy.textContent).toBe("Press Ctrl+C"));
  expect(el.querySelector(".wnb-code").open).toBe(true);
  expect(getSelection().toString()).toBe("wn.segment()");
  expect(model.sent.map(({ content }) => content)).toEqual([
    { action: "copy", traits: { code_folder: "out" } },
  ]);
  close();
  expect(model.listeners()).toBe(0);
});

// -- bars ----------------------------------------------------------------------------------------

const bar = (index, name, share, part) => ({ index, name, share, part });
const RUN = { serial: 3, title: "CPU", facts: "2 of 9", bars: [bar(4, "cat", "75 %", 0.75)] };

test("a run has its bars, and both runs are in the image's description", () => {
  const second = { ...RUN, title: "GPU", bars: [bar(1, "dog", "60 %", 0.6)] };
  const image = { bytes: arrived([1]), type: "image/png" };
  const traits = { _sent_image: image, _results: [RUN, second], _notes: [], stale: false };
  const { el, model, close } = rendered(bars, traits);
  expect(el.querySelector("img").alt).toBe("The image: cat 75 % and dog 60 %");
  expect(texts(el, ".wnb-bar-name")).toEqual(["cat [4]", "dog [1]"]);
  expect(el.querySelector(".wnb-bar-track i").style.width).toBe("75%");
  expect(el.querySelector(".wnb-bars").dataset.painted).toBe("3");
  model.change({ _sent_image: {} });
  expect([el.querySelector("img").hidden, revoked]).toEqual([true, ["blob:0"]]);
  close();
  expect(model.listeners()).toBe(0);
});
