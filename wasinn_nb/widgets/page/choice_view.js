// A list of titles of which one is picked.

import { element } from "./elements.js";
import { listening } from "./model.js";

/** @import { Model } from "./model.js" */
/** @typedef {{ label: string, value: string, _options: [title: string, value: string][] }} ChoiceTraits */

/**
 * Show the list in an element; return what ends that.
 *
 * @param {Model<ChoiceTraits>} model
 * @param {HTMLElement} el
 */
export function showChoice(model, el) {
  const { on, stop } = listening(model);
  const options = model
    .get("_options")
    .map(([title, value]) => element("option", { value }, title));
  const select = element("select", { className: "wnb-text" }, ...options);
  select.addEventListener("change", () => {
    model.set("value", select.value);
    model.save_changes();
  });
  const mark = () => {
    select.value = model.get("value");
  };
  on("change:value", mark);
  mark();
  el.append(element("label", { className: "wnb-choice" }, model.get("label"), select));
  return stop;
}
