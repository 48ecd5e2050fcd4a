// Options to pick from, one below the other, with what is to be known of each.

import { element, unique } from "./elements.js";
import { focusPicked } from "./listed.js";
import { OptionRow } from "./options.js";

/** @import { Option } from "./options.js" */

export class Rows {
  /** @param {{ pick: (key: string) => void, act: (option: Option) => void }} acts */
  constructor(acts) {
    this.acts = acts;
    this.group = unique();
    this.value = "";
    /** @type {Map<string, OptionRow>} */
    this.rows = new Map();
    this.root = element("div", { className: "wnb-options" });
    // Only what is on the page has a height to scroll in.
    this.sized = new ResizeObserver(() => {
      if (!this.root.clientHeight) return;
      this.sized.disconnect();
      this.showPicked();
    });
    this.sized.observe(this.root);
  }

  /**
   * Rows stay where they are as far as they can, so that focus and scroll position do too.
   *
   * @param {Option[]} options
   */
  update(options) {
    const keys = new Set(options.map((option) => option.key));
    for (const [key, row] of this.rows) {
      if (keys.has(key)) continue;
      row.remove();
      this.rows.delete(key);
    }
    const { activeElement: focused } = /** @type {Document | ShadowRoot} */ (
      this.root.getRootNode()
    );
    let next = this.root.firstElementChild;
    for (const option of options) {
      const row = this.rows.get(option.key) ?? new OptionRow(option.key, this.group, this.acts);
      this.rows.set(option.key, row);
      row.update(option);
      row.mark(option.key === this.value);
      if (row.label === next) next = next.nextElementSibling;
      else this.root.insertBefore(row.label, next);
    }
    if (focused instanceof HTMLElement && this.root.contains(focused)) {
      focused.focus({ preventScroll: true });
    }
  }

  /** @param {string} value */
  mark(value) {
    this.value = value;
    for (const [key, row] of this.rows) row.mark(key === value);
    this.showPicked();
  }

  showPicked() {
    const label = this.rows.get(this.value)?.label;
    if (!label) return;
    // Not scrollIntoView: that scrolls the notebook too.
    const [outer, inner] = [this.root.getBoundingClientRect(), label.getBoundingClientRect()];
    if (inner.top < outer.top) this.root.scrollTop -= outer.top - inner.top;
    else if (inner.bottom > outer.bottom) this.root.scrollTop += inner.bottom - outer.bottom;
  }

  /** Put the focus on what is picked, or on the first that can be. */
  focus() {
    focusPicked(this.root);
  }

  dispose() {
    this.sized.disconnect();
    for (const row of this.rows.values()) row.remove();
  }
}
