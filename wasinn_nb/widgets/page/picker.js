// A group of options of which one is picked: models, images, targets.

import { element, setText, unique } from "./elements.js";
import { listening } from "./model.js";
import { OptionRow } from "./options.js";
import { choose, TOOLS } from "./picker_tools.js";

/** @import { Context } from "./model.js" */
/** @import { Option } from "./options.js" */
/** @import { PickerTraits } from "./picker_tools.js" */

export default {
  /** @param {Context<PickerTraits>} context */
  render({ model, el }) {
    const { on, stop } = listening(model);
    const group = unique();
    /** @type {Map<string, OptionRow>} */
    const rows = new Map();
    const list = element("div", { className: "wnb-options" });
    const legend = element("legend");
    const message = element("div", { className: "wnb-message", role: "alert" });
    // It can be focused by a click, so that an image can be pasted into it.
    const root = element(
      "fieldset",
      { className: `wnb-picker wnb-${model.get("_kind")}`, tabIndex: -1 },
      legend,
      list,
    );
    const tools = TOOLS[model.get("_kind")]?.(model, on, root);
    root.append(...(tools?.nodes ?? []), message);

    /** @param {string} key */
    const pick = (key) => choose(model, "value", key);
    /** @param {Option} option */
    const act = ({ key, action }) => {
      root.focus({ preventScroll: true }); // the button is about to vanish
      model.send({ type: action?.name, name: key });
    };

    const showPicked = () => {
      const label = rows.get(model.get("value"))?.label;
      if (!label) return;
      // Not scrollIntoView: that scrolls the notebook too.
      const [outer, inner] = [list.getBoundingClientRect(), label.getBoundingClientRect()];
      if (inner.top < outer.top) list.scrollTop -= outer.top - inner.top;
      else if (inner.bottom > outer.bottom) list.scrollTop += inner.bottom - outer.bottom;
    };
    const mark = () => {
      const value = model.get("value");
      for (const [key, row] of rows) row.mark(key === value);
      showPicked();
    };
    // Rows stay where they are as far as they can, so that focus and scroll position do too.
    const draw = () => {
      const options = model.get("_options");
      const keys = new Set(options.map((option) => option.key));
      for (const [key, row] of rows) {
        if (keys.has(key)) continue;
        row.remove();
        rows.delete(key);
      }
      const { activeElement: focused } = /** @type {Document | ShadowRoot} */ (root.getRootNode());
      let next = list.firstElementChild;
      for (const option of options) {
        const row = rows.get(option.key) ?? new OptionRow(option.key, group, { pick, act });
        rows.set(option.key, row);
        row.update(option);
        row.mark(option.key === model.get("value"));
        if (row.label === next) next = next.nextElementSibling;
        else list.insertBefore(row.label, next);
      }
      if (focused instanceof HTMLElement && root.contains(focused)) {
        focused.focus({ preventScroll: true });
      }
    };
    const showLabel = () => setText(legend, model.get("label"));
    const showMessage = () => setText(message, model.get("_message"));

    on("change:_options", draw);
    on("change:value", mark);
    on("change:label", showLabel);
    on("change:_message", showMessage);
    on("change:_folder", () => list.scrollTo({ top: 0 }));
    draw();
    showLabel();
    showMessage();
    el.classList.add("wnb-picker-host");
    el.append(root);

    // Only what is on the page has a height to scroll in.
    const sized = new ResizeObserver(() => {
      if (!list.clientHeight) return;
      sized.disconnect();
      showPicked();
    });
    sized.observe(list);

    return () => {
      sized.disconnect();
      stop();
      for (const row of rows.values()) row.remove();
      tools?.close();
    };
  },
};
