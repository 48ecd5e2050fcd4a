// What is to be known of a result, below its image: what was assumed, and the line that states it.

// Return an element that follows the trait _notes; *on* listens to the model.
function notesBelow(model, on) {
  const list = element("ul", { className: "wnb-notes" });
  const show = () => {
    const notes = model.get("_notes");
    list.hidden = !notes.length;
    list.replaceChildren(...notes.map(({ text, code }) => {
      const item = element("li", { className: "wnb-note" }, text);
      if (code) {
        item.append(element("span", { className: "wnb-note-hint" }, "State what is right, as in:"),
          element("code", { title: "Click to select" }, code));
      }
      return item;
    }));
  };
  on("change:_notes", show);
  show();
  return list;
}
