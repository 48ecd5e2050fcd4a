// What a widget says when its kernel is gone.

import { element, setText } from "./elements.js";

/** @import { Listen } from "./model.js" */

/**
 * Return a message that appears when the kernel goes.
 *
 * @param {{ comm_live?: boolean }} model
 * @param {Listen} on
 * @param {string} left what can still be done without it
 */
export function lostKernel(model, on, left) {
  const root = element("div", { className: "wnb-gone", role: "alert", hidden: true });
  const text = `The kernel of this widget is gone. ${left}; run the cell again to go on.`;
  const show = (/** @type {boolean} */ lost) => setText(root, lost ? text : "");
  // ipywidgets' own event.  Models that anywidget hands to a view do not have the property: a view
  // is drawn while the kernel is there, and drawn anew when it is there again.
  on("comm_live_update", () => show(model.comm_live !== true));
  show(model.comm_live === false);
  return root;
}
