// The most probable classes of an image as bars, the image beside them; of two runs, both.

const DIM_AFTER_MS = 250; // what is made anew sooner changes without a flicker

export default {
  render({ model, el }) {
    const handlers = [];
    const on = (event, handler) => {
      model.on(event, handler);
      handlers.push([event, handler]);
    };
    const image = element("img", { className: "wnb-bars-image", alt: "" });
    const runs = element("div", { className: "wnb-bars-runs" });
    const root = element("div", { className: "wnb-bars" },
      element("div", { className: "wnb-bars-body" }, image, runs), notesBelow(model, on));
    el.append(root);

    const showImage = () => {
      const { bytes, type } = model.get("_photo");
      if (image.src) URL.revokeObjectURL(image.src);
      image.hidden = !bytes;
      if (bytes) image.src = URL.createObjectURL(new Blob([bytes], { type }));
      else image.removeAttribute("src");
    };
    const showRuns = () => {
      const results = model.get("_results");
      runs.replaceChildren(...results.map(runElement));
      image.alt = `The image: ${results.map(({ bars: [best] }) =>
        `${best.name} ${best.share}`).join(" and ")}`;
      root.dataset.painted = results[0]?.serial ?? 0;
    };
    let dimming;
    const dim = () => {
      clearTimeout(dimming);
      if (!model.get("stale")) root.classList.remove("wnb-stale");
      else dimming = setTimeout(() => root.classList.add("wnb-stale"), DIM_AFTER_MS);
    };
    for (const [event, handler] of [
      ["change:_photo", showImage], ["change:_results", showRuns], ["change:stale", dim],
    ]) {
      on(event, handler);
      handler();
    }
    return () => {
      clearTimeout(dimming);
      if (image.src) URL.revokeObjectURL(image.src);
      for (const [event, handler] of handlers) model.off(event, handler);
    };
  },
};

function runElement({ title, facts, bars }) {
  const list = element("ol", { className: "wnb-bars-list", "aria-label": title }, ...bars.map(barElement));
  return element("section", { className: "wnb-bars-run" },
    element("div", { className: "wnb-bars-title" }, title), list,
    element("div", { className: "wnb-bars-facts" }, facts));
}

function barElement({ index, name, share, part }) {
  const filled = element("i");
  filled.style.width = `${100 * part}%`;
  return element("li", { className: "wnb-bar-row" },
    element("span", { className: "wnb-bar-name" }, name, " ",
      element("span", { className: "wnb-bar-index", title: "Index of the class" }, `[${index}]`)),
    element("span", { className: "wnb-bar-share" }, share),
    element("span", { className: "wnb-bar-track" }, filled));
}
