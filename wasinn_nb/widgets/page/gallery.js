// Gallery's page.

import { kernelSource } from "./gallery_source.js";
import { GalleryView } from "./gallery_view.js";
import { widgetPage } from "./lifetime.js";

/** @import { GalleryTraits } from "./gallery_view.js" */
/** @import { Context } from "./model.js" */

/** @param {Context<GalleryTraits>} context */
const show = ({ model, el }) => {
  const view = new GalleryView(model, kernelSource(model), el);
  return () => view.stop();
};

export default widgetPage(show, ["_about"]);
