// The most probable classes of an image as bars, the image beside them; of two runs, both.

import { element } from "./elements.js";
import { listening } from "./model.js";
import { notesBelow } from "./notes.js";
import { dimWhileStale } from "./stale.js";

/** @import { Model } from "./model.js" */
/** @import { Note } from "./notes.js" */
/** @typedef {{ index: number, name: string, share: string, part: number }} Bar */
/** @typedef {{ serial: number, title: string, facts: string, bars: Bar[] }} Run */
/**
 * @typedef {object} BarsTraits
 * @property {{ bytes?: DataView<ArrayBuffer>, type?: string }} _sent_image
 * @property {Run[]} _results
 * @property {Note[]} _notes
 * @property {boolean} stale
 */

export class BarsPanel {
  /**
   * @param {Model<BarsTraits>} model
   * @param {HTMLElement} el
   * @param {{ notes?: boolean }} [about] whether notes stand below them
   */
  constructor(model, el, { notes = true } = {}) {
    const { on, stop } = listening(model);
    const image = element("img", { className: "wnb-bars-image", alt: "" });
    const runs = element("div", { className: "wnb-bars-runs" });
    const root = element(
      "div",
      { className: "wnb-bars" },
      element("div", { className: "wnb-bars-body" }, image, runs),
      ...(notes ? [notesBelow(model, on)] : []),
    );
    el.append(root);

    const showImage = () => {
      const { bytes, type } = model.get("_sent_image");
      if (image.src) URL.revokeObjectURL(image.src);
      image.hidden = !bytes;
      if (bytes) image.src = URL.createObjectURL(new Blob([bytes], { type }));
      else image.removeAttribute("src");
    };
    const showRuns = () => {
      const results = model.get("_results");
      runs.replaceChildren(...results.map(runElement));
      const best = results.map(({ bars: [first] }) => `${first.name} ${first.share}`);
      image.alt = `The image: ${best.join(" and ")}`;
      root.dataset.painted = String(results[0]?.serial ?? 0);
    };
    on("change:_sent_image", showImage);
    on("change:_results", showRuns);
    showImage();
    showRuns();
    const stopDimming = dimWhileStale(model, on, root);
    this.dispose = () => {
      stopDimming();
      if (image.src) URL.revokeObjectURL(image.src);
      stop();
    };
  }
}

/** @param {Run} run */
function runElement({ title, facts, bars }) {
  return element(
    "section",
    { className: "wnb-bars-run" },
    element("div", { className: "wnb-bars-title" }, title),
    element("ol", { className: "wnb-bars-list", "aria-label": title }, ...bars.map(barElement)),
    element("div", { className: "wnb-bars-facts" }, facts),
  );
}

/** @param {Bar} bar */
function barElement({ index, name, share, part }) {
  const filled = element("i");
  filled.style.width = `${100 * part}%`;
  const number = { className: "wnb-bar-index", title: "Index of the class" };
  return element(
    "li",
    { className: "wnb-bar-row" },
    element(
      "span",
      { className: "wnb-bar-name" },
      name,
      " ",
      element("span", number, `[${index}]`),
    ),
    element("span", { className: "wnb-bar-share" }, share),
    element("span", { className: "wnb-bar-track" }, filled),
  );
}
