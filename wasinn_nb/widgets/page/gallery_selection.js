// Which rows pass the filters, in which order, and the histograms of those that pass: in typed
// arrays, so that a brush over 100,000 rows takes a few milliseconds.

/** @typedef {{ column: string, low?: number | null, high?: number | null, texts?: string[] }} Filter */
/**
 * A column as it is counted.
 *
 * @typedef {object} Binned
 * @property {Uint8Array | null} bins of each row, once they are there
 * @property {Uint32Array} totals how many of all rows each bin has
 * @property {number[] | null} edges
 * @property {boolean} whole each bin is a whole number
 * @property {string[] | null} texts
 * @property {string[]} labels
 */

export const MISSING = 255;

/**
 * Return which bins a filter keeps: 1 or 0 for each of 256.
 *
 * @param {Filter} filter
 * @param {Pick<Binned, "edges" | "texts">} binned
 */
export function keptBins({ low = null, high = null, texts }, binned) {
  const keep = new Uint8Array(256);
  if (binned.texts) {
    binned.texts.forEach((text, bin) => {
      keep[bin] = texts?.includes(text) ? 1 : 0;
    });
  }
  const { edges } = binned;
  for (let bin = 0; edges && bin < edges.length - 1; bin++) {
    const above = low === null || edges[bin] >= low;
    keep[bin] = above && (high === null || edges[bin] < high) ? 1 : 0;
  }
  return keep;
}

/**
 * Return the filter of a range of bins; null where it keeps all of them.
 *
 * @param {string} column
 * @param {number[]} edges
 * @param {number} first
 * @param {number} last
 * @returns {Filter | null}
 */
export function rangeFilter(column, edges, first, last) {
  const end = edges.length - 2;
  if (first <= 0 && last >= end) return null;
  return {
    column,
    low: first <= 0 ? null : edges[first],
    high: last >= end ? null : edges[last + 1],
  };
}

/**
 * Return the first and the last bin that a filter keeps.
 *
 * @param {Filter | undefined} filter
 * @param {number[]} edges
 * @returns {[first: number, last: number]}
 */
export function keptRange(filter, edges) {
  const end = edges.length - 2;
  if (!filter) return [0, end];
  const keep = keptBins(filter, { edges, texts: null });
  return [Math.max(0, keep.indexOf(1)), Math.max(0, keep.lastIndexOf(1))];
}

export class Selection {
  /** @param {number} count of rows */
  constructor(count) {
    this.count = count;
    /** @type {Map<string, Binned>} */
    this.columns = new Map();
    /** @type {Map<string, Filter>} */
    this.filters = new Map();
    /** @type {Map<string, Uint8Array>} */
    this.holds = new Map(); // what expressions say: 0 or 1 for each row
    this.order = new Uint32Array(); // of all rows, or of the first ones of all
    this.rows = this.order;
    this.selected = count; // how many rows pass
    this.failures = new Uint8Array(count); // how many filters leave a row out
    this.lastFailed = new Uint8Array(count); // and which one did so last
    /** @type {string[]} */
    this.names = []; // of the filters, by the numbers in lastFailed
  }

  /** Whether the order is there as far as it is needed: to its end, where rows are left out. */
  get ordered() {
    return !this.names.length || this.order.length === this.count;
  }

  /** Say again which rows pass. */
  update() {
    const { failures, lastFailed, count } = this;
    failures.fill(0);
    this.names = [];
    for (const [name, filter] of this.filters) {
      const binned = this.columns.get(name);
      if (!binned?.bins) continue; // on its way
      const keep = keptBins(filter, binned);
      const number = this.names.push(name) - 1;
      for (let row = 0; row < count; row++) {
        if (!keep[binned.bins[row]]) {
          failures[row] += 1;
          lastFailed[row] = number;
        }
      }
    }
    for (const [name, holds] of this.holds) {
      const number = this.names.push(`:${name}`) - 1;
      for (let row = 0; row < count; row++) {
        if (!holds[row]) {
          failures[row] += 1;
          lastFailed[row] = number;
        }
      }
    }
    this.rows = this.names.length ? this.passing() : this.order;
    this.selected = this.names.length ? 0 : count;
    if (this.names.length) for (const failed of failures) this.selected += failed ? 0 : 1;
  }

  /** Return the rows that pass, in their order as far as that is known. */
  passing() {
    const { order, failures } = this;
    const rows = new Uint32Array(this.count);
    let passed = 0;
    for (let place = 0; place < order.length; place++) {
      const row = order[place];
      rows[passed] = row;
      passed += failures[row] ? 0 : 1;
    }
    return rows.slice(0, passed);
  }

  /**
   * Return how many rows each bin of a column has: those that pass all filters but the column's own.
   * Null where the bins of the rows are on their way.
   *
   * @param {Binned} binned
   * @param {string} name
   */
  counts({ bins, totals }, name) {
    if (!this.names.length) return totals;
    if (!bins) return null;
    const counts = new Uint32Array(256);
    const { failures, lastFailed, count } = this;
    const own = this.names.indexOf(name);
    if (own < 0) {
      for (let row = 0; row < count; row++) if (!failures[row]) counts[bins[row]] += 1;
      return counts;
    }
    for (let row = 0; row < count; row++) {
      const failed = failures[row];
      if (!failed || (failed === 1 && lastFailed[row] === own)) counts[bins[row]] += 1;
    }
    return counts;
  }
}
