// A mask over its image: composed in the page; no control asks the kernel.

import { element, setText } from "./elements.js";
import {
  clamp,
  dragged,
  followed,
  laidOut,
  movedCross,
  placed,
  spotAt,
  WHOLE,
  zoomed,
} from "./geometry.js";
import { listenToCanvas, listenToDivider } from "./input.js";
import { Legend } from "./legend.js";
import { Loader } from "./loader.js";
import { listening } from "./model.js";
import { notesBelow } from "./notes.js";
import { Painter } from "./painter.js";
import { Stage } from "./stage.js";
import { dimWhileStale } from "./stale.js";
import { hidingStill } from "./stills.js";
import { Toolbar } from "./toolbar.js";
import { View } from "./view.js";
import { seenAt, share } from "./words.js";

/** @import { Layout, Placement, Point, Spot } from "./geometry.js" */
/** @import { SentTraits } from "./loader.js" */
/** @import { Model } from "./model.js" */
/** @import { Note } from "./notes.js" */
/** @import { DecodedImage, Settings } from "./view.js" */
/** @typedef {{ _notes: Note[], _still_id: string, stale: boolean }} OtherTraits */
/** @typedef {Settings & SentTraits & OtherTraits} ViewerTraits */
/** @typedef {{ width: number, highest: number, pixels: number }} Room */

const BLINK_MS = 700;
const MOST_IN_LABEL = 9;
const LEGEND_WIDTH = 210; // as in the style
/** @type {(keyof Settings)[]} */
const SETTINGS = ["mode", "opacity", "outline", "threshold", "hidden"];

/** @type {(a: Room, b: Room | undefined) => boolean} */
const sameRoom = (a, b) => a.width === b?.width && a.highest === b.highest && a.pixels === b.pixels;

const threeQuarters = () => clamp(0.75 * window.innerHeight, 240, 720);

/** Brings model, view and the page's elements together. */
export class Viewer {
  /**
   * @param {Model<ViewerTraits>} model
   * @param {HTMLElement} el
   * @param {{ notes?: boolean, scored?: boolean, highest?: () => number }} [about] whether notes stand
   *   below the image; whether results may have scores, which a threshold needs; the most pixels that
   *   are left for the image's height
   */
  constructor(model, el, { notes = true, scored = true, highest = threeQuarters } = {}) {
    this.model = model;
    this.highest = highest;
    this.view = new View({
      mode: model.get("mode"),
      opacity: model.get("opacity"),
      outline: model.get("outline"),
      threshold: model.get("threshold"),
      hidden: model.get("hidden"),
    });
    this.frame = 0; // the next one, where it is awaited
    this.outdated = false; // whether it has to draw
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.blinking = undefined;
    /** @type {{ layout: Layout, placement: Placement, room: Room } | null} */
    this.drawn = null; // where everything is, once it is on the page
    this.abort = new AbortController();
    this.listening = listening(model);

    this.toolbar = new Toolbar(this.view, this);
    this.toolbar.thresholdLabel.hidden = !scored;
    this.stage = new Stage(this.view);
    this.painter = new Painter(this.stage.canvas, this.view);
    this.legend = new Legend(this.view, this);
    this.probe = element("output", { className: "wnb-probe", "aria-live": "polite" });
    this.problem = element("div", { className: "wnb-problem", role: "alert", hidden: true });
    this.stillStyle = element("style");
    this.imageColumn = element("div", { className: "wnb-image" }, this.stage.root);
    this.foot = element("div", { className: "wnb-foot" }, this.probe);
    this.body = element("div", { className: "wnb-body" }, this.imageColumn, this.legend.root);
    this.root = element(
      "div",
      { className: "wnb-viewer" },
      this.stillStyle,
      this.toolbar.root,
      this.problem,
      this.body,
      this.foot,
      ...(notes ? [notesBelow(model, this.listening.on)] : []),
    );
    el.classList.add("wnb-host");
    el.append(this.root);
    this.stopDimming = dimWhileStale(model, this.listening.on, this.root);
    this.resized = new ResizeObserver(() => this.refresh());
    this.resized.observe(this.body);
    this.loader = new Loader(model, this.view, this);
    this.listen();
    this.loader.listen(this.listening.on);
  }

  dispose() {
    this.abort.abort();
    this.listening.stop();
    this.resized.disconnect();
    this.stopDimming();
    this.stage.dispose();
    clearInterval(this.blinking);
    cancelAnimationFrame(this.frame);
    this.loader.dispose();
  }

  listen() {
    const { model, view } = this;
    const { on } = this.listening;
    for (const name of SETTINGS) {
      on(`change:${name}`, () => {
        Object.assign(view.settings, { [name]: model.get(name) });
        if (this.loader.upToDate) this.refresh(); // where it came with other masks, it is theirs
      });
    }
    on("change:_still_id", () => this.hideStill());
    this.hideStill();
    listenToCanvas(this.stage, this, this.abort.signal);
    listenToDivider(this.stage, this, this.abort.signal);
  }

  /** Hide the image that is saved with the notebook; it shows again when this view goes. */
  hideStill() {
    this.stillStyle.textContent = hidingStill(this.model.get("_still_id"));
  }

  /** @param {string} problem nothing, where there is none any more */
  complain(problem) {
    setText(this.problem, problem);
  }

  // ---------------------------------------------------------------------- what the controls do

  /**
   * Take over a value; the kernel hears of it when the control comes to rest.
   *
   * @template {keyof Settings} Name
   * @param {Name} name
   * @param {Settings[Name]} value
   * @param {boolean} settled
   */
  set(name, value, settled) {
    this.view.settings[name] = value;
    if (settled) {
      this.model.set(name, /** @type {ViewerTraits[Name]} */ (value));
      this.model.save_changes();
    }
    this.refresh();
  }

  /** @param {string} name */
  toggle(name) {
    this.set("hidden", this.view.switched(name), true);
  }

  /** @param {string} name */
  only(name) {
    this.set("hidden", this.view.alone(name), true);
  }

  /**
   * @param {number} index
   * @param {boolean} alone
   */
  toggleKeyed(index, alone) {
    const name = this.legend.keyed[index];
    if (name === undefined || this.view.mode === "difference") return;
    if (alone) this.only(name);
    else this.toggle(name);
  }

  /** @param {number} index */
  toggleTransition(index) {
    this.view.only = this.view.only === index ? null : index;
    this.refresh();
  }

  toggleOutline() {
    this.set("outline", !this.view.settings.outline, true);
  }

  /** @param {number} by */
  changeOpacity(by) {
    this.set("opacity", clamp(this.view.settings.opacity + by, 0, 1), true);
  }

  showOther() {
    this.view.second = !this.view.second;
    this.refresh();
  }

  /**
   * @param {number} factor
   * @param {Spot | null} [spot]
   */
  zoomBy(factor, spot = null) {
    if (!this.drawn) return;
    this.view.frame = zoomed(this.view.frame, factor, spot, this.view.size);
    this.refresh();
  }

  fit() {
    this.view.frame = WHOLE;
    this.refresh();
  }

  /** @param {number} part */
  moveDivider(part) {
    this.view.swipe = clamp(part, 0, 1);
    this.stage.updateDivider();
    this.draw();
  }

  /** @param {number} by */
  shiftDivider(by) {
    this.moveDivider(this.view.swipe + by);
  }

  /** @param {Point} by */
  drag(by) {
    const { view, drawn } = this;
    if (!drawn || view.frame.zoom <= 1) return;
    const scale = drawn.placement.scale / drawn.layout.pane.pixels;
    view.frame = dragged(view.frame, by, scale, view.size);
    this.refresh();
  }

  /**
   * @param {Point} direction
   * @param {boolean} finely
   */
  moveCross(direction, finely) {
    const { view, drawn } = this;
    if (!drawn) return;
    const { pane } = drawn.layout;
    const { scale } = drawn.placement;
    const cross = movedCross(
      view.cross,
      direction,
      finely,
      view.frame,
      scale / pane.pixels,
      view.size,
    );
    view.cross = cross;
    view.frame = followed(view.frame, cross, pane, scale, view.size);
    this.read(cross);
    this.refresh();
  }

  leave() {
    this.view.cross = null;
    this.read(null);
    this.refresh();
  }

  /** @param {MouseEvent} event */
  spotUnder(event) {
    const { drawn } = this;
    if (!drawn) return null;
    return spotAt(this.stage.pointOf(event), drawn.layout, drawn.placement, this.view.size);
  }

  /**
   * Say what the model saw at a spot.
   *
   * @param {Spot | null} spot
   */
  read(spot) {
    const { masks, size } = this.view;
    this.probe.textContent = spot && masks.length ? seenAt(masks, size, spot) : "";
  }

  // ------------------------------------------------------------------------------------ drawing

  /** Bring controls and layout up to date, and draw with the next frame. */
  refresh() {
    if (this.update()) this.draw();
  }

  /**
   * Show a mask that has just arrived: at once, in the room that was there before the controls change.
   * Where the room is another one with the next frame, when the page has its layout, it is drawn anew.
   */
  show() {
    const room = this.drawn ? this.room() : undefined;
    if (!this.update()) return;
    this.paint(room);
    this.awaitFrame();
  }

  /**
   * Draw an image that came ahead of its mask out of sight, as it is to stand here.
   *
   * @param {DecodedImage} image
   */
  expect(image) {
    const { view, drawn } = this;
    if (!drawn) return;
    const layout = laidOut(image, drawn.room, view.mode === "side by side");
    const { placement } = placed(image, layout.pane, view.frameOf(image));
    this.painter.expect(image, layout.pane, placement);
  }

  /** Bring the controls up to date; return whether there is something to draw. */
  update() {
    const { view } = this;
    if (!view.masks.length) return false;
    view.applyThreshold();
    this.toolbar.update();
    this.stage.update();
    this.legend.update();
    this.stage.canvas.setAttribute("aria-label", this.inWords());
    this.blink();
    return true;
  }

  inWords() {
    const { masks, mode, front } = this.view;
    const { caption, classes, labels } = masks[front];
    const listed = classes.filter((one) => one.pixels).slice(0, MOST_IN_LABEL);
    const areas = listed.map((one) => `${one.name} ${share(one.pixels, labels.length)}`);
    return `${[mode, caption].filter(Boolean).join(" of ")}: ${areas.join(", ")}`;
  }

  blink() {
    clearInterval(this.blinking);
    if (this.view.mode !== "blink") return;
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    this.blinking = setInterval(() => {
      this.view.second = !this.view.second;
      this.draw();
      this.stage.updateCaptions();
    }, BLINK_MS);
  }

  /** Whether the classes stand beside the image, not below it. */
  get beside() {
    return getComputedStyle(this.body).flexDirection === "row";
  }

  /** The height of all of this but the image: what stands beside it is no higher than it. */
  get otherHeight() {
    const legend = this.beside ? 0 : this.legend.root.offsetHeight;
    return this.root.offsetHeight - this.body.offsetHeight + legend;
  }

  /** The width that is left for the image. */
  roomBeside() {
    const gap = Number.parseFloat(getComputedStyle(this.body).columnGap) || 0;
    return this.body.clientWidth - (this.beside ? LEGEND_WIDTH + gap : 0);
  }

  draw() {
    this.outdated = true;
    this.awaitFrame();
  }

  awaitFrame() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      const room = this.room();
      if (this.outdated || !sameRoom(room, this.drawn?.room)) this.paint(room);
    });
  }

  /**
   * The room that the page has for the image.
   *
   * @returns {Room}
   */
  room() {
    const pixels = window.devicePixelRatio || 1;
    return { width: this.roomBeside(), highest: this.highest(), pixels };
  }

  paint(room = this.room()) {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.outdated = false;
    const { view } = this;
    if (!view.masks.length || room.width <= 0) return;
    const layout = laidOut(view.size, room, view.mode === "side by side");
    const { placement, frame } = placed(view.size, layout.pane, view.frame);
    view.frame = frame;
    this.drawn = { layout, placement, room };
    this.stage.arrange(layout);
    this.body.style.setProperty("--wnb-stage-height", `${Math.round(layout.height)}px`);
    this.painter.paint(layout, placement);
    this.root.dataset.painted = String(view.masks[0].serial);
  }
}
