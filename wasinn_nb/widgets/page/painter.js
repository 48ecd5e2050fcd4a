// Draws the view. Layers, each drawn again only when what it depends on changes, and laid over one
// another by `paint`: the image at the canvas's own size, and for each mask its tint. Moving the
// opacity slider lays them over one another and does nothing else.

import { element } from "./elements.js";
import { parsedColor, versionOf } from "./masks.js";
import { drawings } from "./modes.js";
import { fill, fillChanges, outline, packed, sampled } from "./pixels.js";

/** @import { Corner, Layout, Placement, Point, Size } from "./geometry.js" */
/** @import { Mask } from "./masks.js" */
/** @import { Drawing } from "./modes.js" */
/** @import { DecodedImage, View } from "./view.js" */
/** @typedef {Layout["pane"]} Pane */
/** @typedef {{ context: CanvasRenderingContext2D, key: string }} Layer */
/** @typedef {Layer & { bitmap?: ImageBitmap }} ImageLayer */

const SHARP_FROM = 3; // enlarged further, pixels are what one looks for
const PALE = 0.35; // the image under a difference
const CROSS_ARM = 10;
const DIFFERENCE = 2; // its layer stands after those of the two masks

/** @param {HTMLCanvasElement} canvas */
function contextOf(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser gives no canvas to draw on");
  return context;
}

/** @returns {Layer} */
const emptyLayer = () => ({ context: contextOf(document.createElement("canvas")), key: "" });

export class Painter {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {View} view
   */
  constructor(canvas, view) {
    this.view = view;
    this.context = contextOf(canvas);
    /** @type {ImageLayer[]} */
    this.images = [emptyLayer(), emptyLayer()]; // the one on screen, and one that is awaited
    this.early = contextOf(element("canvas", { width: 1, height: 1 }));
    this.tints = [emptyLayer(), emptyLayer(), emptyLayer()];
    /** @type {ImageData | null} */
    this.pixels = null; // what is put onto a layer
    /** @type {Pane} */
    this.pane = { width: 0, height: 0, pixels: 1 };
    /** @type {Placement} */
    this.placement = { scale: 1, left: 0, top: 0 };
  }

  /**
   * @param {Layout} layout
   * @param {Placement} placement
   */
  paint({ panes, pane }, placement) {
    const { context, view } = this;
    this.pane = pane;
    this.placement = placement;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, context.canvas.width, context.canvas.height);
    if (view.mode === "difference") this.drawDifference(panes[0]);
    else for (const one of drawings(view.mode, view.pair, view)) this.draw(one, panes[one.pane]);
    if (view.cross) this.drawCross(panes[0], view.cross);
  }

  /**
   * @param {Drawing} drawing
   * @param {Corner} corner
   */
  draw({ image, mask, columns }, { left, top }) {
    const { context, view, pane } = this;
    const { width } = context.canvas;
    const [from, to] = columns?.map((part) => Math.round(part * width)) ?? [
      left,
      left + pane.width,
    ];
    const bitmap = image ? view.image : null;
    context.save();
    context.beginPath();
    context.rect(from, top, to - from, pane.height);
    context.clip();
    if (bitmap) context.drawImage(this.imageAtSize(bitmap), left, top);
    if (mask !== null) {
      // Lines are drawn at full strength.
      context.globalAlpha = bitmap && !view.settings.outline ? view.settings.opacity : 1;
      context.drawImage(this.tint(mask), left, top);
    }
    context.restore();
  }

  /** @param {Corner} corner */
  drawDifference({ left, top }) {
    const { context, view } = this;
    if (view.image) {
      context.globalAlpha = PALE;
      context.drawImage(this.imageAtSize(view.image), left, top);
      context.globalAlpha = 1;
    }
    context.drawImage(this.differenceTint(), left, top);
  }

  /**
   * @param {Corner} corner
   * @param {Point} cross
   */
  drawCross(corner, cross) {
    const { context, pane, placement } = this;
    const x = corner.left + placement.left + (Math.floor(cross.x) + 0.5) * placement.scale;
    const y = corner.top + placement.top + (Math.floor(cross.y) + 0.5) * placement.scale;
    const arm = CROSS_ARM * pane.pixels;
    /** @type {[width: number, color: string][]} */
    const strokes = [
      [4, "#000"],
      [2, "#fff"],
    ];
    for (const [width, color] of strokes) {
      context.lineWidth = width * pane.pixels;
      context.strokeStyle = color;
      context.beginPath();
      for (const [dx, dy] of [
        [1, 0],
        [-1, 0],
        [0, 1],
        [0, -1],
      ]) {
        context.moveTo(x + (dx * arm) / 3, y + (dy * arm) / 3);
        context.lineTo(x + dx * arm, y + dy * arm);
      }
      context.stroke();
    }
  }

  /**
   * Return a layer's canvas; `draw` draws it anew, onto a clear pane, unless it is still what `key`
   * says.
   *
   * @param {Layer} layer
   * @param {string} key
   * @param {Size} pane
   * @param {(context: CanvasRenderingContext2D) => void} draw
   */
  layered(layer, key, { width, height }, draw) {
    const { context } = layer;
    if (layer.key !== key) {
      layer.key = key;
      // Setting its size clears a canvas, too, but it gets its memory anew.
      if (context.canvas.width === width && context.canvas.height === height) {
        context.clearRect(0, 0, width, height);
      } else Object.assign(context.canvas, { width, height });
      draw(context);
    }
    return context.canvas;
  }

  /**
   * Draw an image that came ahead of its mask, out of sight.
   *
   * @param {DecodedImage} image
   * @param {Pane} pane
   * @param {Placement} placement
   */
  expect(image, pane, placement) {
    const canvas = this.imageAtSize(image, pane, placement);
    this.early.drawImage(canvas, 0, 0, 1, 1); // browsers draw what is needed, and no sooner
  }

  /**
   * @param {DecodedImage} image
   * @param {Pane} [pane]
   * @param {Placement} [placement]
   */
  imageAtSize({ bitmap, ...size }, pane = this.pane, placement = this.placement) {
    const at = this.images.findIndex((one) => one.bitmap === bitmap);
    const [layer] = this.images.splice(at, 1); // that of this image, else the oldest
    this.images.unshift(layer);
    if (layer.bitmap !== bitmap) layer.key = "";
    layer.bitmap = bitmap;
    return this.layered(layer, JSON.stringify([pane, placement]), pane, (context) => {
      const { scale, left, top } = placement;
      const [width, height] = [size.width * scale, size.height * scale];
      context.imageSmoothingEnabled = width / bitmap.width < SHARP_FROM;
      context.imageSmoothingQuality = "high";
      context.drawImage(bitmap, left, top, width, height);
    });
  }

  /** @param {number} index of the mask */
  tint(index) {
    const { masks, settings, ownThreshold } = this.view;
    const mask = masks[index];
    const { hidden } = settings;
    const level = mask.confidence && ownThreshold === null ? settings.threshold : 0;
    const percent = Math.round(level * 100);
    const { pane, placement } = this;
    const key = [versionOf(mask), hidden, settings.outline, percent, pane, placement];
    return this.layered(this.tints[index], JSON.stringify(key), pane, (context) => {
      const colors = Uint32Array.from(mask.classes, (one) =>
        hidden.includes(one.name) ? 0 : packed(one.rgb),
      );
      this.put(context, (out) => {
        if (settings.outline) outline(this.sampled(mask, percent), this.pane, colors, out);
        else fill(mask, percent, this.view.size, this.pane, this.placement, colors, out);
      });
    });
  }

  differenceTint() {
    const { masks, only, comparison } = this.view;
    const { classes, numbers, transitions } = comparison;
    const { pane, placement } = this;
    const key = JSON.stringify([masks.map(versionOf), only, pane, placement]);
    return this.layered(this.tints[DIFFERENCE], key, pane, (context) => {
      const colors = new Uint32Array(classes.length ** 2);
      for (const { index, color } of transitions) {
        if (only === null || only === index) colors[index] = packed(parsedColor(color));
      }
      const seen = masks.map((mask) => this.sampled(mask, 0));
      this.put(context, (out) => fillChanges(seen, numbers, classes.length, colors, out));
    });
  }

  /**
   * @param {Mask} mask
   * @param {number} percent
   */
  sampled(mask, percent) {
    return sampled(mask, percent, this.view.size, this.pane, this.placement);
  }

  /**
   * Put pixels onto a layer.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {(out: Uint32Array) => void} color
   */
  put(context, color) {
    const { width, height } = this.pane;
    if (this.pixels?.width !== width || this.pixels.height !== height) {
      this.pixels = context.createImageData(width, height);
    } else this.pixels.data.fill(0); // quicker than memory that is new
    color(new Uint32Array(this.pixels.data.buffer));
    context.putImageData(this.pixels, 0, 0);
  }
}
