// The page of bars.

import { BarsPanel } from "./bars_panel.js";

/** @import { BarsTraits } from "./bars_panel.js" */
/** @import { Context } from "./model.js" */

export default {
  /** @param {Context<BarsTraits>} context */
  render({ model, el }) {
    const panel = new BarsPanel(model, el);
    return () => panel.dispose();
  },
};
