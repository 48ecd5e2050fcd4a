// The page of the Explorer's panel, where it is shown alone.

import { element } from "./elements.js";
import { widgetPage } from "./lifetime.js";
import { panelParts } from "./panel_view.js";

/** @import { Context } from "./model.js" */
/** @import { PanelTraits } from "./panel_view.js" */

/** @param {Context<PanelTraits>} context */
const show = ({ model, el }) => {
  const { status, compare, messages, actions, folds, end } = panelParts(model);
  const row = element("div", { className: "wnb-panel wnb-row" }, status, compare, actions);
  el.append(row, messages, folds);
  return end;
};

export default widgetPage(show);
