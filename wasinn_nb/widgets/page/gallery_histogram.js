// One column of a gallery: its histogram, over which one drags to filter; of texts, a bar for each.

import { button, element, setText } from "./elements.js";
import { keptRange, rangeFilter } from "./gallery_selection.js";
import { clamp } from "./geometry.js";

/** @import { Binned, Filter, Selection } from "./gallery_selection.js" */
/** @typedef {{ name: string, label: string, group: string, kind: string, color: string, draws: string, high: boolean }} Facet */
/** @typedef {{ name: string, descending: boolean }} Sorting */
/**
 * @typedef {object} FacetActs
 * @property {(name: string, filter: Filter | null, settled: boolean) => void} filter
 * @property {(facet: Facet) => void} sort
 * @property {(facet: Facet, only: boolean) => void} toggle
 */

const HEIGHT = 36;

/** @param {number} value */
const inWords = (value) => value.toLocaleString("en", { maximumSignificantDigits: 6 });

/** @param {HTMLElement} root */
function barColors(root) {
  const style = getComputedStyle(root);
  return ["--wnb-bar-all", "--wnb-bar", "--wnb-bar-off"].map((name) =>
    style.getPropertyValue(name),
  );
}

/** The column of a facet: what all kinds have. */
export class FacetView {
  /**
   * @param {Facet} facet
   * @param {Selection} selection
   * @param {FacetActs} acts
   */
  constructor(facet, selection, acts) {
    this.facet = facet;
    this.selection = selection;
    this.acts = acts;
    this.drawn = false;
    this.marked = ""; // what its head says
    const { label, color, group } = facet;
    this.sort = button(
      { className: "wnb-facet-sort", title: `Sort by ${label}` },
      [element("span", { className: "wnb-facet-name" }, label)],
      () => acts.sort(facet),
    );
    this.arrow = element("span", { className: "wnb-facet-arrow", "aria-hidden": "true" });
    this.sort.append(this.arrow);
    this.clear = button(
      {
        className: "wnb-facet-clear",
        title: `Clear the filter of ${label}`,
        "aria-label": `Clear the filter of ${label}`,
        hidden: true,
      },
      ["×"],
      () => acts.filter(facet.name, null, true),
    );
    this.head = element("div", { className: "wnb-facet-head" }, this.sort, this.clear);
    /** @type {HTMLButtonElement | null} */
    this.swatch = null;
    if (color && group === "classes") this.addSwitches(color);
    this.body = element("div", { className: "wnb-facet-body" });
    this.root = element(
      "section",
      { className: "wnb-facet", "data-column": facet.name, "aria-label": label },
      this.head,
      this.body,
    );
  }

  /** @param {string} color */
  addSwitches(color) {
    const { facet, acts } = this;
    const square = element("i", { className: "wnb-gallery-swatch" });
    square.style.background = color;
    this.swatch = button(
      {
        className: "wnb-facet-swatch",
        title: `Draw ${facet.label} or not`,
        "aria-label": `Draw ${facet.label}`,
      },
      [square],
      () => acts.toggle(facet, false),
    );
    const only = button(
      {
        className: "wnb-facet-only",
        title: `Draw only ${facet.label}, or all again`,
        "aria-label": `Draw only ${facet.label}`,
      },
      ["only"],
      () => acts.toggle(facet, true),
    );
    this.head.prepend(this.swatch);
    this.sort.after(only);
  }

  /**
   * @param {Sorting} sorting
   * @param {string[]} hidden classes
   */
  mark(sorting, hidden) {
    const { facet, swatch } = this;
    const sorted = sorting.name === facet.name;
    const arrow = sorted ? (sorting.descending ? "▼" : "▲") : "";
    const drawn = !hidden.includes(facet.draws);
    const key = `${arrow}/${drawn}`;
    if (key === this.marked) return;
    this.marked = key;
    this.arrow.textContent = arrow;
    this.sort.setAttribute("aria-pressed", String(sorted));
    swatch?.setAttribute("aria-pressed", String(drawn));
  }

  /** Draw what the column holds, once it is there. */
  update() {
    const binned = this.selection.columns.get(this.facet.name);
    if (!binned) return;
    if (!this.drawn) {
      this.drawn = true;
      this.build(binned);
    }
    this.clear.hidden = !this.selection.filters.has(this.facet.name);
    this.refresh(binned);
  }

  /** @param {Binned} _binned */
  build(_binned) {}

  /** @param {Binned} _binned */
  refresh(_binned) {}
}

export class NumberFacet extends FacetView {
  /** @param {Binned} binned */
  build({ edges, whole }) {
    this.upper = whole ? 0 : 1; // what stands for the end of a bin: its own number, or the edge above
    this.edges = edges ?? [0, 1];
    this.end = this.edges.length - 2;
    this.canvas = element("canvas", { className: "wnb-facet-canvas", height: HEIGHT });
    this.window = element("div", { className: "wnb-facet-window" });
    this.handles = ["lowest", "highest"].map((which, index) => {
      const handle = element("div", {
        className: "wnb-facet-handle",
        role: "slider",
        tabIndex: 0,
        "aria-label": `${this.facet.label}, ${which}`,
        "aria-valuemin": "0",
        "aria-valuemax": String(this.end),
      });
      handle.addEventListener("keydown", (event) => this.key(event, index));
      return handle;
    });
    this.track = element(
      "div",
      { className: "wnb-facet-track" },
      this.canvas,
      this.window,
      ...this.handles,
    );
    this.listen(this.track);
    this.width = 0;
    /** @type {string[] | null} */
    this.colors = null;
    this.low = element("span");
    this.chosen = element("output", { className: "wnb-facet-chosen" });
    this.high = element("span");
    const scale = element(
      "div",
      { className: "wnb-facet-scale" },
      this.low,
      this.chosen,
      this.high,
    );
    this.body.replaceChildren(this.track, scale);
    this.low.textContent = inWords(this.edges[0]);
    // Of one bin all values are the same.
    this.high.textContent = this.end ? inWords(this.edges[this.end + this.upper]) : "";
  }

  /** @param {HTMLElement} track */
  listen(track) {
    let from = -1;
    let to = -1;
    /** @param {PointerEvent} event */
    const binAt = (event) => {
      const box = track.getBoundingClientRect();
      const part = (event.clientX - box.left) / Math.max(1, box.width);
      const { end = 0 } = this;
      return clamp(Math.floor(part * (end + 1)), 0, end);
    };
    track.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      const [first, last] = this.range();
      from = binAt(event);
      // At an edge of what is chosen, that edge is moved.
      if (this.selection.filters.has(this.facet.name)) {
        if (event.target === this.handles?.[0]) from = last;
        else if (event.target === this.handles?.[1]) from = first;
      }
      to = binAt(event);
      track.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    track.addEventListener("pointermove", (event) => {
      if (from < 0) return;
      to = binAt(event);
      this.choose(Math.min(from, to), Math.max(from, to), false);
    });
    const end = () => {
      if (from < 0) return;
      this.choose(Math.min(from, to), Math.max(from, to), true);
      from = -1;
    };
    track.addEventListener("pointerup", end);
    track.addEventListener("pointercancel", end);
    track.addEventListener("dblclick", () => this.acts.filter(this.facet.name, null, true));
  }

  range() {
    return keptRange(this.selection.filters.get(this.facet.name), this.edges ?? [0, 1]);
  }

  /**
   * @param {number} first
   * @param {number} last
   * @param {boolean} settled
   */
  choose(first, last, settled) {
    const { name } = this.facet;
    this.acts.filter(name, rangeFilter(name, this.edges ?? [0, 1], first, last), settled);
  }

  /**
   * @param {KeyboardEvent} event
   * @param {number} which
   */
  key(event, which) {
    const range = this.range();
    /** @type {Record<string, number>} */
    const moves = {
      ArrowLeft: -1,
      ArrowDown: -1,
      ArrowRight: 1,
      ArrowUp: 1,
      PageDown: -5,
      PageUp: 5,
      Home: -999,
      End: 999,
    };
    if (event.key === "Escape" || event.key === "Delete") {
      this.acts.filter(this.facet.name, null, true);
    } else if (event.key in moves) {
      const at = clamp(range[which] + moves[event.key], 0, this.end ?? 0);
      range[which] = which ? Math.max(at, range[0]) : Math.min(at, range[1]);
      this.choose(range[0], range[1], true);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {Binned} binned */
  refresh(binned) {
    const { canvas, selection, facet, edges = [0, 1], end = 0, upper = 1 } = this;
    const counts = selection.counts(binned, facet.name);
    if (!canvas || !counts) return; // what was drawn stays until they are there
    const { totals } = binned;
    const bins = end + 1;
    const pixels = window.devicePixelRatio || 1;
    // To read the width anew would lay out the page for every column of a brush.
    this.width ||= canvas.clientWidth;
    const width = Math.round(Math.max(60, this.width || 200) * pixels);
    if (canvas.width !== width) canvas.width = width;
    canvas.height = Math.round(HEIGHT * pixels); // clears it, too
    const context = canvas.getContext("2d");
    const filtered = selection.filters.has(facet.name);
    const [first, last] = this.range();
    if (context) {
      this.colors ??= barColors(this.root);
      const [allColor, barColor, offColor] = this.colors;
      let most = 1;
      for (let bin = 0; bin < bins; bin++) most = Math.max(most, totals[bin]);
      // By the root, so that a few rows stay visible beside many.
      /** @param {number} count */
      const tall = (count) => (count ? Math.max(2, Math.sqrt(count / most) * (HEIGHT - 2)) : 0);
      const step = canvas.width / bins;
      for (let bin = 0; bin < bins; bin++) {
        const [x, w] = [bin * step, Math.max(1, step - pixels)];
        context.fillStyle = allColor;
        const all = tall(totals[bin]) * pixels;
        context.fillRect(x, canvas.height - all, w, all);
        const chosen = bin >= first && bin <= last;
        context.fillStyle = chosen ? barColor : offColor;
        const some = tall(counts[bin]) * pixels;
        context.fillRect(x, canvas.height - some, w, some);
      }
    }
    const [left, right] = [(100 * first) / bins, (100 * (last + 1)) / bins];
    if (this.window) {
      this.window.style.left = `${left}%`;
      this.window.style.width = `${right - left}%`;
      this.window.hidden = !filtered;
    }
    const text = filtered ? `${inWords(edges[first])} to ${inWords(edges[last + upper])}` : "";
    if (this.chosen) this.chosen.value = text;
    this.handles?.forEach((handle, index) => {
      const bin = index ? last : first;
      handle.style.left = `${index ? right : left}%`;
      handle.setAttribute("aria-valuenow", String(bin));
      handle.setAttribute("aria-valuetext", inWords(edges[bin + (index ? upper : 0)]));
    });
  }
}

export class TextFacet extends FacetView {
  /** @param {Binned} binned */
  build({ labels, texts }) {
    /** @type {{ bar: HTMLButtonElement, count: HTMLElement, fill: HTMLElement }[]} */
    this.bars = labels.map((label, index) => {
      const fill = element("i", { className: "wnb-facet-fill" });
      const count = element("span", { className: "wnb-facet-count" });
      const name = element("span", { className: "wnb-facet-text" }, label);
      const bar = button({ className: "wnb-facet-bar", title: label }, [fill, name, count], () =>
        this.flip(texts?.[index] ?? ""),
      );
      return { bar, count, fill };
    });
    const list = element(
      "div",
      { className: "wnb-facet-list" },
      ...this.bars.map((one) => one.bar),
    );
    if (this.bars.length > 8) list.tabIndex = 0;
    this.body.replaceChildren(list);
  }

  /** @param {string} text */
  flip(text) {
    const { name } = this.facet;
    const before = this.selection.filters.get(name)?.texts ?? [];
    const texts = before.includes(text) ? before.filter((one) => one !== text) : [...before, text];
    this.acts.filter(name, texts.length ? { column: name, texts } : null, true);
  }

  /** @param {Binned} binned */
  refresh(binned) {
    const { name } = this.facet;
    const { texts, totals } = binned;
    const counts = this.selection.counts(binned, name);
    if (!counts) return; // what stands there stays until they are there
    const chosen = this.selection.filters.get(name)?.texts;
    const most = Math.max(1, ...totals.subarray(0, texts?.length ?? 0));
    this.bars?.forEach(({ bar, count, fill }, index) => {
      const own = texts?.[index] ?? "";
      bar.setAttribute("aria-pressed", String(chosen?.includes(own) ?? false));
      bar.classList.toggle("wnb-facet-out", chosen !== undefined && !chosen.includes(own));
      setText(count, counts[index].toLocaleString("en"));
      fill.style.width = `${(100 * counts[index]) / most}%`;
    });
  }
}

/**
 * @param {Facet} facet
 * @param {Selection} selection
 * @param {FacetActs} acts
 * @returns {FacetView}
 */
export function facetView(facet, selection, acts) {
  const Kind = facet.kind === "text" ? TextFacet : NumberFacet;
  return new Kind(facet, selection, acts);
}
