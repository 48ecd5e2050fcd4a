// Thumbnails of images: asked of the kernel as tiles come into view, and kept while there is room.

/** @import { Model } from "./model.js" */
/** @import { PickerTraits } from "./picker_tools.js" */
/**
 * What the kernel says of an image: its size, or why it cannot be picked.
 *
 * @typedef {{ url?: string, detail?: string, reason?: string, enabled?: boolean }} Described
 */
/** @typedef {Described & { key: string, dropped?: boolean }} Answered */
/** @typedef {{ type: string, options: Answered[] }} Answer */

const REST_MS = 50; // while someone scrolls on, nothing is asked for
const MOST_KEPT = 1500;
const MOST_ASKED = 200; // at once

export class Thumbnails {
  /** @param {Model<PickerTraits>} model */
  constructor(model) {
    this.model = model;
    /** @type {Map<string, Described>} */
    this.known = new Map();
    /** @type {Set<string>} */
    this.asked = new Set();
    /** @type {Map<object, string[]>} */
    this.wanted = new Map(); // what each watcher shows
    /** @type {Map<object, () => void>} */
    this.watchers = new Map();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.waiting = undefined;
    /** @type {(answer: Answer, buffers: DataView<ArrayBuffer>[]) => void} */
    this.take = (answer, buffers) => this.answered(answer, buffers);
    this.forget = () => this.asked.clear(); // files may be others; the kernel knows which
    model.on("msg:custom", this.take);
    model.on("change:_options", this.forget);
  }

  /**
   * Call `redraw` when something is known of more images.
   *
   * @param {object} watcher
   * @param {() => void} redraw
   */
  watch(watcher, redraw) {
    this.watchers.set(watcher, redraw);
  }

  /** @param {object} watcher */
  unwatch(watcher) {
    this.watchers.delete(watcher);
    this.wanted.delete(watcher);
  }

  /** @param {string} key */
  get(key) {
    return this.known.get(key);
  }

  /**
   * Ask for what a watcher shows, once it comes to rest.
   *
   * @param {object} watcher
   * @param {string[]} keys
   */
  want(watcher, keys) {
    this.wanted.set(watcher, keys);
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.ask(), REST_MS);
  }

  ask() {
    const shown = new Set([...this.wanted.values()].flat());
    const keys = [...shown].filter((key) => !this.asked.has(key)).slice(0, MOST_ASKED);
    if (!keys.length) return;
    for (const key of keys) this.asked.add(key);
    this.model.send({ type: "thumbnails", keys });
  }

  /**
   * @param {Answer} answer
   * @param {DataView<ArrayBuffer>[]} buffers
   */
  answered({ type, options }, buffers) {
    if (type !== "thumbnails") return;
    options.forEach(({ key, dropped, ...described }, index) => {
      this.revoke(key);
      if (dropped) {
        this.asked.delete(key);
        return;
      }
      const bytes = buffers[index];
      const url = bytes?.byteLength ? URL.createObjectURL(new Blob([bytes])) : undefined;
      this.known.set(key, { ...described, url });
    });
    this.limit();
    for (const redraw of this.watchers.values()) redraw();
  }

  /** Let go of the oldest ones that are not shown. */
  limit() {
    if (this.known.size <= MOST_KEPT) return;
    const shown = new Set([...this.wanted.values()].flat());
    for (const key of [...this.known.keys()].slice(0, this.known.size - MOST_KEPT)) {
      if (shown.has(key)) continue;
      this.revoke(key);
      this.asked.delete(key);
    }
  }

  /** @param {string} key */
  revoke(key) {
    const url = this.known.get(key)?.url;
    if (url) URL.revokeObjectURL(url);
    this.known.delete(key);
  }

  dispose() {
    clearTimeout(this.waiting);
    this.model.off("msg:custom", this.take);
    this.model.off("change:_options", this.forget);
    for (const key of [...this.known.keys()]) this.revoke(key);
  }
}
