// How a widget's page begins and ends.  JupyterLab keeps the models and the views of closed widgets
// until the page is left: its comms never let go of them.  Whatever they hold is therefore freed here.

/** @import { Context } from "./model.js" */

/** What every model has: the texts of its modules, and its style. */
const TEXTS = ["_esm", "_module", "_css"];

/**
 * Return what anywidget takes as a widget's page.
 *
 * @template Traits
 * @param {(context: Context<Traits>) => (() => void) | Promise<() => void>} show draws into the
 *   element, and returns what ends that
 * @param {(keyof Traits & string)[]} [heavy] traits whose values take room: they are emptied once
 *   the model is gone
 */
export function widgetPage(show, heavy = []) {
  return {
    /** @param {{ model: { set: (name: any, value: any, options?: object) => void } }} context */
    initialize: ({ model }) => {
      return () => {
        // Backbone keeps the values before the last change, so that this one comes once more.
        for (const name of [...TEXTS, ...heavy, "_css"]) model.set(name, null, { silent: true });
      };
    },
    /** @param {Context<Traits>} context */
    render: (context) => {
      /** @type {(end: () => void) => () => void} */
      const cleanup = (end) => () => {
        end();
        context.el.replaceChildren();
      };
      const shown = show(context);
      return shown instanceof Promise ? shown.then(cleanup) : cleanup(shown);
    },
  };
}
