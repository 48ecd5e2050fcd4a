// @vitest-environment happy-dom

import { localModel, savedValues } from "@page/local_model.js";
import { expect, test, vi } from "vitest";

test("a model without a kernel keeps values and tells who listens", () => {
  const model = localModel({ opacity: 0.5 });
  const heard = vi.fn();
  model.on("change:opacity", heard);
  model.set("opacity", 0.5);
  expect(heard).not.toHaveBeenCalled();
  model.set("opacity", 0.7);
  model.save_changes();
  expect([heard.mock.calls.length, model.get("opacity")]).toEqual([1, 0.7]);
  model.off("change:opacity", heard);
  model.set("opacity", 0.1);
  expect(heard).toHaveBeenCalledTimes(1);
});

test("bytes take their places among the saved values", () => {
  const values = savedValues(
    JSON.stringify({
      values: { mode: "mask", masks: [{ width: 2 }] },
      bytes: [{ path: ["masks", 0, "labels"], data: btoa("\u0000\u00ff") }],
    }),
  );
  expect(values.mode).toBe("mask");
  expect(values.masks[0].width).toBe(2);
  expect(new Uint8Array(values.masks[0].labels.buffer)).toEqual(new Uint8Array([0, 255]));
});

test("a viewer takes the place of the image, once", async () => {
  const context = new Proxy({}, { get: () => () => {}, set: () => true });
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(context);
  vi.stubGlobal("createImageBitmap", async () => ({ close() {} }));
  const saved = {
    values: {
      ...{ mode: "overlay", opacity: 0.5, outline: false, threshold: 0, hidden: [], stale: false },
      ...{ _sent_image: { number: 0 }, _masks: [], _confidence: [], _notes: [] },
      ...{ _change_colors: [], _still_id: "abc" },
    },
    bytes: [],
  };
  document.body.innerHTML = `<div data-wnb-viewer><img alt="still"><script type="application/json">${JSON.stringify(saved)}</script></div>`;
  await import("@page/standalone.js");
  const [place] = document.querySelectorAll("[data-wnb-viewer]");
  expect(place.querySelectorAll(".wnb-viewer").length).toBe(1);
  expect(place.querySelector("img")).toBeNull();
  vi.unstubAllGlobals();
});
