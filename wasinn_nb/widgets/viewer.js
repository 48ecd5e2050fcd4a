// MaskViewer's page: composes image and mask by itself; no control asks the kernel.
//
// Layers, each drawn again only when what it depends on changes, and laid over one another by
// compose(): the photograph at the canvas's own size, and for each mask its tint. Moving the opacity
// slider composes and does nothing else.

const MODES = [
  ["photo", "Photo"],
  ["overlay", "Overlay"],
  ["mask", "Mask"],
  ["swipe", "Swipe"],
  ["blink", "Blink"],
  ["side by side", "Side by side"],
  ["difference", "Difference"],
];
const TWO_SIDED = new Set(["swipe", "blink", "side by side"]);
const BLINK_MS = 700;
const DIM_AFTER_MS = 250;
const MAX_ZOOM = 64;
const MANY_CLASSES = 20; // beyond it, classes without a pixel are not listed
const PANE_GAP = 8;

export default {
  render({ model, el }) {
    const viewer = new Viewer(model, el);
    return () => viewer.dispose();
  },
};

// ------------------------------------------------------------------------------------- helpers

async function decodedPhoto(photo) {
  if (!photo.bytes) return null;
  const blob = new Blob([photo.bytes], { type: photo.type });
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none" });
  return { bitmap, width: photo.width, height: photo.height };
}

// One pixel of an ImageData as a number: red in the lowest byte.
const packed = ([red, green, blue]) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;

// As `percent` in tables.py says it.
function share(pixels, total) {
  const percent = (100 * pixels) / total;
  if (pixels && percent < 0.005) return "<0.01 %";
  if (pixels < total && percent >= 99.995) return ">99.99 %";
  return `${percent.toFixed(2)} %`;
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// -------------------------------------------------------------------------------------- viewer

class Viewer {
  constructor(model, el) {
    this.model = model;
    this.photo = null;
    this.masks = [];
    this.view = { zoom: 1, x: 0.5, y: 0.5 }; // the middle, as a part of the picture
    this.swipe = 0.5;
    this.second = false; // which side blink shows, and which mask the one-sided modes show
    this.only = null; // the one transition that the difference shows
    this.cross = null; // the pixel that is read, in the picture's own coordinates
    this.loads = 0;
    this.abort = new AbortController();
    this.state = {};
    for (const name of ["mode", "opacity", "outline", "threshold", "hidden"]) {
      this.state[name] = model.get(name);
    }
    this.photoLayer = { canvas: document.createElement("canvas"), key: "" };
    this.tints = [0, 1, 2].map(() => ({ canvas: document.createElement("canvas"), key: "" }));
    this.build(el);
    this.listen();
    this.load();
  }

  dispose() {
    this.abort.abort();
    this.resized.disconnect();
    clearInterval(this.blinking);
    clearTimeout(this.dimming);
    clearTimeout(this.saying);
    cancelAnimationFrame(this.frame);
    for (const [event, handler] of this.handlers) this.model.off(event, handler);
    this.photo?.bitmap.close();
  }

  // ------------------------------------------------------------------------------ the elements

  build(el) {
    const group = `wnb-view-${Math.random().toString(36).slice(2)}`;
    this.modeInputs = {};
    const modes = MODES.map(([mode, title]) => {
      const input = element("input", { type: "radio", name: group, value: mode });
      input.addEventListener("change", () => this.set("mode", mode, true));
      this.modeInputs[mode] = input;
      return element("label", { className: "wnb-mode" }, input, element("span", {}, title));
    });
    this.opacityInput = element("input", {
      type: "range", min: 0, max: 100, step: 1, "aria-label": "Opacity",
    });
    this.opacitySaid = element("output", { className: "wnb-number" });
    this.thresholdInput = element("input", { type: "range", min: 0, max: 100, step: 1 });
    this.thresholdInput.addEventListener("dblclick", () => {
      if (this.ownThreshold !== null) this.set("threshold", this.ownThreshold, true);
    });
    this.thresholdSaid = element("output", { className: "wnb-number" });
    for (const [name, input] of [["opacity", this.opacityInput], ["threshold", this.thresholdInput]]) {
      input.addEventListener("input", () => this.set(name, input.value / 100, false));
      input.addEventListener("change", () => this.set(name, input.value / 100, true));
    }
    this.outlineInput = element("input", { type: "checkbox" });
    this.outlineInput.addEventListener("change", () =>
      this.set("outline", this.outlineInput.checked, true));
    const button = (text, title, act) => {
      const made = element("button", { type: "button", "aria-label": title, title }, text);
      made.addEventListener("click", act);
      return made;
    };
    this.which = button("A", "Show the other mask", () => {
      this.second = !this.second;
      this.refresh();
    });
    this.thresholdTitle = element("span");
    this.thresholdLabel = element("label", { className: "wnb-slider" },
      this.thresholdTitle, this.thresholdInput, this.thresholdSaid);
    const toolbar = element("div", { className: "wnb-toolbar" },
      element("div", { className: "wnb-modes", role: "radiogroup", "aria-label": "View" }, ...modes),
      this.which,
      element("label", { className: "wnb-slider" }, "Opacity", this.opacityInput, this.opacitySaid),
      this.thresholdLabel,
      element("label", { className: "wnb-check" }, this.outlineInput, "Outline"),
      element("span", { className: "wnb-zoom" },
        button("−", "Zoom out", () => this.zoomBy(1 / 1.5)),
        button("+", "Zoom in", () => this.zoomBy(1.5)),
        button("Fit", "Fit", () => this.fit())));

    this.canvas = element("canvas", {
      className: "wnb-canvas", tabIndex: 0, role: "img",
      "aria-description": "Keys: 1 to 9 switch classes, arrows move the cross whose pixel is read, "
        + "plus, minus and 0 zoom, o outlines, brackets change the opacity",
    });
    this.context = this.canvas.getContext("2d");
    this.divider = element("div", {
      className: "wnb-divider", tabIndex: 0, role: "slider", "aria-label": "Swipe",
      "aria-valuemin": 0, "aria-valuemax": 100, "aria-orientation": "horizontal",
    });
    this.captions = [0, 1].map(() => element("span", { className: "wnb-caption" }));
    this.hint = element("div", { className: "wnb-tip", hidden: true });
    this.stage = element("div", { className: "wnb-stage" },
      this.canvas, ...this.captions, this.divider, this.hint);
    this.probe = element("output", { className: "wnb-probe", "aria-live": "polite" });
    this.legend = element("div", { className: "wnb-legend", role: "group", "aria-label": "Classes" });
    this.problem = element("div", { className: "wnb-problem", role: "alert", hidden: true });
    this.style = element("style");
    this.root = element("div", { className: "wnb-viewer" },
      this.style, toolbar, this.problem,
      element("div", { className: "wnb-body" },
        element("div", { className: "wnb-picture" }, this.stage, this.probe), this.legend));
    el.append(this.root);
  }

  listen() {
    const signal = this.abort.signal;
    this.handlers = [];
    const on = (event, handler) => {
      this.model.on(event, handler);
      this.handlers.push([event, handler]);
    };
    for (const name of Object.keys(this.state)) {
      on(`change:${name}`, () => {
        this.state[name] = this.model.get(name);
        // Where it came with other masks, it is theirs.
        if (this.model.get("_masks")[0]?.serial === this.masks[0]?.serial) this.refresh();
      });
    }
    // A picture and its mask come in one message: load once.
    const reload = () => {
      if (this.reloading) return;
      this.reloading = true;
      queueMicrotask(() => {
        this.reloading = false;
        this.load();
      });
    };
    on("change:_photo", reload);
    on("change:_masks", reload);
    on("change:_confidence", () => this.loadConfidence());
    on("change:stale", () => this.dim());
    this.dim();
    on("change:_still_id", () => this.hideStill());
    this.hideStill();
    this.root.append(notesBelow(this.model, on));

    this.resized = new ResizeObserver(() => this.refresh());
    this.resized.observe(this.stage.parentElement);
    this.canvas.addEventListener("pointerdown", (event) => this.pointerDown(event), { signal });
    this.canvas.addEventListener("pointermove", (event) => this.pointerMove(event), { signal });
    for (const name of ["pointerup", "pointercancel"]) {
      this.canvas.addEventListener(name, () => { this.dragged = null; }, { signal });
    }
    this.canvas.addEventListener("pointerleave", () => this.read(null), { signal });
    this.canvas.addEventListener("wheel", (event) => this.wheel(event), { signal, passive: false });
    this.canvas.addEventListener("dblclick", (event) => {
      const spot = this.spotAt(event);
      this.zoomBy(2, spot);
    }, { signal });
    this.canvas.addEventListener("keydown", (event) => this.key(event), { signal });
    this.canvas.addEventListener("blur", () => {
      this.cross = null;
      this.read(null);
      this.refresh();
    }, { signal });
    this.divider.addEventListener("pointerdown", (event) => {
      this.divider.setPointerCapture(event.pointerId);
      this.swiping = true;
    }, { signal });
    this.divider.addEventListener("pointermove", (event) => {
      if (!this.swiping) return;
      const box = this.stage.getBoundingClientRect();
      this.moveDivider((event.clientX - box.left) / box.width);
    }, { signal });
    for (const name of ["pointerup", "pointercancel"]) {
      this.divider.addEventListener(name, () => { this.swiping = false; }, { signal });
    }
    this.divider.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -0.02, ArrowRight: 0.02, Home: -1, End: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      this.moveDivider(this.swipe + step);
    }, { signal });
  }

  // What is made anew in less than a quarter of a second changes without a flicker.
  dim() {
    clearTimeout(this.dimming);
    const stale = this.model.get("stale");
    if (stale) this.dimming = setTimeout(() => this.root.classList.add("wnb-stale"), DIM_AFTER_MS);
    else this.root.classList.remove("wnb-stale");
  }

  hideStill() {
    // The picture that is saved with the notebook; it shows again when this view goes.
    const still = `[data-wnb-still="${CSS.escape(this.model.get("_still_id"))}"]`;
    this.style.textContent =
      `${still}{display:none}.jp-OutputArea-child:has(${still}){display:none}`;
  }

  // -------------------------------------------------------------------------------------- data

  // Return the photograph, decoded once; it may come before its mask.
  photoOf(sent) {
    if (this.coming?.sent !== sent) {
      this.coming = { sent, decoded: decodedPhoto(sent) };
      this.coming.decoded.catch(() => {}); // whoever shows it says what is wrong
    }
    return this.coming.decoded;
  }

  async load() {
    const [sentPhoto, sentMasks] = [this.model.get("_photo"), this.model.get("_masks")];
    const coming = this.photoOf(sentPhoto);
    if (sentMasks.length && sentMasks[0].photo !== sentPhoto.number) return; // its mask follows
    const turn = ++this.loads;
    try {
      const [photo, ...masks] = await Promise.all([coming, ...sentMasks.map(decodedMask)]);
      if (turn !== this.loads || this.abort.signal.aborted) return;
      if (photo !== this.photo) this.photo?.bitmap.close();
      const size = this.masks.length ? `${this.width}x${this.height}` : "";
      this.photo = photo;
      this.masks = masks;
      this.problem.hidden = true;
      if (!masks.length) return;
      [this.width, this.height] = photo ? [photo.width, photo.height] : framed(masks[0]);
      if (size !== `${this.width}x${this.height}`) this.view = { zoom: 1, x: 0.5, y: 0.5 };
      this.second = false;
      this.only = null;
      this.compareMasks();
      this.refresh();
      this.loadConfidence();
    } catch (error) {
      this.problem.textContent = `The picture cannot be shown: ${error.message ?? error}`;
      this.problem.hidden = false;
    }
  }

  async loadConfidence() {
    const [sent, masks] = [this.model.get("_confidence"), this.masks];
    await Promise.all(masks.map((mask, index) => takeConfidence(mask, sent[index])));
    if (masks === this.masks && !this.abort.signal.aborted) this.refresh();
  }

  // Give the classes of both masks common numbers, by name, and count what became of what.
  compareMasks() {
    this.union = [];
    for (const mask of this.masks) {
      mask.common = mask.classes.map((one) => {
        let at = this.union.findIndex((other) => other.name === one.name);
        if (at < 0) at = this.union.push(one) - 1;
        return at;
      });
    }
    this.transitions = [];
    if (this.masks.length < 2) return;
    const [a, b] = this.masks;
    const size = this.union.length;
    const counts = new Uint32Array(size * size);
    const columns = matching(a.width, columnsCovered(a), b.width, columnsCovered(b));
    const rows = matching(a.height, rowsCovered(a), b.height, rowsCovered(b));
    this.compared = 0; // pixels that both masks cover
    for (let y = 0, at = 0; y < a.height; y++) {
      const row = rows[y] * b.width;
      for (let x = 0; x < a.width; x++, at++) {
        if (rows[y] < 0 || columns[x] < 0) continue;
        counts[a.common[a.labels[at]] * size + b.common[b.labels[row + columns[x]]]]++;
        this.compared++;
      }
    }
    counts.forEach((pixels, index) => {
      const [from, to] = [Math.floor(index / size), index % size];
      if (pixels && from !== to) this.transitions.push({ index, from, to, pixels });
    });
    this.transitions.sort((one, other) => other.pixels - one.pixels);
  }

  // -------------------------------------------------------------------------------- the controls

  // Take over a value; the kernel hears of it when the control comes to rest.
  set(name, value, settled) {
    this.state[name] = value;
    if (settled) {
      this.model.set(name, value);
      this.model.save_changes();
    }
    this.refresh();
  }

  toggle(name) {
    const hidden = this.state.hidden;
    this.set("hidden", hidden.includes(name) ? hidden.filter((one) => one !== name)
      : [...hidden, name], true);
  }

  get mode() {
    const mode = this.state.mode;
    if (mode === "difference" && this.masks.length < 2) return "overlay";
    if (!this.photo && (this.masks.length < 2 || mode === "photo")) return "mask";
    return mode;
  }

  get shown() {
    return this.masks.length > 1 && this.second ? 1 : 0;
  }

  // The threshold of the result where it is of one class; of several classes, null.
  get ownThreshold() {
    return this.masks[0]?.threshold ?? null;
  }

  // Bring masks of one class to the threshold; until it is moved, each has its own.
  applyThreshold() {
    const own = this.ownThreshold;
    const moved = own !== null && this.state.threshold !== own;
    const changed = this.masks.filter((mask) => mask.threshold !== null
      && relabel(mask, moved ? this.state.threshold : mask.threshold));
    if (changed.length) this.compareMasks();
  }

  updateControls() {
    const { mode, state } = this;
    const pair = this.masks.length > 1;
    for (const [name, input] of Object.entries(this.modeInputs)) {
      input.checked = name === mode;
      input.disabled = !this.photo && (name === "photo" || (!pair && name !== "mask"));
      input.parentElement.hidden = name === "difference" && !pair;
    }
    // Lines are drawn at full strength.
    this.opacityInput.disabled = !this.photo || state.outline
      || ["photo", "mask", "difference"].includes(mode);
    if (document.activeElement !== this.opacityInput || this.opacityInput.value / 100 !== state.opacity) {
      this.opacityInput.value = Math.round(state.opacity * 100);
    }
    this.opacitySaid.value = `${Math.round(state.opacity * 100)} %`;
    this.updateThreshold();
    this.outlineInput.checked = state.outline;
    this.outlineInput.disabled = mode === "photo" || mode === "difference";
    this.which.hidden = !pair || TWO_SIDED.has(mode) || mode === "difference" || mode === "photo";
    this.which.textContent = this.shown ? "B" : "A";
    this.divider.hidden = mode !== "swipe";
    this.divider.setAttribute("aria-valuenow", Math.round(this.swipe * 100));
    this.divider.style.left = `${this.swipe * 100}%`;
    this.updateCaptions();
    clearInterval(this.blinking);
    if (mode === "blink" && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.blinking = setInterval(() => {
        this.second = !this.second;
        this.draw();
        this.updateCaptions();
      }, BLINK_MS);
    }
    this.updateLegend();
    const shown = this.masks[this.shown];
    const list = shown.classes.filter((one) => one.pixels)
      .map((one) => `${one.name} ${share(one.pixels, shown.labels.length)}`).slice(0, 9).join(", ");
    this.canvas.setAttribute("aria-label", `${[mode, shown.caption].filter(Boolean).join(" of ")}: ${list}`);
  }

  // Of several classes the slider hides what is unsure; of one class it is its threshold.
  updateThreshold() {
    const { mode, thresholdInput: input } = this;
    const [first] = this.masks;
    const own = this.ownThreshold;
    const step = own === null ? 1 : first.step ?? 1;
    Object.assign(input, { min: own === null ? 0 : step, max: own === null ? 100 : 100 - step, step });
    input.value = Math.round(this.state.threshold * 100);
    this.thresholdSaid.value = `${Number((this.state.threshold * 100).toFixed(1))} %`;
    this.thresholdTitle.textContent = own === null ? "Confidence ≥" : "Threshold";
    input.setAttribute("aria-label", own === null ? "Confidence threshold" : "Class threshold");
    const sure = own === null ? this.masks.some((mask) => mask.confidence)
      : this.masks.every((mask) => mask.threshold === null || mask.levels);
    input.disabled = !sure || mode === "photo" || (own === null && mode === "difference");
    const name = first.classes.at(-1).name;
    this.thresholdLabel.title = !sure ? "The result keeps no scores: segment(…, scores=True)"
      : own === null ? "" : `Pixels whose probability is higher are ${name}; a double click goes back to `
        + `${Number((own * 100).toFixed(1))} %`;
  }

  updateCaptions() {
    const pair = this.masks.length > 1;
    const titles = pair ? this.masks.map(({ caption }, index) =>
      (caption ? `${"AB"[index]}: ${caption}` : "AB"[index])) : ["Photo", "Overlay"];
    const { mode } = this;
    const said = mode === "blink" ? [titles[this.second ? 1 : 0], ""]
      : TWO_SIDED.has(mode) ? titles
        : pair && (mode === "overlay" || mode === "mask") ? [titles[this.shown], ""]
          : mode === "difference" ? [titles.join("  →  "), ""]
            : ["", ""];
    this.captions.forEach((caption, index) => {
      caption.textContent = said[index];
      caption.hidden = !said[index];
      caption.classList.toggle("wnb-right", index === 1 && mode === "swipe");
    });
  }

  // A button for each class, with its area as a bar; in a difference, one for each transition.
  updateLegend() {
    const difference = this.mode === "difference";
    const key = JSON.stringify([this.masks.map(versionOf), difference]);
    if (this.legend.dataset.key !== key) {
      this.legend.dataset.key = key;
      this.legend.replaceChildren(
        ...(difference ? this.transitionButtons() : this.classButtons()));
    }
    for (const button of this.legend.querySelectorAll("button")) {
      const pressed = difference ? this.only === null || this.only === Number(button.dataset.index)
        : !this.state.hidden.includes(button.dataset.name);
      button.setAttribute("aria-pressed", pressed);
    }
  }

  classButtons() {
    const [first] = this.masks;
    const every = this.union.map((one) => {
      const pixels = this.masks.map((mask) =>
        mask.classes.find((other) => other.name === one.name)?.pixels ?? 0);
      return { ...one, parts: pixels.map((count, index) => count / this.masks[index].labels.length),
        counts: pixels };
    });
    const listed = every.filter((one) =>
      every.length <= MANY_CLASSES || one.counts.some((count) => count));
    this.keyed = listed.slice(0, 9).map((one) => one.name);
    const made = listed.map((one, index) => {
      const shares = one.counts.map((count, at) => share(count, this.masks[at].labels.length));
      const button = element("button", {
        type: "button", className: "wnb-class", "data-name": one.name,
        "aria-label": `${one.name}, ${shares.join(" and ")}`,
        title: index < 9 ? `Switch ${one.name} on or off (key ${index + 1})`
          : `Switch ${one.name} on or off`,
      },
      swatch(one.color),
      element("span", { className: "wnb-name" }, one.name),
      element("span", { className: "wnb-share" }, shares.join(" | ")),
      ...one.parts.map((part) => {
        const bar = element("span", { className: "wnb-area" });
        bar.append(element("i"));
        bar.firstChild.style.cssText = `width:${100 * part}%;background:${one.color}`;
        return bar;
      }));
      button.addEventListener("click", () => this.toggle(one.name));
      return button;
    });
    const left = every.length - listed.length;
    if (left) made.push(element("p", {}, `${left} further classes have no pixel.`));
    if (!this.photo) made.push(element("p", {}, "The result keeps no image."));
    if (first.classes.length === 1) made.push(element("p", {}, "The model has one class only."));
    return made;
  }

  transitionButtons() {
    const total = this.compared;
    const changed = this.transitions.reduce((sum, one) => sum + one.pixels, 0);
    const made = [element("p", {}, changed
      ? `${share(changed, total)} of the pixels differ (${changed}). Stripes show both colors.`
      : "No pixel differs.")];
    for (const one of this.transitions.slice(0, 30)) {
      const [from, to] = [this.union[one.from], this.union[one.to]];
      const button = element("button", {
        type: "button", className: "wnb-class", "data-index": one.index,
        "aria-label": `${from.name} to ${to.name}, ${one.pixels} pixels`,
        title: "Show this change alone, or all again",
      },
      swatch(from.color), swatch(to.color),
      element("span", { className: "wnb-name" }, `${from.name} → ${to.name}`),
      element("span", { className: "wnb-share" }, share(one.pixels, total)));
      button.addEventListener("click", () => {
        this.only = this.only === one.index ? null : one.index;
        this.refresh();
      });
      made.push(button);
    }
    return made;
  }

  // ----------------------------------------------------------------------------------- geometry

  layout() {
    const width = this.stage.parentElement.clientWidth;
    if (!width || !this.width) return false;
    const ratio = this.height / this.width;
    const highest = Math.max(240, Math.min(720, 0.75 * window.innerHeight));
    const side = this.mode === "side by side";
    const stacked = side && width < 560;
    const paneWidth = side && !stacked ? (width - PANE_GAP) / 2 : width;
    const paneHeight = Math.max(80, Math.min(paneWidth * ratio, highest));
    const pixels = window.devicePixelRatio || 1;
    const height = stacked ? 2 * paneHeight + PANE_GAP : paneHeight;
    this.stage.style.height = `${height}px`;
    const [w, h] = [Math.round(width * pixels), Math.round(height * pixels)];
    if (this.canvas.width !== w || this.canvas.height !== h) {
      this.canvas.width = w;
      this.canvas.height = h;
    }
    const [pw, ph] = [Math.floor(paneWidth * pixels), Math.floor(paneHeight * pixels)];
    this.panes = [{ left: 0, top: 0 }];
    if (side) this.panes.push(stacked ? { left: 0, top: h - ph } : { left: w - pw, top: 0 });
    this.pane = { width: pw, height: ph, pixels };
    if (side) {
      this.captions[1].style.cssText = stacked ? `top:${paneHeight + PANE_GAP + 6}px;left:6px`
        : `left:${paneWidth + PANE_GAP + 6}px;top:6px`;
    } else this.captions[1].style.cssText = "";
    this.place();
    return true;
  }

  // Where the picture lies in a pane: scale, and the pane's pixel of the picture's corner.
  place() {
    const { width, height } = this.pane;
    const scale = Math.min(width / this.width, height / this.height) * this.view.zoom;
    const along = (middle, length, room) => {
      if (length * scale <= room) return [(room - length * scale) / 2, 0.5];
      const half = room / 2 / scale / length;
      const inside = clamp(middle, half, 1 - half);
      return [room / 2 - inside * length * scale, inside];
    };
    const [left, x] = along(this.view.x, this.width, width);
    const [top, y] = along(this.view.y, this.height, height);
    this.view.x = x;
    this.view.y = y;
    // Whole pixels where the picture fits them, so that no line is blurred.
    this.at = { scale, left: Math.round(left), top: Math.round(top) };
    this.spotKey = [width, height, scale, this.at.left, this.at.top].join();
  }

  // The spot under a pointer, in the picture's own pixels, or null beside it.
  spotAt(event) {
    if (!this.panes) return null;
    const box = this.canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * this.canvas.width;
    const y = ((event.clientY - box.top) / box.height) * this.canvas.height;
    for (const [index, pane] of this.panes.entries()) {
      const spot = {
        x: (x - pane.left - this.at.left) / this.at.scale,
        y: (y - pane.top - this.at.top) / this.at.scale,
        side: index,
      };
      const within = x >= pane.left && x < pane.left + this.pane.width
        && y >= pane.top && y < pane.top + this.pane.height;
      if (within && spot.x >= 0 && spot.y >= 0 && spot.x < this.width && spot.y < this.height) {
        return spot;
      }
    }
    return null;
  }

  zoomBy(factor, spot = null) {
    if (!this.at) return;
    const before = this.view.zoom;
    this.view.zoom = clamp(before * factor, 1, MAX_ZOOM);
    if (spot) { // what is under the pointer stays there
      const keep = 1 - before / this.view.zoom;
      this.view.x += (spot.x / this.width - this.view.x) * keep;
      this.view.y += (spot.y / this.height - this.view.y) * keep;
    }
    this.refresh();
  }

  fit() {
    this.view = { zoom: 1, x: 0.5, y: 0.5 };
    this.refresh();
  }

  moveDivider(part) {
    this.swipe = clamp(part, 0, 1);
    this.divider.style.left = `${this.swipe * 100}%`;
    this.divider.setAttribute("aria-valuenow", Math.round(this.swipe * 100));
    this.draw();
  }

  // -------------------------------------------------------------------------- pointer and keyboard

  pointerDown(event) {
    if (event.button !== 0) return;
    this.dragged = { x: event.clientX, y: event.clientY };
    this.canvas.setPointerCapture(event.pointerId);
  }

  pointerMove(event) {
    if (this.dragged && this.view.zoom > 1) {
      const pixels = this.pane.pixels / this.at.scale;
      this.view.x -= ((event.clientX - this.dragged.x) * pixels) / this.width;
      this.view.y -= ((event.clientY - this.dragged.y) * pixels) / this.height;
      this.dragged = { x: event.clientX, y: event.clientY };
      this.refresh();
    }
    this.read(this.spotAt(event));
  }

  wheel(event) {
    if (!event.ctrlKey && !event.metaKey) { // the page scrolls
      this.say("Ctrl + wheel zooms; drag to move");
      return;
    }
    event.preventDefault();
    this.zoomBy(Math.exp(-event.deltaY / 300), this.spotAt(event));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key in arrows) this.moveCross(...arrows[event.key], event.shiftKey);
    else if (event.key >= "1" && event.key <= "9") {
      const name = this.keyed?.[event.key - 1];
      if (name !== undefined && this.mode !== "difference") this.toggle(name);
    } else if (event.key === "+" || event.key === "=") this.zoomBy(1.5);
    else if (event.key === "-") this.zoomBy(1 / 1.5);
    else if (event.key === "0") this.fit();
    else if (event.key === "o") this.set("outline", !this.state.outline, true);
    else if (event.key === "[") this.set("opacity", clamp(this.state.opacity - 0.1, 0, 1), true);
    else if (event.key === "]") this.set("opacity", clamp(this.state.opacity + 0.1, 0, 1), true);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // Move the cross by eight pixels of the screen, or with Shift by one of the picture.
  moveCross(right, down, finely) {
    if (!this.at) return;
    const step = finely ? 1 : Math.max(1, (8 * this.pane.pixels) / this.at.scale);
    const from = this.cross ?? { x: this.view.x * this.width, y: this.view.y * this.height };
    this.cross = {
      x: clamp(from.x + right * step, 0, this.width - 0.5),
      y: clamp(from.y + down * step, 0, this.height - 0.5),
      side: 0,
    };
    const across = this.pane.width / this.at.scale / this.width / 2;
    const along = this.pane.height / this.at.scale / this.height / 2;
    this.view.x = clamp(this.view.x, this.cross.x / this.width - across,
      this.cross.x / this.width + across);
    this.view.y = clamp(this.view.y, this.cross.y / this.height - along,
      this.cross.y / this.height + along);
    this.read(this.cross);
    this.refresh();
  }

  say(text) {
    this.hint.textContent = text;
    this.hint.hidden = false;
    clearTimeout(this.saying);
    this.saying = setTimeout(() => { this.hint.hidden = true; }, 1200);
  }

  // Say what the model saw at a spot: class, probability, runner-up, and by how much it leads.
  read(spot) {
    if (!spot || !this.masks.length) {
      this.probe.textContent = "";
      return;
    }
    const [x, y] = [Math.floor(spot.x), Math.floor(spot.y)];
    const parts = [`x ${x}, y ${y}`];
    this.masks.forEach((mask, index) => {
      const side = this.masks.length > 1 ? `${"AB"[index]} ` : "";
      parts.push(side + this.seenAt(mask, x + 0.5, y + 0.5));
    });
    this.probe.textContent = parts.join("  ·  ");
  }

  seenAt(mask, x, y) {
    const column = maskIndex(x, this.width, mask.width, columnsCovered(mask));
    const row = maskIndex(y, this.height, mask.height, rowsCovered(mask));
    if (column < 0 || row < 0) return "not seen by the model";
    const at = row * mask.width + column;
    const { name } = mask.classes[mask.labels[at]];
    if (mask.levels) {
      const about = mask.step > 1 ? "about " : "";
      const whose = mask.labels[at] ? "" : `, ${mask.classes[1].name}`;
      return `${name}${whose} ${about}${percentAt(mask, at)} %`;
    }
    if (!mask.confidence) return name;
    const size = mask.labels.length;
    const [first, second] = [mask.confidence[at], mask.confidence[2 * size + at]];
    const runner = mask.classes[mask.confidence[size + at]];
    return `${name} ${first} %, then ${runner.name} ${second} %, margin ${first - second}`;
  }

  // ------------------------------------------------------------------------------------ drawing

  // Bring controls and layout up to date, and draw.
  refresh() {
    if (!this.masks.length) return;
    this.applyThreshold();
    this.updateControls();
    this.draw();
  }

  draw() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      if (!this.masks.length || !this.layout()) return;
      this.compose();
      this.root.dataset.painted = this.masks[0].serial;
    });
  }

  compose() {
    const { context, mode } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const pair = this.masks.length > 1;
    const left = { photo: true, tint: pair ? 0 : null };
    const right = { photo: true, tint: pair ? 1 : 0 };
    const [first, second] = this.panes;
    if (mode === "side by side") {
      this.drawPane(first, left);
      this.drawPane(second, right);
    } else if (mode === "swipe") {
      const at = Math.round(this.swipe * this.canvas.width);
      this.drawPane(first, left, [0, at]);
      this.drawPane(first, right, [at, this.canvas.width]);
    } else if (mode === "blink") this.drawPane(first, this.second ? right : left);
    else if (mode === "photo") this.drawPane(first, { photo: true, tint: null });
    else if (mode === "mask") this.drawPane(first, { photo: false, tint: this.shown });
    else if (mode === "difference") this.drawDifference(first);
    else this.drawPane(first, { photo: true, tint: this.shown });
    if (this.cross) this.drawCross(first);
  }

  drawPane(pane, { photo, tint }, columns = null) {
    const { context } = this;
    context.save();
    context.beginPath();
    const [from, to] = columns ?? [pane.left, pane.left + this.pane.width];
    context.rect(from, pane.top, to - from, this.pane.height);
    context.clip();
    if (photo && this.photo) context.drawImage(this.photoAtSize(), pane.left, pane.top);
    if (tint !== null) {
      context.globalAlpha = photo && this.photo && !this.state.outline ? this.state.opacity : 1;
      context.drawImage(this.tint(tint), pane.left, pane.top);
    }
    context.restore();
  }

  drawDifference(pane) {
    const { context } = this;
    if (this.photo) {
      context.globalAlpha = 0.35;
      context.drawImage(this.photoAtSize(), pane.left, pane.top);
      context.globalAlpha = 1;
    }
    context.drawImage(this.differenceTint(), pane.left, pane.top);
  }

  drawCross(pane) {
    const { context } = this;
    const x = pane.left + this.at.left + (Math.floor(this.cross.x) + 0.5) * this.at.scale;
    const y = pane.top + this.at.top + (Math.floor(this.cross.y) + 0.5) * this.at.scale;
    const arm = 10 * this.pane.pixels;
    for (const [width, color] of [[4, "#000"], [2, "#fff"]]) {
      context.lineWidth = width * this.pane.pixels;
      context.strokeStyle = color;
      context.beginPath();
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        context.moveTo(x + (dx * arm) / 3, y + (dy * arm) / 3);
        context.lineTo(x + dx * arm, y + dy * arm);
      }
      context.stroke();
    }
  }

  // Return the layer's canvas, cleared to a pane's size, or null where it is still what *key* says.
  stale(layer, key) {
    if (layer.key === key) return null;
    layer.key = key;
    layer.canvas.width = this.pane.width; // clears it, too
    layer.canvas.height = this.pane.height;
    return layer.canvas.getContext("2d");
  }

  photoAtSize() {
    const context = this.stale(this.photoLayer, `${this.masks[0].serial} ${this.spotKey}`);
    if (context) {
      const { scale, left, top } = this.at;
      const { bitmap } = this.photo;
      const enlarged = (scale * this.width) / bitmap.width;
      context.imageSmoothingEnabled = enlarged < 3; // enlarged further, pixels are what one looks for
      context.imageSmoothingQuality = "high";
      context.drawImage(bitmap, left, top, this.width * scale, this.height * scale);
    }
    return this.photoLayer.canvas;
  }

  tint(index) {
    const mask = this.masks[index];
    const { hidden, outline, threshold } = this.state;
    const level = mask.confidence && this.ownThreshold === null ? Math.round(threshold * 100) : 0;
    const key = JSON.stringify([versionOf(mask), this.spotKey, hidden, outline, level]);
    const layer = this.tints[index];
    const context = this.stale(layer, key);
    if (context) {
      const colors = Uint32Array.from(mask.classes, (one) =>
        (hidden.includes(one.name) ? 0 : packed(one.rgb)));
      const seen = this.sampled(mask, level);
      const image = context.createImageData(this.pane.width, this.pane.height);
      const out = new Uint32Array(image.data.buffer);
      if (outline) edges(seen, this.pane, colors, out);
      else for (let i = 0; i < out.length; i++) if (seen[i] >= 0) out[i] = colors[seen[i]];
      context.putImageData(image, 0, 0);
    }
    return layer.canvas;
  }

  differenceTint() {
    const layer = this.tints[2];
    const key = JSON.stringify([this.masks.map(versionOf), this.spotKey, this.only]);
    const context = this.stale(layer, key);
    if (context) {
      const [a, b] = this.masks;
      const [seenA, seenB] = [this.sampled(a, 0), this.sampled(b, 0)];
      const colors = Uint32Array.from(this.union, (one) => packed(one.rgb));
      const image = context.createImageData(this.pane.width, this.pane.height);
      const out = new Uint32Array(image.data.buffer);
      const stripe = Math.max(2, Math.round(3 * this.pane.pixels));
      const { width } = this.pane;
      for (let i = 0, x = 0, y = 0; i < out.length; i++) {
        if (seenA[i] >= 0 && seenB[i] >= 0) {
          const [from, to] = [a.common[seenA[i]], b.common[seenB[i]]];
          const wanted = this.only === null || this.only === from * this.union.length + to;
          if (from !== to && wanted) {
            out[i] = colors[(Math.floor((x + y) / stripe) & 1) === 0 ? from : to];
          }
        }
        if (++x === width) { x = 0; y++; }
      }
      context.putImageData(image, 0, 0);
    }
    return layer.canvas;
  }

  // Return the label under the middle of each pixel of a pane; -1 beside the picture, where the mask
  // does not reach, and where the model was less sure than *level* percent.
  sampled(mask, level) {
    const { width, height } = this.pane;
    const { scale, left, top } = this.at;
    const along = (count, offset, length, size, covered) => Int32Array.from({ length: count },
      (_, i) => {
        const place = (i + 0.5 - offset) / scale;
        return place >= 0 && place < length ? maskIndex(place, length, size, covered) : -1;
      });
    const columns = along(width, left, this.width, mask.width, columnsCovered(mask));
    const rows = along(height, top, this.height, mask.height, rowsCovered(mask));
    const { labels, confidence } = mask;
    const seen = new Int16Array(width * height).fill(-1);
    for (let y = 0; y < height; y++) {
      if (rows[y] < 0) continue;
      const row = rows[y] * mask.width;
      for (let x = 0, at = y * width; x < width; x++, at++) {
        const column = columns[x];
        if (column >= 0 && (level === 0 || confidence[row + column] >= level)) {
          seen[at] = labels[row + column];
        }
      }
    }
    return seen;
  }
}

function swatch(color) {
  const made = element("i", { className: "wnb-swatch" });
  made.style.background = color;
  return made;
}

// What is drawn of a mask changes with its version.
const versionOf = ({ serial, version }) => `${serial}.${version}`;

// The size of the image that a mask without one belongs to, in pixels of the mask.
function framed(mask) {
  const along = (size, [start, end]) => Math.max(1, Math.round(size / (end - start)));
  return [along(mask.width, columnsCovered(mask)), along(mask.height, rowsCovered(mask))];
}

// Color the pixels that have another label within a line's width, each in its own color.
function edges(seen, { width, height, pixels }, colors, out) {
  const reach = Math.max(1, Math.round(2 * pixels));
  for (let y = 0, i = 0; y < height; y++) {
    const up = y >= reach ? -reach * width : 0;
    const down = y + reach < height ? reach * width : 0;
    for (let x = 0; x < width; x++, i++) {
      const label = seen[i];
      if (label < 0 || !colors[label]) continue;
      const left = x >= reach ? -reach : 0;
      const right = x + reach < width ? reach : 0;
      if (seen[i + left] !== label || seen[i + right] !== label
        || seen[i + up] !== label || seen[i + down] !== label) out[i] = colors[label];
    }
  }
}
