// One option of a picker: a radio button with its words, an image, and a button or a bar of progress.
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
 * @property {DataView<ArrayBuffer>} [thumbnail]
 */

/**
 * @param {DataView | undefined} a
 * @param {DataView | undefined} b
 */
export function sameBytes(a, b) {
  if (!a || !b || a.byteLength !== b.byteLength) return a === b;
  const [x, y] = [a, b].map(
    (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength),
  );
  return x.every((byte, index) => byte === y[index]);
}

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
    this.thumbnail = element("img", { className: "wnb-thumbnail", alt: "", draggable: false });
    this.title = element("span", { className: "wnb-title", id: `${id}-title` });
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
    this.label = element("label", { className: "wnb-option" }, this.radio, this.thumbnail, words);
  }

  /** @param {Option} option */
  update(option) {
    const { title, detail, reason, enabled, action, progress, thumbnail, why = "" } = option;
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
    if (!sameBytes(thumbnail, this.option?.thumbnail)) {
      this.revoke();
      if (thumbnail) this.thumbnail.src = URL.createObjectURL(new Blob([thumbnail]));
      else this.thumbnail.removeAttribute("src");
    }
    this.option = option;
  }

  /** @param {boolean} picked */
  mark(picked) {
    if (this.radio.checked !== picked) this.radio.checked = picked;
    this.label.classList.toggle("wnb-picked", picked);
  }

  revoke() {
    if (this.thumbnail.src) URL.revokeObjectURL(this.thumbnail.src);
  }

  remove() {
    this.revoke();
    this.label.remove();
  }
}
