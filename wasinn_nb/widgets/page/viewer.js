// MaskViewer's page.

import { Viewer } from "./mask_viewer.js";

/** @import { ViewerTraits } from "./mask_viewer.js" */
/** @import { Context } from "./model.js" */

export default {
  /** @param {Context<ViewerTraits>} context */
  render({ model, el }) {
    const viewer = new Viewer(model, el);
    return () => viewer.dispose();
  },
};
