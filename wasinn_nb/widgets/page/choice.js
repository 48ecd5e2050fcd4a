// The page of a list of titles.

import { showChoice } from "./choice_view.js";

/** @import { ChoiceTraits } from "./choice_view.js" */
/** @import { Context } from "./model.js" */

export default {
  /** @param {Context<ChoiceTraits>} context */
  render: ({ model, el }) => showChoice(model, el),
};
