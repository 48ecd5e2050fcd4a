// The page of the pickers.

import { showPicker } from "./picker_view.js";

/** @import { Context } from "./model.js" */
/** @import { PickerTraits } from "./picker_tools.js" */

export default {
  /** @param {Context<PickerTraits>} context */
  render: ({ model, el }) => showPicker(model, el),
};
