// The tiles of a gallery: what the kernel sent of each row, kept as long as it is likely to be seen
// again, and how it is drawn.

import { element, setText } from "./elements.js";
import { inflated, parsedColor } from "./masks.js";
import { packed } from "./pixels.js";

/** @import { SentTile, Source } from "./gallery_source.js" */
/** @typedef {{ labels: Uint8Array, width: number, height: number, covers: number[] }} TileMask */
/** @typedef {{ image: Blob, side: number }} TileImage */
/** @typedef {SentTile & { url: string, mask: TileMask | null, side: number }} Tile */

/** What a mask covers that says nothing else: the whole image. */
/** @type {[top: number, left: number, bottom: number, right: number]} */
export const WHOLE = [0, 0, 1, 1];

const MOST_KEPT = 600;
const ASKED_AT_ONCE = 40;
const STEP = 16; // pixels between the sizes of thumbnails
const JPEG = 0xff; // the first byte of one
const MARK = "#ff00ff"; // no class of a card without colors of its own has it

/**
 * Return the colors of labels, transparent where they are not drawn.
 *
 * @param {{ name: string, color: string }[]} classes
 * @param {string[]} hidden
 */
export function labelColors(classes, hidden) {
  const colors = new Uint32Array(256);
  classes.forEach(({ name, color }, index) => {
    colors[index] = hidden.includes(name) ? 0 : packed(parsedColor(color));
  });
  return colors;
}

/** The color of pixels that are marked. */
export function markColors() {
  const colors = new Uint32Array(256);
  colors[1] = packed(parsedColor(MARK));
  return colors;
}

/**
 * Return how many pixels the longer side of a thumbnail is to have: no fewer than are drawn, and the
 * same ones while a tile changes its size by little.
 *
 * @param {number} width of a tile
 * @param {number} height
 */
export function thumbnailSide(width, height) {
  const pixels = Math.max(width, height) * (window.devicePixelRatio || 1);
  return STEP * Math.max(1, Math.ceil(pixels / STEP));
}

/** Tiles by row and layer; the ones that were not used for the longest time go first. */
export class TileStore {
  /**
   * @param {Source} source
   * @param {() => void} arrived
   */
  constructor(source, arrived) {
    this.source = source;
    this.arrived = arrived;
    /** @type {Map<string, Tile>} */
    this.kept = new Map();
    /** @type {Map<number, TileImage>} the images of rows, whatever lies over them */
    this.images = new Map();
    /** @type {number[]} */
    this.wanted = [];
    this.layer = "prediction";
    this.side = STEP; // pixels of the thumbnails, at most
    this.asking = false;
    this.stopped = false;
    this.problem = "";
  }

  /** @param {number} row */
  get(row) {
    const key = `${this.layer}/${row}`;
    const tile = this.kept.get(key);
    if (tile) {
      this.kept.delete(key); // to the end
      this.kept.set(key, tile);
    }
    return tile;
  }

  /**
   * Ask for what is on screen; what was asked before and is not there any more is not needed.
   *
   * @param {number[]} rows
   * @param {number} [side] pixels of their thumbnails, at most
   */
  want(rows, side = this.side) {
    this.side = side;
    this.wanted = this.lacking(rows);
    this.ask();
  }

  /**
   * Return the rows whose tiles are not there as large as they are drawn.
   *
   * @param {number[]} rows
   */
  lacking(rows) {
    return rows.filter((row) => (this.kept.get(`${this.layer}/${row}`)?.side ?? 0) < this.side);
  }

  async ask() {
    if (this.asking) return;
    this.asking = true;
    while (this.wanted.length && !this.stopped) {
      const { layer, side } = this;
      const rows = this.wanted.slice(0, ASKED_AT_ONCE);
      try {
        const images = new Map(rows.flatMap((row) => this.imageOf(row, side)));
        const more = { rows, layer, side, bare: [...images.keys()] };
        const { tiles } = await this.source.ask("tiles", more);
        await Promise.all(tiles.map((tile) => this.keep(tile, layer, side, images.get(tile.row))));
        this.problem = "";
      } catch (error) {
        this.problem = error instanceof Error ? error.message : String(error);
        this.wanted = [];
      }
      this.wanted = this.lacking(this.wanted);
      this.arrived();
    }
    this.asking = false;
  }

  /**
   * Return the row with its image, where that is there as large as it is drawn.
   *
   * @param {number} row
   * @param {number} side
   * @returns {[number, TileImage][]}
   */
  imageOf(row, side) {
    const found = this.images.get(row);
    return found && found.side >= side ? [[row, found]] : [];
  }

  /**
   * @param {SentTile} sent without its thumbnail where its image is there
   * @param {string} layer
   * @param {number} side
   * @param {TileImage} [there]
   */
  async keep(sent, layer, side, there) {
    const { labels, width = 0, height = 0, covers = WHOLE, thumbnail } = sent;
    const mask = labels ? { labels: await inflated(labels), width, height, covers } : null;
    if (this.stopped) return;
    const type = thumbnail?.getUint8(0) === JPEG ? "image/jpeg" : "image/webp";
    const found = thumbnail ? { image: new Blob([thumbnail], { type }), side } : there;
    const url = found ? URL.createObjectURL(found.image) : "";
    this.images.delete(sent.row); // to the end
    if (found) this.images.set(sent.row, found);
    for (const row of this.images.keys()) {
      if (this.images.size <= MOST_KEPT) break;
      this.images.delete(row);
    }
    this.drop(`${layer}/${sent.row}`);
    // The bytes are in the URL and the mask.
    this.kept.set(`${layer}/${sent.row}`, {
      ...sent,
      thumbnail: undefined,
      labels: undefined,
      url,
      mask,
      side,
    });
    for (const key of this.kept.keys()) {
      if (this.kept.size <= MOST_KEPT) break;
      this.drop(key);
    }
  }

  /** @param {string} key */
  drop(key) {
    const tile = this.kept.get(key);
    if (tile?.url) URL.revokeObjectURL(tile.url);
    this.kept.delete(key);
  }

  stop() {
    this.stopped = true;
    for (const key of [...this.kept.keys()]) this.drop(key);
    this.images.clear();
  }
}

let painted = 0;

/** One place of the grid, which shows one row after another. */
export class TileView {
  /** @param {string} id */
  constructor(id) {
    this.row = -1;
    this.place = -1; // in the order of the grid
    this.key = "";
    this.style = "";
    this.image = element("img", { alt: "", draggable: false });
    this.canvas = element("canvas", { className: "wnb-gallery-tile-mask" });
    this.inner = element("div", { className: "wnb-gallery-tile-inner" }, this.image, this.canvas);
    this.message = element("div", { className: "wnb-gallery-tile-message" });
    this.frame = element("div", { className: "wnb-gallery-tile-frame" }, this.inner, this.message);
    this.name = element("span", { className: "wnb-gallery-tile-name" });
    this.value = element("span", { className: "wnb-gallery-tile-value" });
    this.detail = element("div", { className: "wnb-gallery-tile-detail" });
    this.wrong = element("div", { className: "wnb-gallery-tile-detail wnb-gallery-tile-wrong" });
    const words = element("div", { className: "wnb-gallery-tile-words" }, this.name, this.value);
    this.root = element(
      "div",
      { className: "wnb-gallery-tile", role: "option", id },
      this.frame,
      words,
      this.detail,
      this.wrong,
    );
  }

  /**
   * Show a row; `version` says what the colors of its mask depend on.
   *
   * @param {number} row
   * @param {Tile | undefined} tile
   * @param {{ width: number, height: number, colors: Uint32Array, version: string, value: string }} look
   */
  show(row, tile, { width, height, colors, version, value }) {
    this.row = row;
    setText(this.value, value);
    const key = `${row}/${tile ? `${tile.side}/${version}` : "waiting"}/${width}`;
    if (key === this.key) return;
    this.key = key;
    this.root.classList.toggle("wnb-gallery-tile-waiting", !tile);
    this.root.classList.toggle("wnb-gallery-tile-failed", Boolean(tile?.error));
    this.name.textContent = tile?.name ?? "…";
    setText(this.detail, tile?.detail ?? "");
    setText(this.wrong, tile?.wrong ? `true: ${tile.wrong}` : "");
    this.root.title = [tile?.name, tile?.detail, tile?.wrong && `true class: ${tile.wrong}`]
      .filter(Boolean)
      .join("\n");
    setText(this.message, tile ? (tile.error ?? tile.problem ?? "") : "");
    this.inner.hidden = !tile || Boolean(tile.error);
    if (!tile || tile.error) return;
    const scale = Math.min(width / tile.size[0], height / tile.size[1]);
    const [w, h] = [tile.size[0] * scale, tile.size[1] * scale];
    this.inner.style.cssText = `width:${w}px;height:${h}px;left:${(width - w) / 2}px;top:${(height - h) / 2}px`;
    this.image.hidden = !tile.url;
    if (this.image.src !== tile.url) this.image.src = tile.url;
    this.paint(tile.mask, colors);
  }

  /**
   * @param {TileMask | null} mask
   * @param {Uint32Array} colors
   */
  paint(mask, colors) {
    this.canvas.hidden = !mask;
    if (!mask) return;
    const { labels, width, height, covers } = mask;
    const { canvas } = this;
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const context = canvas.getContext("2d");
    if (!context) return;
    const pixels = context.createImageData(width, height);
    const out = new Uint32Array(pixels.data.buffer);
    for (let at = 0; at < out.length; at++) out[at] = colors[labels[at]];
    context.putImageData(pixels, 0, 0);
    const [top, left, bottom, right] = covers.map((part) => 100 * part);
    Object.assign(canvas.style, {
      left: `${left}%`,
      top: `${top}%`,
      width: `${right - left}%`,
      height: `${bottom - top}%`,
    });
    painted += 1;
  }
}

/** How many masks were painted: what tests and benchmarks look at. */
export const masksPainted = () => painted;
