// One option of a picker: a radio button with its words, and a button or a bar of progress.
// What comes from outside becomes text, never HTML.

import { element, setText, unique } from "./elements.js";

/**
 * @typedef {object} Option
 * @property {string} key
 * @property {string} title
 * @property {string} detail
 * @property {string} reason
 * @property {boolean} enabled
 * @property {string} [why] more of the reason, which is folded away
 * @property {{ name: string, title: string }} [action]
 * @property {number} [progress]
 */

export class OptionRow {
  /**
   * @param {string} key
   * @param {string} group
   * @param {{ pick: (key: string) => void, act: (option: Option) => void }} acts
   */
  constructor(key, group, { pick, act }) {
    const id = unique();
    /** @type {Option | undefined} */
    this.option = undefined;
    this.radio = element("input", {
      type: "radio",
      name: group,
      value: key,
      "aria-labelledby": `${id}-title`,
      "aria-describedby": `${id}-detail ${id}-reason`,
    });
    this.radio.addEventListener("change", () => this.radio.checked && pick(key));
    this.title = element("span", { className: "wnb-title", id: `${id}-title`, dir: "auto" });
    this.detail = element("span", { className: "wnb-detail", id: `${id}-detail` });
    this.reason = element("span", { className: "wnb-reason", id: `${id}-reason` });
    this.whyText = element("span");
    const why = element("summary", {}, "why?");
    this.why = element("details", { className: "wnb-why", hidden: true }, why, this.whyText);
    this.button = element("button", { className: "wnb-button", type: "button" });
    this.button.addEventListener("click", (event) => {
      event.preventDefault(); // the label would pick the option
      if (this.option) act(this.option);
    });
    this.bar = element("progress", { className: "wnb-bar", max: 1 });
    const below = element(
      "span",
      { className: "wnb-below" },
      this.reason,
      this.why,
      this.button,
      this.bar,
    );
    const words = element("span", { className: "wnb-words" }, this.title, this.detail, below);
    this.label = element("label", { className: "wnb-option" }, this.radio, words);
  }

  /** @param {Option} option */
  update(option) {
    const { title, detail, reason, enabled, action, progress, why = "" } = option;
    setText(this.title, title);
    this.title.title = [title, detail].filter(Boolean).join(" · "); // it may be cut
    setText(this.detail, detail);
    setText(this.reason, reason);
    this.why.hidden = !why;
    setText(this.whyText, why);
    this.why.firstElementChild?.setAttribute("aria-label", `Why not ${title}?`);
    this.radio.disabled = !enabled;
    this.label.classList.toggle("wnb-off", !enabled);
    setText(this.button, action ? action.title : "");
    this.button.setAttribute("aria-label", `Download ${title}`);
    this.bar.hidden = progress === undefined;
    this.bar.value = progress ?? 0;
    this.bar.setAttribute("aria-label", `Downloading ${title}`);
    this.option = option;
  }

  /** @param {boolean} picked */
  mark(picked) {
    if (this.radio.checked !== picked) this.radio.checked = picked;
    this.label.classList.toggle("wnb-picked", picked);
  }

  remove() {
    this.label.remove();
  }
}
