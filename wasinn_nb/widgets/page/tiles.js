// Images to pick from, as tiles: in rows, or in one strip. Of any number, only those in view are on
// the page; one of them is picked, as among radio buttons.

import { element, setText, unique } from "./elements.js";
import { focusPicked } from "./listed.js";

/** @import { Option } from "./options.js" */
/** @import { Thumbnails } from "./thumbnails.js" */
/**
 * @typedef {object} Tile
 * @property {HTMLLabelElement} root
 * @property {HTMLInputElement} radio
 * @property {HTMLImageElement} image
 * @property {HTMLElement} title
 * @property {HTMLElement} reason
 */

const TILE = { width: 104, height: 86 };
const BEYOND = 2; // rows, or tiles of a strip, that are ready beside what is seen
/** @type {Record<string, (grid: { columns: number, page: number }) => number>} */
const STEPS = {
  ArrowLeft: () => -1,
  ArrowRight: () => 1,
  ArrowUp: ({ columns }) => -columns,
  ArrowDown: ({ columns }) => columns,
  PageUp: ({ page }) => -page,
  PageDown: ({ page }) => page,
  Home: () => Number.NEGATIVE_INFINITY,
  End: () => Number.POSITIVE_INFINITY,
};

export class Tiles {
  /**
   * @param {object} about
   * @param {string} about.label
   * @param {boolean} about.strip
   * @param {Thumbnails} about.thumbnails
   * @param {(key: string) => void} about.pick
   */
  constructor({ label, strip, thumbnails, pick }) {
    this.strip = strip;
    this.thumbnails = thumbnails;
    this.pick = pick;
    this.group = unique();
    /** @type {Option[]} */
    this.options = [];
    this.value = "";
    /** @type {Map<string, Tile>} */
    this.tiles = new Map();
    this.columns = 1;
    this.inner = element("div", { className: "wnb-tiles-inner" });
    this.root = element(
      "div",
      {
        className: `wnb-tiles ${strip ? "wnb-strip" : "wnb-grid"}`,
        role: "radiogroup",
        "aria-label": label,
      },
      this.inner,
    );
    this.root.addEventListener("scroll", () => this.draw(), { passive: true });
    this.root.addEventListener("keydown", (event) => this.keyed(event));
    if (strip) this.root.addEventListener("wheel", (event) => this.turned(event));
    this.sized = new ResizeObserver(() => {
      const first = !this.drawn;
      this.draw();
      if (first && this.drawn) this.showPicked();
    });
    this.sized.observe(this.root);
    this.drawn = false;
    thumbnails.watch(this, () => this.draw());
  }

  /**
   * Show these options; a tile that stays is the same element.
   *
   * @param {Option[]} options
   */
  update(options) {
    this.options = options;
    this.draw();
    this.showPicked();
  }

  /** @param {string} value */
  mark(value) {
    this.value = value;
    this.draw();
    this.showPicked();
  }

  /** The tiles that are in view, and where each lies. */
  layout() {
    const { clientWidth, clientHeight, scrollLeft, scrollTop } = this.root;
    const count = this.options.length;
    this.columns = this.strip ? count : Math.max(1, Math.floor(clientWidth / TILE.width));
    const width = this.strip ? TILE.width : clientWidth / this.columns;
    const rows = Math.ceil(count / Math.max(this.columns, 1));
    const [offset, room, size] = this.strip
      ? [scrollLeft, clientWidth, TILE.width]
      : [scrollTop, clientHeight, TILE.height];
    const lines = this.strip ? 1 : this.columns;
    const from = Math.max(0, Math.floor(offset / size) - BEYOND) * lines;
    const to = (Math.ceil((offset + room) / size) + BEYOND) * lines;
    this.page = Math.max(1, Math.floor(room / size)) * lines;
    return { from, to: Math.min(count, to), width, rows, visible: room > 0 };
  }

  draw() {
    const { from, to, width, rows, visible } = this.layout();
    if (!visible) return; // it is not on the page
    this.drawn = true;
    const count = this.options.length;
    this.inner.style.width = this.strip ? `${count * TILE.width}px` : "";
    this.inner.style.height = this.strip ? "" : `${rows * TILE.height}px`;
    const shown = new Set();
    const picked = this.options.findIndex(({ key }) => key === this.value);
    for (let index = from; index < to; index++) shown.add(index);
    if (picked >= 0) shown.add(picked); // so that the Tab key finds it
    const keys = new Set();
    for (const index of shown) {
      const option = this.options[index];
      keys.add(option.key);
      const tile = this.tiles.get(option.key) ?? this.made(option.key);
      const column = this.strip ? index : index % this.columns;
      const row = this.strip ? 0 : Math.floor(index / this.columns);
      tile.root.style.transform = `translate(${column * width}px, ${row * TILE.height}px)`;
      tile.root.style.width = `${width}px`;
      tile.radio.setAttribute("aria-posinset", String(index + 1));
      tile.radio.setAttribute("aria-setsize", String(count));
      this.fill(tile, option);
    }
    for (const [key, tile] of this.tiles) {
      if (keys.has(key)) continue;
      tile.root.remove();
      this.tiles.delete(key);
    }
    const inView = this.options.slice(from, to).filter(({ enabled }) => enabled);
    this.thumbnails.want(
      this,
      inView.map(({ key }) => key),
    );
  }

  /** @param {string} key */
  made(key) {
    const radio = element("input", { type: "radio", name: this.group, value: key });
    radio.addEventListener("change", () => radio.checked && this.pick(key));
    const tile = {
      radio,
      image: element("img", { className: "wnb-thumbnail", alt: "", draggable: false }),
      title: element("span", { className: "wnb-title", dir: "auto" }),
      reason: element("span", { className: "wnb-reason" }),
      root: element("label", { className: "wnb-tile" }),
    };
    tile.root.append(radio, tile.image, tile.reason, tile.title);
    this.inner.append(tile.root);
    this.tiles.set(key, tile);
    return tile;
  }

  /**
   * @param {Tile} tile
   * @param {Option} given
   */
  fill(tile, given) {
    const option = { ...given, ...this.thumbnails.get(given.key) };
    const { key, title, detail, reason, enabled } = option;
    const url = this.thumbnails.get(key)?.url;
    const about = [title, detail, reason].filter(Boolean).join(" · ");
    if (tile.root.title !== about) tile.root.title = about;
    setText(tile.title, title);
    setText(tile.reason, enabled ? "" : reason);
    tile.radio.setAttribute("aria-label", title);
    const words = [detail, reason].filter(Boolean).join(" · ");
    if (words) tile.radio.setAttribute("aria-description", words);
    tile.radio.disabled = !enabled;
    tile.radio.checked = key === this.value;
    tile.root.classList.toggle("wnb-off", !enabled);
    tile.root.classList.toggle("wnb-picked", key === this.value);
    tile.image.hidden = !enabled;
    if (url && tile.image.getAttribute("src") !== url) tile.image.src = url;
    else if (!url) tile.image.removeAttribute("src");
  }

  /** @param {KeyboardEvent} event */
  keyed(event) {
    const step = STEPS[event.key]?.({
      columns: this.strip ? 1 : this.columns,
      page: this.page ?? 1,
    });
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const last = this.options.length - 1;
    const present = this.options.findIndex(({ key }) => key === this.value);
    const target = Math.min(last, Math.max(0, present + step));
    const along = Math.sign(step) || 1;
    for (const direction of [along, -along]) {
      for (let index = target; index >= 0 && index <= last; index += direction) {
        const { key, enabled } = this.options[index];
        if (!enabled || this.thumbnails.get(key)?.enabled === false) continue;
        if (index !== present) {
          this.pick(key);
          this.mark(key);
        }
        this.tiles.get(key)?.radio.focus({ preventScroll: true });
        return;
      }
    }
  }

  /** @param {WheelEvent} event */
  turned(event) {
    const before = this.root.scrollLeft;
    if (!event.deltaX && event.shiftKey) this.root.scrollLeft += event.deltaY;
    if (this.root.scrollLeft !== before) event.preventDefault();
  }

  /** Scroll to what is picked, and nothing else than this: not the notebook. */
  showPicked() {
    const index = this.options.findIndex(({ key }) => key === this.value);
    const { clientWidth, clientHeight } = this.root;
    if (index < 0 || !clientWidth) return;
    const [side, room, size, line] = this.strip
      ? ["scrollLeft", clientWidth, TILE.width, index]
      : ["scrollTop", clientHeight, TILE.height, Math.floor(index / this.columns)];
    const scroller = /** @type {Record<string, number>} */ (/** @type {unknown} */ (this.root));
    const start = Number(line) * Number(size);
    const name = String(side);
    if (start < scroller[name]) scroller[name] = start;
    else if (start + Number(size) > scroller[name] + Number(room)) {
      scroller[name] = start + Number(size) - Number(room);
    }
  }

  /** Put the focus on what is picked, or on the first that can be. */
  focus() {
    focusPicked(this.root);
  }

  dispose() {
    this.sized.disconnect();
    this.thumbnails.unwatch(this);
  }
}
