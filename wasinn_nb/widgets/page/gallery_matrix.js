// The confusion matrix of a gallery: a cell shows its images, and in each the pixels of it.

import { button, element } from "./elements.js";
import { clamp } from "./geometry.js";
import { share } from "./words.js";

/** @typedef {{ name: string, label: string, color: string }} Class */
/** @typedef {{ classes: Class[], cells: [true: number, predicted: number, count: number][], unit: string }} Matrix */

const MOST_IN_TABLE = 24;
const MOST_LISTED = 40;
const NARROWEST_HEAD = 60;
const WIDEST_HEAD = 190;

/** @param {Class} one */
function named(one) {
  const name = element("span", { className: "wnb-matrix-name" }, one.label);
  name.style.minWidth = `${Math.min(one.label.length, 10)}ch`; // beside a long name, too
  if (!one.color) return [name]; // classes of a classifier
  const square = element("i", { className: "wnb-gallery-swatch" });
  square.style.background = one.color;
  return [square, name];
}

export class MatrixPanel {
  /**
   * @param {Matrix} matrix
   * @param {(cell: number[]) => void} choose
   */
  constructor(matrix, choose) {
    this.matrix = matrix;
    this.choose = choose;
    /** @type {Map<string, HTMLButtonElement[]>} */
    this.buttons = new Map();
    /** @type {Map<number, number>} */
    this.totals = new Map(); // of the true classes
    for (const [t, , count] of matrix.cells) this.totals.set(t, (this.totals.get(t) ?? 0) + count);
    const wrong = matrix.cells.filter(([t, p]) => t !== p);
    wrong.sort((a, b) => b[2] - a[2]);
    const parts = [];
    if (matrix.classes.length <= MOST_IN_TABLE) parts.push(this.table());
    parts.push(this.list(wrong.slice(0, MOST_LISTED), wrong.length));
    this.root = element(
      "div",
      { className: "wnb-matrix", role: "group", "aria-label": "Confusions" },
      ...parts,
    );
  }

  table() {
    const { classes, cells } = this.matrix;
    const counts = new Map(cells.map(([t, p, count]) => [`${t}:${p}`, count]));
    const head = classes.map((one) =>
      element("th", { scope: "col" }, element("div", {}, ...named(one))),
    );
    const rows = classes.map((one, t) => {
      const row = classes.map((_, p) => {
        const count = counts.get(`${t}:${p}`) ?? 0;
        return element("td", {}, ...(count ? [this.cell(t, p, count)] : []));
      });
      return element("tr", {}, element("th", { scope: "row" }, ...named(one)), ...row);
    });
    const corner = element("td", { className: "wnb-matrix-corner" }, "true ↓ predicted →");
    const table = element(
      "table",
      {},
      element("thead", {}, element("tr", {}, corner, ...head)),
      element("tbody", {}, ...rows),
    );
    const made = element(
      "div",
      {
        className: "wnb-matrix-table",
        tabIndex: 0,
        role: "region",
        "aria-label": "Confusion matrix",
      },
      table,
    );
    // The names above the columns have the room that the longest takes, up to a limit.
    const longest = Math.max(...classes.map(({ label }) => label.length));
    const room = clamp(24 + 7.5 * longest, NARROWEST_HEAD, WIDEST_HEAD);
    made.style.setProperty("--wnb-head", `${Math.round(room)}px`);
    return made;
  }

  /**
   * @param {number} t
   * @param {number} p
   * @param {number} count
   */
  words(t, p, count) {
    const { classes, unit } = this.matrix;
    const part = share(count, this.totals.get(t) ?? count);
    const counted = `${count.toLocaleString("en")} ${unit}${count === 1 ? "" : "s"}`;
    return `${classes[t].label} as ${classes[p].label}: ${counted}, ${part} of ${classes[t].label}`;
  }

  /**
   * @param {number} t
   * @param {number} p
   * @param {number} count
   */
  cell(t, p, count) {
    const part = count / (this.totals.get(t) ?? count);
    const words = this.words(t, p, count);
    const percent = part < 0.005 ? "<1" : String(Math.round(100 * part));
    const made = button(
      { className: "wnb-matrix-cell", title: words, "aria-label": words },
      [percent],
      () => this.choose([t, p]),
    );
    made.classList.toggle("wnb-matrix-right", t === p);
    made.style.setProperty("--wnb-part", `${Math.round(100 * Math.max(0.06, part))}%`);
    made.classList.toggle("wnb-matrix-strong", part > 0.5);
    this.add(t, p, made);
    return made;
  }

  /**
   * @param {[number, number, number][]} cells
   * @param {number} all
   */
  list(cells, all) {
    const { classes } = this.matrix;
    const items = cells.map(([t, p, count]) => {
      const words = this.words(t, p, count);
      const inner = [
        ...named(classes[t]),
        element("span", { className: "wnb-matrix-as" }, "as"),
        ...named(classes[p]),
        element("span", { className: "wnb-matrix-count" }, count.toLocaleString("en")),
        element(
          "span",
          { className: "wnb-matrix-share" },
          share(count, this.totals.get(t) ?? count),
        ),
      ];
      const made = button(
        { className: "wnb-matrix-item", title: words, "aria-label": words },
        inner,
        () => this.choose([t, p]),
      );
      this.add(t, p, made);
      return element("li", {}, made);
    });
    const title = all
      ? `Most frequent confusions${all > items.length ? `, ${items.length} of ${all}` : ""}`
      : "No confusion.";
    return element(
      "div",
      { className: "wnb-matrix-list" },
      element(
        "div",
        { className: "wnb-matrix-head" },
        element("h3", {}, title),
        ...(all ? this.heads() : []),
      ),
      element("ol", { tabIndex: 0, "aria-label": title }, ...items),
    );
  }

  /** What the two figures of a confusion are; the first orders them. */
  heads() {
    const { unit } = this.matrix;
    return [
      element("span", { className: "wnb-matrix-count" }, `${unit}s ▼`),
      element("span", { className: "wnb-matrix-share" }, "of true class"),
    ];
  }

  /**
   * @param {number} t
   * @param {number} p
   * @param {HTMLButtonElement} made
   */
  add(t, p, made) {
    const key = `${t}:${p}`;
    this.buttons.set(key, [...(this.buttons.get(key) ?? []), made]);
  }

  /** @param {number[]} cell */
  mark(cell) {
    const chosen = cell.join(":");
    for (const [key, buttons] of this.buttons) {
      for (const one of buttons) one.setAttribute("aria-pressed", String(key === chosen));
    }
  }

  /** @param {number[]} cell */
  title([t, p]) {
    const { classes } = this.matrix;
    return `${classes[t].label} as ${classes[p].label}`;
  }
}
