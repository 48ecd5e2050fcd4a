// The page of bars.

import { BarsPanel } from "./bars_panel.js";
import { widgetPage } from "./lifetime.js";

/** @import { BarsTraits } from "./bars_panel.js" */
/** @import { Context } from "./model.js" */

/** @param {Context<BarsTraits>} context */
const show = ({ model, el }) => {
  const panel = new BarsPanel(model, el);
  return () => panel.dispose();
};

export default widgetPage(show, ["_sent_image"]);
