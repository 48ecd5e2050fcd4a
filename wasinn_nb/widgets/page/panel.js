// The Explorer's panel: status and errors, times, code to copy, files to save.

import { button, element } from "./elements.js";
import { listening } from "./model.js";

/** @import { Context } from "./model.js" */
/** @typedef {{ title: string, rows: string[][] }} TimesTable */
/**
 * @typedef {object} PanelTraits
 * @property {{ state?: string, text?: string, part?: number }} _status
 * @property {{ kind?: string, message?: string, details?: string }} _error
 * @property {TimesTable[]} _times
 * @property {{ verdict?: string, text?: string, details?: string }} _verdict
 * @property {{ folder?: string, names?: string[], error?: string }} _saved
 * @property {string} code
 * @property {string} folder
 * @property {boolean} compare
 * @property {boolean} saving
 */

const BUSY_AFTER_MS = 150; // what is quicker than that needs no sign of it
const FLASH_MS = 1500;
const FOLDER = "Folder to save to";

export default {
  /** @param {Context<PanelTraits>} context */
  render({ model, el }) {
    const { on, stop } = listening(model);
    /** @type {(name: keyof PanelTraits, show: () => void) => void} */
    const follow = (name, show) => {
      on(`change:${name}`, show);
      show();
    };
    /** @type {<Name extends keyof PanelTraits>(name: Name, value: PanelTraits[Name]) => void} */
    const set = (name, value) => {
      model.set(name, value);
      model.save_changes();
    };
    /** @param {string} action */
    const act = (action) => model.send({ action });

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
    compare.addEventListener("change", () => set("compare", compare.checked));
    const folder = element("input", {
      type: "text",
      "aria-label": FOLDER,
      title: FOLDER,
      spellcheck: false,
    });
    folder.addEventListener("change", () => set("folder", folder.value));
    folder.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      set("folder", folder.value);
      act("save");
    });
    const copyTitle = "Copy the Python that makes this image";
    const copy = button({ title: copyTitle }, ["Copy code"], async () => {
      act("copy"); // an uploaded image is written to where the code reads it
      try {
        await navigator.clipboard.writeText(model.get("code"));
        flash(copy, "Copied");
      } catch {
        // Not allowed here: select it, so that Ctrl+C does it.
        code.open = true;
        getSelection()?.selectAllChildren(codeText);
        flash(copy, "Press Ctrl+C");
      }
    });
    const saveTitle = "Write the files of the result into the folder";
    const save = button({ title: saveTitle }, ["Save"], () => act("save"));
    const saveBox = element("span", { className: "wnb-save" }, folder, save);
    const timeTitle = "Run ten times more and show the median of each step";
    const time = button({ title: timeTitle }, ["Time 10 runs"], () => act("time"));

    const gone =
      "The kernel of this widget is gone. The image can still be looked at; run the cell again to go on.";
    const root = element(
      "div",
      { className: "wnb-panel" },
      element(
        "div",
        { className: "wnb-row" },
        spinner,
        status,
        element("label", { className: "wnb-compare" }, compare, "Compare two runs"),
        element("span", { className: "wnb-buttons" }, time, copy, saveBox),
      ),
      element("div", { className: "wnb-gone", role: "alert" }, gone),
      error,
      verdict,
      saved,
      element("div", { className: "wnb-folds" }, times, code),
    );
    el.append(root);

    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let waiting;
    follow("_status", () => {
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
    follow("_error", () => {
      const { kind, message, details = "" } = model.get("_error");
      error.hidden = !message;
      error.replaceChildren();
      if (message) error.append(element("strong", {}, `${kind} `), message, folded(details));
    });
    follow("_times", () => {
      const tables = model.get("_times");
      times.hidden = !tables.length;
      times.replaceChildren(
        element("summary", {}, "Times"),
        element("div", { className: "wnb-tables" }, ...tables.map(timesTable)),
      );
    });
    follow("_verdict", () => {
      const { verdict: word, text = "", details = "" } = model.get("_verdict");
      verdict.hidden = !text;
      verdict.dataset.verdict = word ?? "";
      verdict.replaceChildren();
      if (word) verdict.append(element("strong", {}, "The two runs are "), text, folded(details));
      else if (text) {
        verdict.append(element("strong", {}, "The two runs are not compared: "), text);
      }
    });
    follow("_saved", () => {
      const { folder: where, names = [], error: problem } = model.get("_saved");
      saved.hidden = !where && !problem;
      saved.classList.toggle("wnb-failed", Boolean(problem));
      saved.textContent = problem
        ? `Not saved: ${problem}`
        : `Saved in ${where}: ${names.join(", ")}`;
    });
    follow("code", () => {
      codeText.textContent = model.get("code");
    });
    follow("folder", () => {
      folder.value = model.get("folder");
    });
    follow("saving", () => {
      saveBox.hidden = !model.get("saving");
    });
    follow("compare", () => {
      compare.checked = model.get("compare");
    });

    return () => {
      clearTimeout(waiting);
      stop();
    };
  },
};

/** @param {string} text */
function folded(text) {
  return element("details", {}, element("summary", {}, "Details"), element("pre", {}, text));
}

/**
 * Show another text on a button for a moment.
 *
 * @param {HTMLElement} made
 * @param {string} text
 */
function flash(made, text) {
  const before = made.dataset.text ?? made.textContent;
  made.dataset.text = before;
  made.textContent = text;
  setTimeout(() => {
    made.textContent = before;
  }, FLASH_MS);
}

/** @param {TimesTable} table */
function timesTable({ title, rows }) {
  const [head, ...body] = rows;
  const titles = head.map((text) => element("th", { scope: "col" }, text));
  const lines = body.map(([step, ...cells]) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, step),
      ...cells.map((text) => element("td", {}, text)),
    ),
  );
  return element(
    "table",
    {},
    element("caption", {}, title),
    element("thead", {}, element("tr", {}, ...titles)),
    element("tbody", {}, ...lines),
  );
}
