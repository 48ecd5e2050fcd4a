// A model that lives in the page alone: for a viewer inside a gallery, and for pages without Jupyter.

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
