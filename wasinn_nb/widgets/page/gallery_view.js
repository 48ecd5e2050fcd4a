// A gallery: brings columns, filters, grid and viewer together.

import { element } from "./elements.js";
import { Bar } from "./gallery_bar.js";
import { Columns } from "./gallery_columns.js";
import { OpenedDialog } from "./gallery_dialog.js";
import { Facets } from "./gallery_facets.js";
import { Grid } from "./gallery_grid.js";
import { MatrixPanel } from "./gallery_matrix.js";
import { Selection } from "./gallery_selection.js";
import { unpackedBits } from "./gallery_source.js";
import { labelColors, markColors, TileStore } from "./gallery_tiles.js";
import { lostKernel } from "./lost.js";
import { inflated } from "./masks.js";
import { carried, listening } from "./model.js";
import { hidingStill } from "./stills.js";

/** @import { Facet } from "./gallery_histogram.js" */
/** @import { Class, Matrix } from "./gallery_matrix.js" */
/** @import { Filter } from "./gallery_selection.js" */
/** @import { Source } from "./gallery_source.js" */
/** @import { Model } from "./model.js" */
/** @typedef {{ title: string, rows: number, failed: number, aspect: number, details: number, facets: Facet[], classes: Class[], layers: string[], matrix: Matrix | null, asks: boolean, code: boolean, notes: string[] }} About */
/**
 * @typedef {object} GalleryTraits
 * @property {string} text
 * @property {string} sort_by
 * @property {boolean} descending
 * @property {number} tile_size
 * @property {number} opacity
 * @property {string[]} hidden
 * @property {string} layer
 * @property {Filter[]} _filters
 * @property {number[]} _cell
 * @property {About} _about
 * @property {string} _still_id
 */

const IN_DETAILS = new Set(["label", "probability"]); // a tile says both of its class
const VALUES_KEPT = 4000;
/** @type {(keyof GalleryTraits)[]} */
const SELECTING = ["text", "_filters", "_cell", "sort_by", "descending"];

/** @param {unknown} error */
const messageOf = (error) => (error instanceof Error ? error.message : String(error));

export class GalleryView {
  /**
   * @param {Model<GalleryTraits>} model
   * @param {Source} source
   * @param {HTMLElement} el
   */
  constructor(model, source, el) {
    this.model = model;
    this.source = source;
    this.about = model.get("_about");
    this.listening = listening(model);
    this.selection = new Selection(this.about.rows);
    /** @type {Map<string, string>} */
    this.values = new Map(); // what stands below tiles: "column/row" → its value
    this.matrixShown = false;
    /** @type {string[] | null} */
    this.before = null; // what was hidden before one class was drawn alone
    /** @type {Promise<void> | null} */
    this.asking = null; // whether the expression that was typed last can be read
    this.colorsKey = "";
    this.colors = new Uint32Array(256);
    this.stopped = false;
    /** @type {{ key: string, holds: Uint8Array } | null} */
    this.known = null; // for which rows the last expression holds

    this.columns = new Columns(source, this.selection, {
      sorting: () => ({ name: model.get("sort_by"), descending: model.get("descending") }),
      inView: () => this.facets.seen,
      changed: (name) => {
        if (this.selection.filters.has(name)) this.select();
        else this.refresh();
      },
      ordered: (grown) => this.select(grown),
      failed: (error) => this.bar.complain(messageOf(error)),
    });
    this.tiles = new TileStore(source, () => this.arrived());
    this.grid = new Grid(this.tiles, {
      open: (place) => this.open(place),
      colors: () => this.lookOfMasks(),
      valueOf: (row) => this.valueOf(row),
      wanted: (rows) => this.askValues(rows),
      further: () => this.columns.takeWholeOrder(),
      needs: (height) => this.body.style.setProperty("--wnb-grid-height", `${height}px`),
    });
    this.grid.count = this.about.rows;
    this.grid.aspect = this.about.aspect;
    this.grid.details = this.about.details;
    this.bar = new Bar({ ...this.about, matrix: this.about.matrix !== null }, this.barActs());
    this.facets = new Facets(
      this.about.facets,
      this.selection,
      this.facetActs(),
      (name) => this.columns.seen(name),
      () => this.columns.prepare(),
    );
    const { matrix } = this.about;
    this.matrix = matrix && new MatrixPanel(matrix, (cell) => this.chooseCell(cell));
    this.matrixHolder = element(
      "div",
      { hidden: true },
      ...(this.matrix ? [this.matrix.root] : []),
    );
    const against = ["truth", "other"].filter((one) => this.about.layers.includes(one));
    this.dialog = new OpenedDialog(source, against, {
      rowAt: async (place) => {
        if (place >= this.grid.rows.length) await this.columns.takeWholeOrder();
        return this.grid.rows[place];
      },
      count: () => this.grid.length,
      moved: (place) => this.grid.moveTo(place),
      closed: () => this.grid.root.focus(),
    });
    this.body = element(
      "div",
      { className: "wnb-gallery-body" },
      this.facets.root,
      this.grid.outer,
    );
    this.stillStyle = element("style");
    const notes = this.about.notes.map((one) =>
      element("p", { className: "wnb-gallery-note" }, one),
    );
    this.root = element(
      "div",
      { className: "wnb-gallery" },
      this.stillStyle,
      this.bar.root,
      lostKernel(model, this.listening.on, "What is drawn can still be looked at"),
      this.matrixHolder,
      this.body,
      ...notes,
      this.dialog.root,
    );
    el.classList.add("wnb-host");
    el.append(this.root);
    this.listen();
    this.takeOrder();
    this.takeFilters();
    this.takeText();
    this.takeCell();
    this.takeLook();
  }

  listen() {
    const { on } = this.listening;
    for (const name of ["sort_by", "descending"]) on(`change:${name}`, () => this.takeOrder());
    for (const name of ["tile_size", "opacity", "hidden", "layer"]) {
      on(`change:${name}`, () => this.takeLook());
    }
    on("change:_filters", () => this.takeFilters());
    on("change:text", () => this.takeText());
    on("change:_cell", () => this.takeCell());
    on("change:_still_id", () => this.hideStill());
    this.hideStill();
  }

  hideStill() {
    const id = this.model.get("_still_id");
    this.stillStyle.textContent = id ? hidingStill(id) : "";
  }

  stop() {
    this.stopped = true;
    this.listening.stop();
    this.facets.stop();
    this.grid.stop();
    this.tiles.stop();
    this.dialog.stop();
    this.source.stop();
  }

  /**
   * Set traits, and let the kernel know.
   *
   * @param {Partial<GalleryTraits>} changed
   */
  set(changed) {
    for (const [name, value] of Object.entries(changed)) {
      this.model.set(/** @type {keyof GalleryTraits} */ (name), /** @type {any} */ (value));
    }
    this.model.save_changes();
  }

  // ---------------------------------------------------------------------- what the controls do

  /** @returns {import("./gallery_bar.js").BarActs} */
  barActs() {
    return {
      ask: (text) => {
        this.asking = this.ask(text.trim());
      },
      sortBy: (name) => this.set({ sort_by: name, descending: this.highFirst(name) }),
      sort: (name, descending) => this.set({ sort_by: name, descending }),
      layer: (layer) => this.set({ layer }),
      size: (size, settled) => {
        this.grid.size = size;
        this.grid.draw();
        if (settled) this.set({ tile_size: size });
      },
      opacity: (opacity, settled) => {
        this.grid.setOpacity(opacity);
        if (settled) this.set({ opacity });
      },
      clear: () => this.set({ _filters: [], _cell: [], text: "" }),
      failed: () => {
        this.filter("status", { column: "status", texts: ["error"] }, true);
      },
      filters: (open) => this.root.classList.toggle("wnb-filters-open", open),
      matrix: () => {
        this.matrixShown = !this.matrixShown;
        this.refresh();
      },
      code: async () => {
        await this.asking;
        return (await this.source.ask("code", carried(this.model, SELECTING))).code;
      },
      drop: (which) => {
        if (which === ":text") this.set({ text: "" });
        else if (which === ":cell") this.chooseCell([]);
        else this.filter(which, null, true);
      },
    };
  }

  /** @returns {import("./gallery_histogram.js").FacetActs} */
  facetActs() {
    return {
      filter: (name, filter, settled) => this.filter(name, filter, settled),
      sort: ({ name }) => {
        const again = this.model.get("sort_by") === name;
        const descending = again ? !this.model.get("descending") : this.highFirst(name);
        this.set({ sort_by: name, descending });
      },
      toggle: ({ draws }, only) => this.toggle(draws, only),
    };
  }

  /** @param {string} name of a column */
  highFirst(name) {
    const facet = this.about.facets.find((one) => one.name === name);
    return facet ? facet.high || (facet.kind === "number" && facet.group === "classes") : false;
  }

  /**
   * @param {string} name
   * @param {Filter | null} filter
   * @param {boolean} settled
   */
  filter(name, filter, settled) {
    if (filter) {
      this.selection.filters.set(name, filter);
      this.columns.loadBins(name);
    } else this.selection.filters.delete(name);
    this.select();
    if (settled) this.set({ _filters: [...this.selection.filters.values()] });
  }

  /**
   * @param {string} name of a class
   * @param {boolean} only
   */
  toggle(name, only) {
    const hidden = this.model.get("hidden");
    const own = this.about.classes.map((one) => one.name);
    const others = own.filter((one) => one !== name);
    if (!only) {
      this.before = null;
      this.set({
        hidden: hidden.includes(name) ? hidden.filter((one) => one !== name) : [...hidden, name],
      });
      return;
    }
    const alone = !hidden.includes(name) && others.every((one) => hidden.includes(one));
    if (alone) {
      this.set({ hidden: this.before ?? [] });
      this.before = null;
      return;
    }
    this.before ??= hidden;
    this.set({ hidden: [...others, ...hidden.filter((one) => !own.includes(one))] });
  }

  /** @param {string} text */
  async ask(text) {
    if (text === this.model.get("text")) {
      this.bar.complain("");
      return;
    }
    try {
      if (text) await this.holds(`text:${text}`, { text }); // or what is wrong with it
      this.bar.complain("");
      this.set({ text });
    } catch (error) {
      this.bar.complain(messageOf(error));
    }
  }

  /** @param {number[]} cell */
  chooseCell(cell) {
    const again = cell.join() === this.model.get("_cell").join();
    if (!cell.length || again) {
      this.set({
        _cell: [],
        layer: this.model.get("layer").startsWith("cell:") ? "prediction" : this.model.get("layer"),
      });
      return;
    }
    const name = `cell:${cell.join(":")}`;
    this.set({ _cell: cell, ...(this.about.layers.includes("truth") ? { layer: name } : {}) });
  }

  /** @param {number} place */
  open(place) {
    this.dialog.open(place);
  }

  // ------------------------------------------------------------------------- what traits say

  takeOrder() {
    this.refresh();
    this.columns.takeOrder();
  }

  takeFilters() {
    const filters = this.model.get("_filters");
    this.selection.filters = new Map(filters.map((one) => [one.column, one]));
    for (const { column } of filters) this.columns.loadBins(column);
    this.select();
  }

  /**
   * @param {string} key
   * @param {Record<string, unknown>} question
   */
  async holds(key, question) {
    if (this.known?.key !== key) {
      const { bits } = await this.source.ask("holds", question);
      this.known = { key, holds: unpackedBits(await inflated(bits), this.about.rows) };
    }
    return this.known.holds;
  }

  takeText() {
    const text = this.model.get("text").trim();
    return this.takeHolds("text", text, { text }, () => this.model.get("text").trim() === text);
  }

  takeCell() {
    const cell = this.model.get("_cell");
    this.matrix?.mark(cell);
    if (cell.length) this.matrixShown = true;
    const same = () => this.model.get("_cell").join() === cell.join();
    return this.takeHolds("cell", cell.join(":"), { cell }, same);
  }

  /**
   * @param {string} name
   * @param {string} key
   * @param {Record<string, unknown>} question
   * @param {() => boolean} still
   */
  async takeHolds(name, key, question, still) {
    if (!key) {
      this.selection.holds.delete(name);
      this.select();
      return;
    }
    try {
      const holds = await this.holds(`${name}:${key}`, question);
      if (!still()) return;
      this.selection.holds.set(name, holds);
      this.select();
    } catch (error) {
      this.bar.complain(messageOf(error));
    }
  }

  takeLook() {
    this.grid.size = this.model.get("tile_size");
    this.grid.setOpacity(this.model.get("opacity"));
    this.tiles.layer = this.model.get("layer");
    this.refresh();
    this.grid.draw();
  }

  // ------------------------------------------------------------------------------- drawing

  lookOfMasks() {
    const [layer, hidden] = [this.model.get("layer"), this.model.get("hidden")];
    const version = JSON.stringify([layer, hidden]);
    if (version !== this.colorsKey) {
      this.colorsKey = version;
      const classes = layer === "truth" ? (this.about.matrix?.classes ?? []) : this.about.classes;
      const labels = ["prediction", "truth", "other"].includes(layer);
      this.colors = labels ? labelColors(classes, hidden) : markColors();
    }
    return { colors: this.colors, version };
  }

  /** @param {boolean} [grown] the order goes further than before, and is the same otherwise */
  select(grown = false) {
    if (this.stopped) return;
    const { selection } = this;
    selection.update();
    if (selection.filters.size || selection.holds.size) this.columns.prepare();
    this.refresh();
    if (!this.columns.ready || !selection.ordered) return;
    this.grid.show(selection.rows, selection.selected, grown && !selection.names.length);
  }

  arrived() {
    if (this.stopped) return;
    if (this.tiles.problem) this.bar.complain(this.tiles.problem);
    this.grid.draw();
  }

  /** @param {number[]} rows */
  async askValues(rows) {
    const name = this.model.get("sort_by");
    if (name === "name") return;
    const missing = rows.filter((row) => !this.values.has(`${name}/${row}`));
    if (!missing.length) return;
    if (this.values.size > VALUES_KEPT) this.values.clear();
    try {
      const { values } = await this.source.ask("values", { name, rows: missing });
      missing.forEach((row, at) => {
        this.values.set(`${name}/${row}`, values[at]);
      });
      this.grid.draw();
    } catch (error) {
      this.bar.complain(messageOf(error));
    }
  }

  /**
   * The value that the rows are sorted by, unless it stands below each image anyway.
   *
   * @param {number} row
   */
  valueOf(row) {
    const name = this.model.get("sort_by");
    return IN_DETAILS.has(name) ? "" : (this.values.get(`${name}/${row}`) ?? "");
  }

  refresh() {
    const { model, selection } = this;
    const sorting = { name: model.get("sort_by"), descending: model.get("descending") };
    this.matrixHolder.hidden = !this.matrixShown;
    this.facets.update(sorting, model.get("hidden"));
    this.bar.update({
      selected: selection.selected,
      text: model.get("text"),
      sorting,
      layer: model.get("layer"),
      size: this.grid.size,
      opacity: model.get("opacity"),
      matrix: this.matrixShown,
      chips: this.chips(),
    });
    this.root.dataset.selected = String(selection.selected);
  }

  /** @returns {[which: string, words: string][]} */
  chips() {
    const text = this.model.get("text").trim();
    const cell = this.model.get("_cell");
    /** @type {[string, string][]} */
    const chips = text ? [[":text", text]] : [];
    if (cell.length && this.matrix) chips.push([":cell", this.matrix.title(cell)]);
    for (const { column, low = null, high = null, texts } of this.selection.filters.values()) {
      const label = this.about.facets.find((one) => one.name === column)?.label ?? column;
      const range = [low === null ? "" : `≥ ${low}`, high === null ? "" : `< ${high}`];
      chips.push([
        column,
        `${label} ${texts ? texts.join(" or ") : range.filter(Boolean).join(" and ")}`,
      ]);
    }
    return chips;
  }
}
