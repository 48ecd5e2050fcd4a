// A gallery's controls above the grid: what is asked, the order, and how tiles look.

import { button, element, opacitySlider, setText, slider } from "./elements.js";

/** @import { Facet, Sorting } from "./gallery_histogram.js" */
/**
 * @typedef {object} BarActs
 * @property {(text: string) => void} ask
 * @property {(name: string) => void} sortBy what deserves a look comes first
 * @property {(name: string, descending: boolean) => void} sort
 * @property {(layer: string) => void} layer
 * @property {(size: number, settled: boolean) => void} size
 * @property {(opacity: number, settled: boolean) => void} opacity
 * @property {() => void} clear
 * @property {() => void} matrix
 * @property {(open: boolean) => void} filters in a narrow place, where they open below the bar
 * @property {() => void} failed
 * @property {() => Promise<string>} code
 * @property {(which: string) => void} drop
 */

/** @type {Record<string, string>} */
const LAYERS = {
  prediction: "Prediction",
  truth: "Truth",
  wrong: "Wrong pixels",
  other: "Other run",
  disagreement: "Where the runs differ",
};
const COPIED_MS = 2000;

/**
 * @param {string} label
 * @param {HTMLElement} control
 */
const labeled = (label, control) =>
  element("label", { className: "wnb-gallery-field" }, element("span", {}, label), control);

export class Bar {
  /**
   * @param {{ title: string, rows: number, failed: number, facets: Facet[], layers: string[], asks: boolean, matrix: boolean, code: boolean }} about
   * @param {BarActs} acts
   */
  constructor({ title, rows, failed, facets, layers, asks, matrix, code }, acts) {
    this.rows = rows;
    this.acts = acts;
    this.count = element("output", { className: "wnb-gallery-count", "aria-live": "polite" });
    this.failures = failed;
    /** The columns of figures: images that failed have none, and come last in their order. */
    this.figures = new Set(facets.filter(({ kind }) => kind === "number").map(({ name }) => name));
    this.failed = button(
      {
        className: "wnb-gallery-button wnb-gallery-failed",
        title: "Show the images that failed, with what went wrong",
        hidden: !failed,
      },
      [],
      () => acts.failed(),
    );
    this.query = element("input", {
      type: "search",
      className: "wnb-gallery-query",
      placeholder: this.example(facets),
      "aria-label": "Filter by an expression",
      spellcheck: false,
      autocomplete: "off",
      hidden: !asks,
    });
    // A notebook takes the key otherwise, and no change follows.
    this.query.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter") acts.ask(this.query.value);
    });
    this.query.addEventListener("change", () => acts.ask(this.query.value));
    this.query.addEventListener("search", () => acts.ask(this.query.value));
    this.problem = element("div", { className: "wnb-problem", role: "alert", hidden: true });
    this.sort = element("select", { "aria-label": "Sort by" });
    this.sort.append(element("option", { value: "name" }, "name"));
    for (const { name, label } of facets)
      this.sort.append(element("option", { value: name }, label));
    this.sort.addEventListener("change", () => acts.sortBy(this.sort.value));
    this.descending = false;
    this.direction = button({ className: "wnb-gallery-direction" }, [""], () =>
      acts.sort(this.sort.value, !this.descending),
    );
    this.layer = element("select", { "aria-label": "What lies over the images" });
    for (const one of layers)
      this.layer.append(element("option", { value: one }, LAYERS[one] ?? one));
    this.layer.addEventListener("change", () => acts.layer(this.layer.value));
    this.size = slider({ min: 64, max: 400, step: 2, "aria-label": "Size" }, acts.size);
    this.opacity = opacitySlider(acts.opacity);
    this.filters = button(
      { className: "wnb-gallery-button wnb-gallery-filters", "aria-expanded": "false" },
      ["Filters"],
      () => {
        const open = this.filters.getAttribute("aria-expanded") !== "true";
        this.filters.setAttribute("aria-expanded", String(open));
        acts.filters(open);
      },
    );
    this.matrix = button(
      { className: "wnb-gallery-button", "aria-expanded": "false", hidden: !matrix },
      ["Confusions"],
      () => acts.matrix(),
    );
    this.code = button({ className: "wnb-gallery-button", hidden: !code }, ["Copy code"], () =>
      this.copy(),
    );
    this.copied = element("div", { className: "wnb-gallery-code", hidden: true });
    this.chips = element("div", {
      className: "wnb-gallery-chips",
      role: "group",
      "aria-label": "Active filters",
      hidden: true,
    });
    const sorting = element(
      "span",
      { className: "wnb-gallery-pair" },
      labeled("Sort", this.sort),
      this.direction,
    );
    this.root = element(
      "div",
      { className: "wnb-gallery-bar" },
      element(
        "div",
        { className: "wnb-gallery-line" },
        element("strong", { className: "wnb-gallery-title" }, title),
        this.count,
        this.failed,
        this.query,
      ),
      this.problem,
      element(
        "div",
        { className: "wnb-gallery-line" },
        this.filters,
        sorting,
        ...(layers.length > 1 ? [labeled("Show", this.layer)] : []),
        labeled("Size", this.size),
        ...(layers.length ? [labeled("Opacity", this.opacity)] : []),
        this.matrix,
        this.code,
      ),
      this.copied,
      this.chips,
    );
  }

  /** @param {Facet[]} facets */
  example(facets) {
    const plain = facets.filter(({ name, kind }) => kind === "number" && /^[a-z_]\w*$/i.test(name));
    const classes = plain.filter((one) => one.group === "classes");
    const [first, second] = [...classes.slice(-2), ...plain];
    if (!first) return "status == 'done'";
    return second && second !== first
      ? `${first.name} < 0.05 and ${second.name} > 0`
      : `${first.name} < 0.05`;
  }

  async copy() {
    const code = await this.acts.code();
    const text = element(
      "pre",
      { tabIndex: 0, "aria-label": "The Python of this selection" },
      code,
    );
    const close = button(
      { className: "wnb-facet-clear", "aria-label": "Close the code", title: "Close" },
      ["×"],
      () => {
        this.copied.hidden = true;
      },
    );
    this.copied.replaceChildren(text, close);
    this.copied.hidden = false;
    try {
      await navigator.clipboard.writeText(code);
      this.code.textContent = "Copied";
      setTimeout(() => {
        this.code.textContent = "Copy code";
      }, COPIED_MS);
    } catch {
      getSelection()?.selectAllChildren(text); // no clipboard here: it is selected to be copied
    }
  }

  /** @param {string} problem */
  complain(problem) {
    setText(this.problem, problem);
    this.query.setAttribute("aria-invalid", String(Boolean(problem)));
  }

  /**
   * @param {{ selected: number, text: string, sorting: Sorting, layer: string, size: number, opacity: number, matrix: boolean, chips: [which: string, words: string][] }} state
   */
  update({ selected, text, sorting, layer, size, opacity, matrix, chips }) {
    const all = this.rows.toLocaleString("en");
    const one = this.rows === 1 ? "image" : "images";
    const words =
      selected === this.rows
        ? `${all} ${one}`
        : `${selected.toLocaleString("en")} of ${all} ${one}`;
    if (this.count.value !== words) this.count.value = words;
    if (document.activeElement !== this.query) this.query.value = text;
    this.descending = sorting.descending;
    if (![...this.sort.options].some((option) => option.value === sorting.name)) {
      this.sort.append(element("option", { value: sorting.name }, sorting.name));
    }
    this.sort.value = sorting.name;
    const last = this.figures.has(sorting.name) ? ", sorted last" : "";
    this.failed.textContent = `${this.failures?.toLocaleString("en")} failed${last}`;
    this.direction.textContent = sorting.descending ? "▼" : "▲";
    const title = sorting.descending ? "Highest first; change" : "Lowest first; change";
    this.direction.title = title;
    this.direction.setAttribute("aria-label", title);
    if (layer.startsWith("cell:")) {
      if (![...this.layer.options].some((option) => option.value === layer)) {
        this.layer.append(element("option", { value: layer }, "This confusion"));
      }
    }
    for (const option of [...this.layer.options]) {
      if (option.value.startsWith("cell:") && option.value !== layer) option.remove();
    }
    this.layer.value = layer;
    this.size.value = String(size);
    this.opacity.value = String(Math.round(100 * opacity));
    this.matrix.setAttribute("aria-expanded", String(matrix));
    this.showChips(chips);
  }

  /** @param {[which: string, words: string][]} chips */
  showChips(chips) {
    const key = JSON.stringify(chips);
    if (this.chips.dataset.key === key) return;
    this.chips.dataset.key = key;
    this.chips.hidden = !chips.length;
    const made = chips.map(([which, words]) =>
      button(
        {
          className: "wnb-gallery-chip",
          title: `Remove: ${words}`,
          "aria-label": `Remove the filter ${words}`,
        },
        [words, element("span", { "aria-hidden": "true" }, " ×")],
        () => this.acts.drop(which),
      ),
    );
    if (made.length > 1) {
      made.push(
        button({ className: "wnb-gallery-chip wnb-gallery-clear" }, ["Clear all"], () =>
          this.acts.clear(),
        ),
      );
    }
    this.chips.replaceChildren(...made);
  }
}
