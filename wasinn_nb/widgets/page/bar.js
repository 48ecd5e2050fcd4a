// The Explorer's bar: a button for each choice, which shows what is picked and opens the choice.

import { element, setText } from "./elements.js";
import { followOptions } from "./listed.js";
import { listening } from "./model.js";
import { askPrecisions, choose } from "./picker_tools.js";
import { showPicker } from "./picker_view.js";
import { Popover } from "./popover.js";
import { Rows } from "./rows.js";

/** @import { Model } from "./model.js" */
/** @import { PickerTraits } from "./picker_tools.js" */
/** @import { Thumbnails } from "./thumbnails.js" */

/** @type {Record<string, string>} */
const PRECISIONS = {
  f32: "32-bit floating point",
  f16: "16-bit floating point",
  bf16: "bfloat16",
  device: "what the device computes in by default",
};

/**
 * @typedef {object} Choice a button with its panel
 * @property {HTMLElement} root
 * @property {() => void} end
 */

/**
 * @param {string} name
 * @param {HTMLElement} content
 */
function choiceButton(name, content) {
  const value = element("span", { className: "wnb-pick-value", dir: "auto" });
  const title = element("span", { className: "wnb-pick-name" }, name);
  const made = element("button", { className: "wnb-pick", type: "button" }, title, value);
  const popover = new Popover(name, made, content);
  // A click picks and closes; with the arrow keys one goes on, until Enter.
  content.addEventListener("click", (event) => {
    const { target } = event;
    if (!(target instanceof Element) || target.closest("button, summary, details")) return;
    const label = target.closest("label:not(.wnb-off)");
    const byPointer = event.detail > 0 && label?.querySelector("input[type=radio]");
    if (byPointer && !(target instanceof HTMLInputElement && target.disabled)) popover.hide();
  });
  content.addEventListener("keydown", (event) => {
    const { target } = event;
    if (event.key !== "Enter" || !(target instanceof HTMLInputElement)) return;
    if (target.type !== "radio" && !(target.type === "search" && target.value)) return;
    event.preventDefault(); // the button that has the focus then would open it again
    popover.hide();
  });
  return {
    root: element("span", { className: "wnb-choice-box", "data-choice": name }, made, popover.root),
    end: () => popover.dispose(),
    /** @type {(act: () => void) => void} */
    opened: (act) =>
      popover.root.addEventListener("beforetoggle", (event) => {
        if (/** @type {ToggleEvent} */ (event).newState === "open") act();
      }),
    /** @type {(text: string, bad: string) => void} */
    show: (text, bad) => {
      value.textContent = text;
      made.title = [text, bad].filter(Boolean).join(": ");
      made.classList.toggle("wnb-bad", Boolean(bad));
    },
  };
}

/**
 * Return the button of a picker, which follows what is picked.
 *
 * @param {string} name
 * @param {Model<PickerTraits>} model
 * @param {{ thumbnails?: Thumbnails, precision?: boolean }} [about] as for `showPicker`
 * @returns {Choice}
 */
export function pickerChoice(name, model, about = {}) {
  const { on, stop } = listening(model);
  const content = element("div");
  const end = showPicker(model, content, about);
  const choice = choiceButton(name, content);
  /** @type {Map<string, { title: string, reason: string, enabled: boolean }>} */
  let options = new Map();
  const show = () => {
    const value = model.get("value");
    const { title = value, reason = "", enabled = true } = options.get(value) ?? {};
    choice.show(title, model.get("_message") || (enabled ? "" : reason));
  };
  followOptions(model, on, (listed) => {
    options = new Map(listed.map((option) => [option.key, option]));
    show();
  });
  on("change:value", show);
  on("change:_message", show);
  return {
    root: choice.root,
    end() {
      stop();
      end();
      choice.end();
    },
  };
}

/**
 * Return the button of a target's precision.
 *
 * @param {string} name
 * @param {Model<PickerTraits>} model
 * @returns {Choice}
 */
export function precisionChoice(name, model) {
  const { on, stop } = listening(model);
  const rows = new Rows({ pick: (key) => choose(model, "precision", key), act: () => {} });
  const ran = element("div", { className: "wnb-ran" });
  const group = element(
    "fieldset",
    { className: "wnb-picker wnb-precisions" },
    element("legend", {}, name),
    rows.root,
    ran,
  );
  const choice = choiceButton(name, group);
  const show = () => {
    const [known, value] = [model.get("_precisions"), model.get("precision")];
    const reasons = model.get("_unsupported");
    const options = known.map((key) => ({
      key,
      title: key,
      detail: PRECISIONS[key] ?? "",
      reason: reasons[key] ?? "",
      enabled: !(key in reasons),
    }));
    const unknown = { key: value, title: value, detail: "", reason: "not known", enabled: false };
    rows.update(known.includes(value) ? options : [...options, unknown]);
    rows.mark(value);
    choice.show(value, known.includes(value) ? (reasons[value] ?? "") : "not known");
    setText(ran, model.get("ran") && `Ran on ${model.get("ran")}`);
  };
  on("change:precision", show);
  on("change:_precisions", show);
  on("change:_unsupported", show);
  choice.opened(() => askPrecisions(model));
  on("change:ran", show);
  show();
  return {
    root: choice.root,
    end() {
      stop();
      rows.dispose();
      choice.end();
    },
  };
}
