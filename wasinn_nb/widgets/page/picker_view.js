// A group of options of which one is picked: models, images, targets.

import { element, setText } from "./elements.js";
import { followOptions, matching } from "./listed.js";
import { listening, once } from "./model.js";
import { choose, send, TOOLS } from "./picker_tools.js";
import { Rows } from "./rows.js";
import { Thumbnails } from "./thumbnails.js";
import { Tiles } from "./tiles.js";

/** @import { Model } from "./model.js" */
/** @import { Option } from "./options.js" */
/** @import { PickerTraits } from "./picker_tools.js" */

const SEARCHED_FROM = 8; // options; fewer are seen at once
/** @type {Record<string, string>} */
const NAMES = { models: "models", images: "images", targets: "targets" };

/**
 * Show the options in an element; return what ends that.
 *
 * @param {Model<PickerTraits>} model
 * @param {HTMLElement} el
 * @param {{ thumbnails?: Thumbnails, precision?: boolean }} [about] thumbnails that others show, too;
 *   whether a target's precision is picked here
 */
export function showPicker(model, el, { thumbnails: shared, precision = true } = {}) {
  const { on, stop } = listening(model);
  const kind = model.get("_kind");
  const legend = element("legend");
  const message = element("div", { className: "wnb-message", role: "alert" });
  // It can be focused by a click, so that an image can be pasted into it.
  const root = element("fieldset", { className: `wnb-picker wnb-${kind}`, tabIndex: -1 }, legend);
  const tools = TOOLS[kind]?.(model, on, root, precision);

  /** @param {string} key */
  const pick = (key) => choose(model, "value", key);
  /** @param {Option} option */
  const act = ({ key, action }) => {
    root.focus({ preventScroll: true }); // the button is about to vanish
    send(model, { type: action?.name, name: key });
  };
  const thumbnails = kind === "images" ? (shared ?? new Thumbnails(model)) : null;
  const list = thumbnails
    ? new Tiles({ label: model.get("label"), strip: false, thumbnails, pick })
    : new Rows({ pick, act });

  const search = element("input", {
    className: "wnb-text wnb-search",
    type: "search",
    placeholder: `Search ${NAMES[kind]}`,
    "aria-label": `Search ${NAMES[kind]}`,
    spellcheck: false,
  });
  const none = element("div", { className: "wnb-none", role: "status", hidden: true });
  root.append(search, list.root, none, ...(tools?.nodes ?? []), message);

  /** @type {Option[]} */
  let options = [];
  const draw = () => {
    search.hidden = options.length <= SEARCHED_FROM;
    const found = matching(options, search.hidden ? "" : search.value);
    setText(
      none,
      found.length ? "" : `None of ${options.length} ${NAMES[kind]} has “${search.value}”.`,
    );
    list.update(found);
  };
  const mark = () => list.mark(model.get("value"));
  const showLabel = () => setText(legend, model.get("label"));
  const showMessage = () => setText(message, model.get("_message"));
  search.addEventListener("input", draw);
  search.addEventListener("keydown", ({ key }) => {
    if (key === "ArrowDown") list.focus();
    if (key !== "Enter" || search.value === "") return;
    const first = matching(options, search.value).find(({ enabled }) => enabled);
    if (first) pick(first.key);
  });

  followOptions(model, on, (listed) => {
    options = listed;
    draw();
  });
  on("change:value", once(mark, requestAnimationFrame));
  on("change:label", showLabel);
  on("change:_message", showMessage);
  on("change:_folder", () => list.root.scrollTo({ top: 0 }));
  mark();
  showLabel();
  showMessage();
  el.classList.add("wnb-picker-host");
  el.append(root);

  return () => {
    stop();
    list.dispose();
    if (!shared) thumbnails?.dispose();
    tools?.close();
  };
}
