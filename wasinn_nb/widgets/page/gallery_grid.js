// The grid of a gallery: as many tiles as are on screen, however many rows there are.

import { element, unique } from "./elements.js";
import { TileView, thumbnailSide } from "./gallery_tiles.js";
import { clamp } from "./geometry.js";

/** @import { TileStore } from "./gallery_tiles.js" */
/** @typedef {{ columns: number, tile: number, image: number, line: number, lines: number, height: number, scale: number }} Layout */

const GAP = 8;
const WORDS = 22; // pixels of the words below an image
const DETAIL = 16; // and of each further line
const ASPECT = 0.72; // where nothing says how tall images are
const TALLEST = 8_000_000; // pixels that every browser scrolls through exactly
const BORDERS = 2; // pixels of both
const ASK_AFTER_MS = 120;
const SMALL = 104; // pixels of a tile that has no room for a name beside a value

/**
 * Return where tiles are.
 *
 * @param {number} width of the grid
 * @param {number} size that a tile is to have at least
 * @param {number} count of rows
 * @param {number} [aspect] height of the images by their width
 * @param {number} [details] further lines below an image
 * @returns {Layout}
 */
export function gridLayout(width, size, count, aspect = ASPECT, details = 0) {
  const columns = Math.max(1, Math.floor((width + GAP) / (size + GAP)));
  const tile = Math.max(40, Math.floor((width + GAP) / columns) - GAP);
  const image = Math.round(tile * aspect);
  const line = image + WORDS + details * DETAIL + GAP;
  const lines = Math.ceil(count / columns);
  const whole = lines * line;
  return {
    columns,
    tile,
    image,
    line,
    lines,
    height: Math.min(whole, TALLEST),
    scale: Math.max(1, whole / TALLEST),
  };
}

/**
 * Return the lines that are on screen, one more on either side, and where the first one stands.
 *
 * @param {Layout} layout
 * @param {number} top how far the grid is scrolled
 * @param {number} height of what is on screen
 */
export function visibleLines({ line, lines, height: whole, scale }, top, height) {
  // Where the rows are taller than what can be scrolled, a pixel of the scroller is several of them.
  const most = Math.max(1, whole - height);
  const at = scale === 1 ? top : (clamp(top, 0, most) / most) * (lines * line - height);
  const first = clamp(Math.floor(at / line) - 1, 0, Math.max(0, lines - 1));
  const last = clamp(Math.ceil((at + height) / line), 0, Math.max(0, lines - 1));
  return { first, last, offset: top - at + first * line };
}

export class Grid {
  /**
   * @param {TileStore} tiles
   * @param {{ open: (place: number) => void, colors: () => { colors: Uint32Array, version: string }, valueOf: (row: number) => string, wanted: (rows: number[]) => void, further: () => void, needs: (height: number) => void }} acts
   */
  constructor(tiles, acts) {
    this.tiles = tiles;
    this.acts = acts;
    /** @type {Uint32Array} */
    this.rows = new Uint32Array(); // the first ones, or all
    this.length = 0; // of all of them
    this.size = 150;
    this.count = 0; // of all images, whatever is selected
    this.needed = 0; // pixels of height for all of them
    this.aspect = ASPECT;
    this.details = 0; // lines below an image, beside its name
    this.active = 0; // the place that keys move
    /** @type {TileView[]} */
    this.views = [];
    this.frame = 0;
    this.asked = false;
    this.top = 0; // how far it is scrolled
    /** @type {{ width: number, height: number } | null} */
    this.box = null; // what of it is on screen
    this.opacity = "0.5"; // of the masks
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.waiting = undefined;
    this.id = unique();
    this.layout = gridLayout(600, this.size, 0);
    this.space = element("div", { className: "wnb-gallery-grid-space" });
    this.empty = element(
      "p",
      { className: "wnb-gallery-grid-empty", hidden: true },
      "No image passes the filters.",
    );
    this.root = element(
      "div",
      {
        className: "wnb-gallery-grid",
        role: "listbox",
        tabIndex: 0,
        "aria-label": "Images",
        "data-lm-suppress-shortcuts": "true",
      },
      this.space,
    );
    this.outer = element("div", { className: "wnb-gallery-grid-outer" }, this.root, this.empty);
    const scrolled = () => {
      this.top = this.root.scrollTop;
      this.draw();
    };
    this.root.addEventListener("scroll", scrolled, { passive: true });
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.space.addEventListener("click", (event) => this.click(event));
    this.resized = new ResizeObserver(() => {
      this.box = null;
      this.draw();
    });
    this.resized.observe(this.root);
    this.resized.observe(this.outer);
  }

  /**
   * @param {Uint32Array} rows the first ones, or all
   * @param {number} length of all of them
   * @param {boolean} grown there are more of the same rows than before
   */
  show(rows, length, grown) {
    const same = rows === this.rows || grown;
    this.rows = rows;
    this.length = length;
    if (!same) {
      this.active = 0;
      if (this.top) this.root.scrollTop = 0;
      this.top = 0;
    }
    this.draw();
  }

  /** @param {number} opacity of the masks */
  setOpacity(opacity) {
    this.opacity = String(opacity);
    // A variable of the style would be inherited by all that is in the gallery.
    for (const view of this.views) view.canvas.style.opacity = this.opacity;
  }

  draw() {
    if (this.frame) return;
    delete this.root.dataset.drawn; // what is on screen is no longer what is to be seen
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.drawNow();
    });
  }

  drawNow() {
    const { rows, length, root } = this;
    // To read sizes anew would lay out the page at every step of a brush.
    this.box ??= { width: root.clientWidth, height: this.outer.clientHeight - BORDERS };
    const { width, height } = this.box;
    if (!width) {
      this.box = null;
      return;
    }
    const layout = gridLayout(width - 2 * GAP, this.size, length, this.aspect, this.details);
    this.layout = layout;
    this.tell(width);
    this.space.classList.toggle("wnb-gallery-small", layout.tile < SMALL);
    this.space.style.height = `${layout.height + GAP}px`;
    this.empty.hidden = length > 0;
    const { first, last, offset } = visibleLines(layout, this.top, height);
    const start = first * layout.columns;
    const end = Math.min(length, (last + 1) * layout.columns);
    while (this.views.length < end - start) {
      const view = new TileView(`${this.id}-${this.views.length}`);
      this.views.push(view);
      this.space.append(view.root);
    }
    const { colors, version } = this.acts.colors();
    const look = { width: layout.tile, height: layout.image, colors, version };
    /** @type {number[]} */
    const visible = [];
    for (const [at, view] of this.views.entries()) {
      const place = start + at;
      view.root.hidden = place >= end;
      if (place >= end) continue;
      const row = rows[place] ?? -1;
      if (row >= 0) visible.push(row);
      const column = place % layout.columns;
      const line = Math.floor(place / layout.columns) - first;
      const [x, y] = [GAP + column * (layout.tile + GAP), GAP + offset + line * layout.line];
      const style = `width:${layout.tile}px;height:${layout.line - GAP}px;transform:translate(${x}px,${y}px)`;
      if (view.style !== style) {
        view.style = style;
        view.root.style.cssText = style;
        view.frame.style.height = `${layout.image}px`;
      }
      view.canvas.style.opacity = this.opacity;
      view.place = place;
      view.show(row, this.tiles.get(row), { ...look, value: this.acts.valueOf(row) });
      const attributes = {
        "aria-posinset": String(place + 1),
        "aria-setsize": String(length),
        "aria-selected": String(place === this.active),
      };
      for (const [name, value] of Object.entries(attributes)) {
        if (view.root.getAttribute(name) !== value) view.root.setAttribute(name, value);
      }
    }
    const active = this.views.find((view) => !view.root.hidden && view.place === this.active);
    if (active) root.setAttribute("aria-activedescendant", active.root.id);
    else root.removeAttribute("aria-activedescendant");
    root.dataset.drawn = `${visible.filter((row) => this.tiles.get(row)).length}/${Math.max(0, end - start)}`;
    clearTimeout(this.waiting);
    const ask = () => {
      this.tiles.want(visible, thumbnailSide(layout.tile, layout.image));
      this.acts.wanted(visible);
      if (visible.length < end - start) this.acts.further();
    };
    // What is scrolled past is not asked for.
    if (this.asked) this.waiting = setTimeout(ask, ASK_AFTER_MS);
    else ask();
    this.asked = true;
  }

  /**
   * Tell how high the grid is with all images, where that is another height than before.
   *
   * @param {number} width
   */
  tell(width) {
    const { count, aspect, details } = this;
    const { height } = gridLayout(width - 2 * GAP, this.size, count, aspect, details);
    const needed = height + GAP + BORDERS;
    if (needed === this.needed) return;
    this.needed = needed;
    this.acts.needs(needed);
  }

  /** @param {MouseEvent} event */
  click(event) {
    const target =
      event.target instanceof Element ? event.target.closest(".wnb-gallery-tile") : null;
    const view = this.views.find((one) => one.root === target);
    if (!view) return;
    this.active = view.place;
    this.draw();
    this.acts.open(view.place);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const { columns, line } = this.layout;
    const page = Math.max(1, Math.floor(this.root.clientHeight / line)) * columns;
    /** @type {Record<string, number>} */
    const moves = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -columns,
      ArrowDown: columns,
      PageUp: -page,
      PageDown: page,
      Home: -Infinity,
      End: Infinity,
    };
    if (event.ctrlKey || event.metaKey || event.altKey || !this.length) return;
    if (event.key === "Enter" || event.key === " ") this.acts.open(this.active);
    else if (event.key in moves) {
      this.moveTo(clamp(this.active + moves[event.key], 0, this.length - 1));
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {number} place */
  moveTo(place) {
    this.active = place;
    const { columns, line, lines, height, scale } = this.layout;
    const { clientHeight } = this.root;
    const top = Math.floor(place / columns) * line;
    const whole = lines * line - clientHeight;
    const most = Math.max(1, height - clientHeight);
    const at = scale === 1 ? this.top : (this.top / most) * whole;
    let wanted = at;
    if (top < at) wanted = top;
    else if (top + line > at + clientHeight) wanted = top + line - clientHeight + GAP;
    if (wanted !== at) {
      this.root.scrollTop = scale === 1 ? wanted : (wanted / whole) * most;
      this.top = this.root.scrollTop;
    }
    this.draw();
  }

  stop() {
    this.resized.disconnect();
    clearTimeout(this.waiting);
    cancelAnimationFrame(this.frame);
  }
}
