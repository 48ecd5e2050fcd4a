// One image of a gallery at full size: prediction, truth and difference; arrow keys go on.

import { BarsPanel } from "./bars_panel.js";
import { button, element, setText } from "./elements.js";
import { localModel } from "./local_model.js";
import { Viewer } from "./mask_viewer.js";

/** @import { Source } from "./gallery_source.js" */
/** @import { ViewerTraits } from "./mask_viewer.js" */

/** @type {Record<string, string>} */
const AGAINST = { truth: "Truth", other: "Other run", "": "Nothing" };
const IN_CONTROLS = "input, select, textarea, canvas, [role=slider], [role=separator]";

export class OpenedDialog {
  /**
   * @param {Source} source
   * @param {string[]} against what images can be compared with
   * @param {{ rowAt: (place: number) => Promise<number | undefined>, count: () => number, moved: (place: number) => void, closed: () => void }} acts
   */
  constructor(source, against, acts) {
    this.source = source;
    this.acts = acts;
    this.place = 0;
    this.turn = 0;
    this.serial = 0;
    /** @type {(ReturnType<typeof localModel<ViewerTraits>>) | null} */
    this.model = null;
    /** @type {Viewer | null} */
    this.viewer = null;
    /** @type {BarsPanel | null} */
    this.bars = null;
    this.against = against[0] ?? "";
    this.name = element("strong", { className: "wnb-opened-name" });
    this.where = element("span", { className: "wnb-opened-where" });
    this.previous = button(
      {
        className: "wnb-gallery-button",
        "aria-label": "Previous image",
        title: "Previous (left arrow)",
      },
      ["‹"],
      () => this.go(-1),
    );
    this.next = button(
      { className: "wnb-gallery-button", "aria-label": "Next image", title: "Next (right arrow)" },
      ["›"],
      () => this.go(1),
    );
    const close = button(
      { className: "wnb-gallery-button", "aria-label": "Close", title: "Close (Escape)" },
      ["×"],
      () => this.root.close(),
    );
    this.select = element("select", { "aria-label": "Compare with" });
    for (const one of [...against, ""])
      this.select.append(element("option", { value: one }, AGAINST[one]));
    this.select.addEventListener("change", () => {
      this.against = this.select.value;
      this.load();
    });
    const compare = element(
      "label",
      { className: "wnb-gallery-field", hidden: !against.length },
      element("span", {}, "Compare with"),
      this.select,
    );
    this.facts = element("span", { className: "wnb-opened-facts" });
    const head = element(
      "div",
      { className: "wnb-opened-head" },
      this.previous,
      this.next,
      this.name,
      this.facts,
      this.where,
      compare,
      close,
    );
    this.problem = element("div", { className: "wnb-problem", role: "alert", hidden: true });
    this.body = element("div", { className: "wnb-opened-body" });
    this.root = element(
      "dialog",
      {
        className: "wnb-opened",
        tabIndex: -1,
        "aria-label": "One image",
        "data-lm-suppress-shortcuts": "true",
      },
      head,
      this.problem,
      this.body,
    );
    this.root.addEventListener("close", () => {
      this.dispose();
      acts.closed();
    });
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.root.addEventListener("click", (event) => {
      if (event.target === this.root) this.root.close(); // beside it
    });
  }

  /** @param {number} place */
  open(place) {
    this.place = place;
    this.select.value = this.against;
    if (!this.root.open) {
      this.root.showModal();
      this.root.focus();
    }
    return this.load();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    event.stopPropagation(); // no shortcut of the notebook
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target instanceof Element ? event.target : null;
    /** @type {Record<string, number>} */
    const moves = { ArrowLeft: -1, ArrowRight: 1, PageUp: -1, PageDown: 1 };
    if (!(event.key in moves)) return;
    if (event.key.startsWith("Arrow") && target?.matches(IN_CONTROLS)) return;
    event.preventDefault();
    this.go(moves[event.key]);
  }

  /** @param {number} by */
  go(by) {
    const place = this.place + by;
    if (place < 0 || place >= this.acts.count()) return;
    this.place = place;
    this.acts.moved(place);
    this.load();
  }

  async load() {
    const count = this.acts.count();
    this.where.textContent = `${(this.place + 1).toLocaleString("en")} of ${count.toLocaleString("en")}`;
    this.previous.disabled = this.place <= 0;
    this.next.disabled = this.place >= count - 1;
    this.turn += 1;
    const { turn } = this;
    try {
      const row = await this.acts.rowAt(this.place);
      if (row === undefined || turn !== this.turn) return;
      const opened = await this.source.ask("open", { row, against: this.against });
      if (turn !== this.turn || !this.root.open) return; // another one is on its way
      this.name.textContent = opened.name;
      this.root.setAttribute("aria-label", opened.name);
      setText(this.facts, opened.facts ?? "");
      setText(this.problem, opened.error ?? "");
      if (opened.viewer) this.showMasks(opened.viewer);
      else {
        this.dispose();
        if (opened.bars) this.bars = new BarsPanel(localModel(opened.bars), this.body);
      }
      this.root.dataset.shown = String(row);
    } catch (error) {
      if (turn === this.turn)
        setText(this.problem, error instanceof Error ? error.message : String(error));
    }
  }

  /** @param {ViewerTraits} traits */
  showMasks(traits) {
    this.serial += 1;
    const { serial } = this;
    const numbered = {
      ...traits,
      _sent_image: { ...traits._sent_image, number: serial },
      _masks: traits._masks.map((mask) => ({ ...mask, serial, image: serial })),
    };
    if (!this.viewer || !this.model) {
      this.dispose();
      this.model = localModel(numbered);
      this.viewer = new Viewer(this.model, this.body, { scored: false }); // stores keep none
      return;
    }
    // How it is looked at stays as it is.
    const { _sent_image, _masks, _notes, _change_colors } = numbered;
    this.model.update({ _notes, _change_colors, _sent_image, _masks });
  }

  dispose() {
    this.viewer?.dispose();
    this.bars?.dispose();
    this.viewer = null;
    this.model = null;
    this.bars = null;
    this.body.replaceChildren();
  }

  stop() {
    this.turn += 1;
    this.dispose();
    this.root.remove();
  }
}
