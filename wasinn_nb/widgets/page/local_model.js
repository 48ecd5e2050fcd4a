// The model of a widget on a page without a kernel: the page has all values from the start.

/** @import { Handler } from "./model.js" */

/**
 * @template Traits
 */
export class LocalModel {
  /** @param {Traits} values */
  constructor(values) {
    this.values = values;
    /** @type {Map<string, Set<Handler>>} */
    this.handlers = new Map();
  }

  /**
   * @template {keyof Traits} Name
   * @param {Name} name
   */
  get(name) {
    return this.values[name];
  }

  /**
   * @template {keyof Traits} Name
   * @param {Name} name
   * @param {Traits[Name]} value
   */
  set(name, value) {
    if (this.values[name] === value) return;
    this.values[name] = value;
    for (const handler of [...(this.handlers.get(`change:${String(name)}`) ?? [])]) handler();
  }

  /** There is no kernel that would hear of a change. */
  save_changes() {}

  send() {}

  /**
   * @param {string} event
   * @param {Handler} handler
   */
  on(event, handler) {
    const known = this.handlers.get(event) ?? new Set();
    this.handlers.set(event, known.add(handler));
  }

  /**
   * @param {string} event
   * @param {Handler} handler
   */
  off(event, handler) {
    this.handlers.get(event)?.delete(handler);
  }
}

/** @typedef {{ path: (string | number)[], data: string }} SavedBytes */

/**
 * Return the values that a page was written with: bytes stand beside them, as text.
 *
 * @param {string} json
 * @returns {any}
 */
export function savedValues(json) {
  /** @type {{ values: any, bytes: SavedBytes[] }} */
  const { values, bytes } = JSON.parse(json);
  for (const { path, data } of bytes) {
    const name = path[path.length - 1];
    const holder = path.slice(0, -1).reduce((value, key) => value[key], values);
    const binary = atob(data);
    const content = Uint8Array.from({ length: binary.length }, (_, index) =>
      binary.charCodeAt(index),
    );
    holder[name] = new DataView(content.buffer);
  }
  return values;
}
