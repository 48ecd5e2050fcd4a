// What is to be known of what is shown, each as a badge that opens with its text and its line of code.

import { button, element } from "./elements.js";
import { flash } from "./flash.js";
import { noteElement } from "./notes.js";
import { Popover } from "./popover.js";

/** @import { Note } from "./notes.js" */

export class Badges {
  constructor() {
    this.root = element("span", { className: "wnb-badges", role: "group", "aria-label": "Notes" });
    /** @type {Popover[]} */
    this.popovers = [];
    this.key = "";
  }

  /** @param {Note[]} notes */
  update(notes) {
    const key = JSON.stringify(notes);
    if (key === this.key) return;
    this.key = key;
    this.dispose();
    this.popovers = notes.map(
      (note) => new Popover(note.badge || "Note", badge(note), panel(note)),
    );
    this.root.hidden = !notes.length;
    this.root.replaceChildren(...this.popovers.flatMap(({ button: made, root }) => [made, root]));
  }

  dispose() {
    for (const popover of this.popovers) popover.dispose();
  }
}

/** @param {Note} note */
function badge({ text, badge: title }) {
  return element(
    "button",
    { className: "wnb-badge", type: "button", title: text },
    title || "Note",
  );
}

/** @param {Note} note */
function panel(note) {
  const list = element("ul", { className: "wnb-notes" }, noteElement(note));
  const { code } = note;
  if (!code) return list;
  const copy = button({ className: "wnb-button" }, ["Copy this line"], async () => {
    try {
      await navigator.clipboard.writeText(code);
      flash(copy, "Copied");
    } catch {
      const line = list.querySelector("code");
      if (line) getSelection()?.selectAllChildren(line); // not allowed here: Ctrl+C does it
      flash(copy, "Press Ctrl+C");
    }
  });
  return element("div", { className: "wnb-note-panel" }, list, copy);
}
