// The page of a list of titles.

import { showChoice } from "./choice_view.js";
import { widgetPage } from "./lifetime.js";

/** @import { ChoiceTraits } from "./choice_view.js" */
/** @import { Context } from "./model.js" */

/** @param {Context<ChoiceTraits>} context */
const show = ({ model, el }) => showChoice(model, el);

export default widgetPage(show);
