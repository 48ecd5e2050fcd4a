// What a gallery's page gets of its columns and of their order: as much of it as it needs. A page of
// 100,000 rows shows histograms and the first rows; only a filter needs all rows.

import { rowNumbers } from "./gallery_source.js";
import { inflated } from "./masks.js";

/** @import { Selection } from "./gallery_selection.js" */
/** @import { Source } from "./gallery_source.js" */
/**
 * @typedef {object} ColumnActs
 * @property {() => { name: string, descending: boolean }} sorting
 * @property {() => string[]} inView the columns that are drawn
 * @property {(name: string) => void} changed more is known of a column
 * @property {(grown: boolean) => void} ordered the rows have another order, or more of the same one
 * @property {(error: unknown) => void} failed
 */

const FIRST_ROWS = 2000; // of an order: the others are asked for once they are needed

export class Columns {
  /**
   * @param {Source} source
   * @param {Selection} selection
   * @param {ColumnActs} acts
   */
  constructor(source, selection, acts) {
    this.source = source;
    this.selection = selection;
    this.acts = acts;
    /** @type {Map<string, Promise<void>>} */
    this.loading = new Map();
    this.asked = ""; // the order that the rows are to be in
    this.ordering = Promise.resolve(); // once they are
    this.sorted = ""; // the order that they are in
    this.most = Math.min(FIRST_ROWS, selection.count); // rows whose order is asked for
    this.filtering = false; // once there was a filter, or someone was about to set one
  }

  /** Whether there is an order. */
  get ready() {
    return this.sorted !== "";
  }

  /** @param {string} name of a column that came into view */
  seen(name) {
    this.load(name);
    if (this.filtering) this.loadBins(name);
  }

  /** Get what filters need, so that it is there when one is set. */
  prepare() {
    if (this.filtering) return;
    this.filtering = true;
    for (const name of this.acts.inView()) this.loadBins(name);
    this.takeWholeOrder();
  }

  /**
   * Get what the histogram of a column shows.
   *
   * @param {string} name
   */
  load(name) {
    return this.once(name, async () => {
      const facet = await this.source.ask("facet", { name });
      const { edges = null, whole = false, texts = null, labels = [], counts } = facet;
      const totals = new Uint32Array(256);
      totals.set(counts);
      this.selection.columns.set(name, { bins: null, totals, edges, whole, texts, labels });
      this.acts.changed(name);
    });
  }

  /**
   * Get the bin of each row.
   *
   * @param {string} name
   */
  loadBins(name) {
    return this.once(`${name}/bins`, async () => {
      const [{ bins }] = await Promise.all([this.source.ask("bins", { name }), this.load(name)]);
      const binned = this.selection.columns.get(name);
      if (!binned) return; // why not was said
      binned.bins = await inflated(bins);
      this.acts.changed(name);
    });
  }

  /**
   * @param {string} key
   * @param {() => Promise<void>} load
   */
  once(key, load) {
    const before = this.loading.get(key);
    if (before) return before;
    const loading = load().catch((error) => this.acts.failed(error));
    this.loading.set(key, loading);
    return loading;
  }

  /** Get the order to its end. */
  takeWholeOrder() {
    this.most = this.selection.count;
    return this.takeOrder();
  }

  /** Get the order that the rows are to be in, as far as it is needed. */
  takeOrder() {
    const { name, descending } = this.acts.sorting();
    const key = `${name}/${descending}/${this.most}`;
    if (key !== this.asked) {
      this.asked = key;
      this.ordering = this.order(key, name, descending).catch((error) => this.acts.failed(error));
    }
    return this.ordering;
  }

  /**
   * @param {string} key
   * @param {string} name
   * @param {boolean} descending
   */
  async order(key, name, descending) {
    const { most, selection } = this;
    const { order } = await this.source.ask("order", { name, descending, most });
    const rows = rowNumbers(await inflated(order));
    if (this.asked !== key) return; // another one was asked for
    const sorted = `${name}/${descending}`;
    const grown = this.sorted === sorted;
    this.sorted = sorted;
    selection.order = rows;
    this.acts.ordered(grown);
  }
}
