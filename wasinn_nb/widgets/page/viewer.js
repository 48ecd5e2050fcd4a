// MaskViewer's page.

import { widgetPage } from "./lifetime.js";
import { Viewer } from "./mask_viewer.js";

/** @import { ViewerTraits } from "./mask_viewer.js" */
/** @import { Context } from "./model.js" */

/** @param {Context<ViewerTraits>} context */
const show = ({ model, el }) => {
  const viewer = new Viewer(model, el);
  return () => viewer.dispose();
};

export default widgetPage(show, ["_sent_image", "_masks", "_confidence"]);
