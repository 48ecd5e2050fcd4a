// A model that lives in the page alone: of a viewer inside a gallery, and on pages without a kernel.

/** @import { Handler, Model } from "./model.js" */

/**
 * @template {object} Traits
 * @param {Traits} traits
 * @returns {Model<Traits> & { update: (changed: Partial<Traits>) => void }}
 */
export function localModel(traits) {
  const values = { ...traits };
  /** @type {Map<string, Set<Handler>>} */
  const handlers = new Map();
  /** @param {string} event */
  const fire = (event) => {
    for (const handler of [...(handlers.get(event) ?? [])]) handler();
  };
  return {
    get: (name) => values[name],
    set(name, value) {
      if (values[name] === value) return;
      values[name] = value;
      fire(`change:${String(name)}`);
    },
    update(changed) {
      Object.assign(values, changed);
      for (const name of Object.keys(changed)) fire(`change:${name}`);
    },
    save_changes() {},
    send() {},
    on(event, handler) {
      const some = handlers.get(event) ?? new Set();
      handlers.set(event, some.add(handler));
    },
    off(event, handler) {
      handlers.get(event)?.delete(handler);
    },
  };
}

/**
 * Return bytes that the page has as text, in base64.
 *
 * @param {string} text
 */
export function decodedBytes(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new DataView(bytes.buffer);
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
    holder[name] = decodedBytes(data);
  }
  return values;
}
