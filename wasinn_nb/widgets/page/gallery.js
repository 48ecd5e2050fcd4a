// Gallery's page.

import { kernelSource } from "./gallery_source.js";
import { GalleryView } from "./gallery_view.js";

/** @import { GalleryTraits } from "./gallery_view.js" */
/** @import { Context } from "./model.js" */

export default {
  /** @param {Context<GalleryTraits>} context */
  render({ model, el }) {
    const view = new GalleryView(model, kernelSource(model), el);
    return () => view.stop();
  },
};
