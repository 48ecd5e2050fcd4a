// The page of the pickers.

import { widgetPage } from "./lifetime.js";
import { showPicker } from "./picker_view.js";

/** @import { Context } from "./model.js" */
/** @import { PickerTraits } from "./picker_tools.js" */

/** @param {Context<PickerTraits>} context */
const show = ({ model, el }) => showPicker(model, el);

export default widgetPage(show, ["_options"]);
