// What is to be known of a result, below its image: what was assumed, and the line that states it.

import { element } from "./elements.js";

/** @import { Listen } from "./model.js" */
/** @typedef {{ text: string, code?: string, badge?: string }} Note */

/**
 * Return an element that follows the trait `_notes`.
 *
 * @param {{ get: (name: "_notes") => Note[] }} model
 * @param {Listen} on
 */
export function notesBelow(model, on) {
  const list = element("ul", { className: "wnb-notes" });
  const show = () => {
    const notes = model.get("_notes");
    list.hidden = !notes.length;
    list.replaceChildren(...notes.map(noteElement));
  };
  on("change:_notes", show);
  show();
  return list;
}

/** @param {Note} note */
export function noteElement({ text, code }) {
  const item = element("li", { className: "wnb-note" }, text);
  if (code) {
    item.append(
      element("span", { className: "wnb-note-hint" }, "State what is right, as in:"),
      element("code", { title: "Click to select" }, code),
    );
  }
  return item;
}
