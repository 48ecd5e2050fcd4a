// The Explorer's panel: status and errors, times, code to copy, files to save.

const BUSY_AFTER_MS = 150; // what is quicker than that needs no sign of it

export default {
  render({ model, el }) {
    const handlers = [];
    const on = (names, handler) => {
      for (const name of names) {
        model.on(`change:${name}`, handler);
        handlers.push([`change:${name}`, handler]);
      }
      handler();
    };

    const status = element("span", { className: "wnb-status", role: "status" });
    const spinner = element("progress", { "aria-label": "Running", hidden: true });
    const error = element("div", { className: "wnb-error", role: "alert", hidden: true });
    const verdict = element("div", { className: "wnb-verdict", role: "status", hidden: true });
    const saved = element("div", { className: "wnb-saved", role: "status", hidden: true });
    const times = element("details", { className: "wnb-times" });
    const code = element("details", { className: "wnb-code" });
    const codeText = element("pre", { tabIndex: 0 });
    code.append(element("summary", {}, "Code"), codeText);

    const compare = element("input", { type: "checkbox" });
    compare.addEventListener("change", () => {
      model.set("compare", compare.checked);
      model.save_changes();
    });
    const folder = element("input", {
      type: "text", "aria-label": "Folder to save to", title: "Folder to save to", spellcheck: false,
    });
    folder.addEventListener("change", () => {
      model.set("folder", folder.value);
      model.save_changes();
    });
    const act = (action) => model.send({ action });
    const copy = button("Copy code", "Copy the Python that makes this picture", async () => {
      act("copy"); // an uploaded picture is written to where the code reads it
      try {
        await navigator.clipboard.writeText(model.get("code"));
        flash(copy, "Copied");
      } catch { // not allowed here: select it, so that Ctrl+C does it
        code.open = true;
        getSelection().selectAllChildren(codeText);
        flash(copy, "Press Ctrl+C");
      }
    });
    const save = button("Save", "Write the files of the result into the folder", () =>
      act("save"));
    folder.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      model.set("folder", folder.value);
      model.save_changes();
      act("save");
    });
    const time = button("Time 10 runs", "Run ten times more and show the median of each step", () =>
      act("time"));

    const root = element("div", { className: "wnb-panel" },
      element("div", { className: "wnb-row" },
        spinner, status,
        element("label", { className: "wnb-compare" }, compare, "Compare two runs"),
        element("span", { className: "wnb-buttons" }, time, copy,
          element("span", { className: "wnb-save" }, folder, save))),
      element("div", { className: "wnb-gone", role: "alert" },
        "The kernel of this widget is gone. The picture can still be looked at; run the cell again to go on."),
      error, verdict, saved,
      element("div", { className: "wnb-folds" }, times, code));
    el.append(root);

    let waiting;
    on(["_status"], () => {
      const { state = "idle", text = "", part } = model.get("_status");
      clearTimeout(waiting);
      const show = () => {
        root.dataset.state = state;
        spinner.hidden = state !== "busy";
        if (part === undefined) spinner.removeAttribute("value");
        else spinner.value = part;
        status.textContent = text;
      };
      if (state === "busy") waiting = setTimeout(show, BUSY_AFTER_MS);
      else show();
    });
    on(["_error"], () => {
      const { kind, message, details } = model.get("_error");
      error.hidden = !message;
      error.replaceChildren();
      if (!message) return;
      error.append(element("strong", {}, `${kind} `), message, folded(details));
    });
    on(["_times"], () => {
      const tables = model.get("_times");
      times.hidden = !tables.length;
      times.replaceChildren(element("summary", {}, "Times"), element("div", { className: "wnb-tables" },
        ...tables.map(timesTable)));
    });
    on(["_verdict"], () => {
      const { verdict: word, text, details } = model.get("_verdict");
      verdict.hidden = !text;
      verdict.dataset.verdict = word ?? "";
      verdict.replaceChildren();
      if (word) verdict.append(element("strong", {}, "The two runs are "), text, folded(details));
      else if (text) verdict.append(element("strong", {}, "The two runs are not compared: "), text);
    });
    on(["_saved"], () => {
      const { folder: where, names, error: problem } = model.get("_saved");
      saved.hidden = !where && !problem;
      saved.classList.toggle("wnb-failed", Boolean(problem));
      saved.textContent = problem ? `Not saved: ${problem}`
        : `Saved in ${where}: ${(names ?? []).join(", ")}`;
    });
    on(["code"], () => { codeText.textContent = model.get("code"); });
    on(["folder"], () => { folder.value = model.get("folder"); });
    on(["compare"], () => { compare.checked = model.get("compare"); });

    return () => {
      clearTimeout(waiting);
      for (const [event, handler] of handlers) model.off(event, handler);
    };
  },
};

function folded(text) {
  return element("details", {}, element("summary", {}, "Details"), element("pre", {}, text));
}

function button(text, title, act) {
  const made = element("button", { type: "button", title }, text);
  made.addEventListener("click", act);
  return made;
}

function flash(made, text) {
  const before = made.dataset.text ?? made.textContent;
  made.dataset.text = before;
  made.textContent = text;
  setTimeout(() => { made.textContent = before; }, 1500);
}

function timesTable({ title, rows }) {
  const [head, ...body] = rows;
  return element("table", {},
    element("caption", {}, title),
    element("thead", {}, element("tr", {}, ...head.map((text) =>
      element("th", { scope: "col" }, text)))),
    element("tbody", {}, ...body.map(([step, ...cells]) => element("tr", {},
      element("th", { scope: "row" }, step), ...cells.map((text) => element("td", {}, text))))));
}
