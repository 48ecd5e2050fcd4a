// What a page loads of each widget.  A page keeps every module that it ever loaded, so that the
// widget's own, which is long, is loaded once, whatever number of widgets has the same one.

/** @import { Context } from "./model.js" */
/** @typedef {{ _module: DataView<ArrayBuffer> }} ModuleTraits */
/** @typedef {{ initialize: (context: any) => () => void, render: (context: any) => any }} Page */
/** @typedef {{ [MODULES]?: Map<string, Promise<Page>> }} Place */

const MODULES = Symbol.for("wasinn-nb modules");

/**
 * Return the text of a module, which comes deflated.
 *
 * @param {DataView<ArrayBuffer>} bytes
 */
function textOf(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).text();
}

/**
 * Return the page of a widget: what its module exports.
 *
 * @param {Pick<Context<ModuleTraits>, "model">} context
 * @returns {Promise<Page>}
 */
async function pageOf({ model }) {
  const place = /** @type {Place} */ (globalThis);
  place[MODULES] ??= new Map();
  const modules = place[MODULES];
  const text = await textOf(model.get("_module"));
  const known = modules.get(text);
  if (known) return known;
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const loading = import(url).then((module) => module.default);
  loading.catch(() => modules.delete(text)); // the next widget tries again
  loading.finally(() => URL.revokeObjectURL(url)).catch(() => {});
  modules.set(text, loading);
  return loading;
}

export default {
  /** @param {Context<ModuleTraits>} context */
  initialize: async (context) => (await pageOf(context)).initialize(context),
  /** @param {Context<ModuleTraits>} context */
  render: async (context) => (await pageOf(context)).render(context),
};
