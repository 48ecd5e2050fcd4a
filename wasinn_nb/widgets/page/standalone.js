// A viewer on a page without a kernel, in the place of the image that is there without scripts.

import { localModel, savedValues } from "./local_model.js";
import { Viewer } from "./mask_viewer.js";

/** @param {HTMLElement} place */
function start(place) {
  const saved = place.querySelector("script");
  if (!saved || place.dataset.started) return; // by another module of the page
  place.dataset.started = "true";
  const model = localModel(savedValues(saved.textContent ?? ""));
  const el = document.createElement("div");
  new Viewer(model, el);
  place.replaceChildren(el);
}

for (const place of document.querySelectorAll("[data-wnb-viewer]")) {
  start(/** @type {HTMLElement} */ (place));
}
