// The Explorer's panel: status and errors, times, code to copy, files to save.

import { button, element } from "./elements.js";
import { flash } from "./flash.js";
import { lostKernel } from "./lost.js";
import { carried, listening } from "./model.js";

/** @import { Model } from "./model.js" */
/** @typedef {{ title: string, rows: string[][] }} TimesTable */
/**
 * @typedef {object} PanelTraits
 * @property {{ state?: string, text?: string, part?: number }} _status
 * @property {{ kind?: string, message?: string, details?: string }} _error
 * @property {TimesTable[]} _times
 * @property {{ verdict?: string, text?: string, details?: string }} _verdict
 * @property {{ folder?: string, names?: string[], error?: string }} _saved
 * @property {string} code
 * @property {string} code_folder
 * @property {string} folder
 * @property {boolean} compare
 * @property {boolean} saving
 */

const BUSY_AFTER_MS = 150; // what is quicker than that needs no sign of it
const FOLDER = "Folder to save to";

/**
 * The panel's pieces, each an element of its own; `end` ends them.
 *
 * @param {Model<PanelTraits>} model
 */
export function panelParts(model) {
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
  /** @type {(action: string, about?: (keyof PanelTraits)[]) => void} */
  const act = (action, about = ["folder", "compare"]) =>
    model.send({ action, ...carried(model, about) });

  const statusText = element("span", { className: "wnb-status", role: "status" });
  const spinner = element("progress", { "aria-label": "Running", hidden: true });
  const status = element("div", { className: "wnb-panel wnb-working" }, spinner, statusText);
  const error = element("div", { className: "wnb-error", role: "alert", hidden: true });
  const verdict = element("div", { className: "wnb-verdict", role: "status", hidden: true });
  const saved = element("div", { className: "wnb-saved", role: "status", hidden: true });
  const times = element("details", { className: "wnb-times" });
  const code = element("details", { className: "wnb-code" });
  const codeText = element("pre", { tabIndex: 0 });
  code.append(element("summary", {}, "Code"), codeText);

  const compareBox = element("input", { type: "checkbox", "aria-label": "Compare two runs" });
  compareBox.addEventListener("change", () => set("compare", compareBox.checked));
  const compare = element(
    "label",
    { className: "wnb-panel wnb-compare", title: "Compare two runs" },
    compareBox,
    "Compare",
  );
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
    act("copy", ["code_folder"]); // an uploaded image is written to where this code reads it
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

  const lost = lostKernel(model, on, "The image can still be looked at");
  const messages = element(
    "div",
    { className: "wnb-panel wnb-messages" },
    lost,
    error,
    verdict,
    saved,
  );
  const actions = element("span", { className: "wnb-panel wnb-buttons" }, time, copy, saveBox);
  const folds = element("div", { className: "wnb-panel wnb-folds" }, times, code);

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  follow("_status", () => {
    const { state = "idle", text = "", part } = model.get("_status");
    clearTimeout(waiting);
    const show = () => {
      status.dataset.state = state;
      spinner.hidden = state !== "busy";
      if (part === undefined) spinner.removeAttribute("value");
      else spinner.value = part;
      statusText.textContent = text;
      statusText.title = text;
    };
    if (state === "busy") waiting = setTimeout(show, BUSY_AFTER_MS);
    else show();
  });
  follow("_error", () => {
    const { kind, message, details = "" } = model.get("_error");
    error.hidden = !message;
    error.replaceChildren();
    if (!message) return;
    const text = element("span", {}, element("strong", {}, `${kind} `), message);
    error.append(text, folded(details));
  });
  follow("_times", () => {
    const tables = model.get("_times");
    times.hidden = !tables.length;
    times.replaceChildren(
      element("summary", {}, "Times"),
      element("div", { className: "wnb-tables", tabIndex: 0 }, ...tables.map(timesTable)),
    );
  });
  follow("_verdict", () => {
    const { verdict: word, text = "", details = "" } = model.get("_verdict");
    verdict.hidden = !text;
    verdict.dataset.verdict = word ?? "";
    verdict.replaceChildren();
    if (!text) return;
    const lead = word ? "The two runs are " : "The two runs are not compared: ";
    verdict.append(element("span", {}, element("strong", {}, lead), text));
    if (word) verdict.append(folded(details));
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
    compareBox.checked = model.get("compare");
  });

  return {
    status,
    compare,
    messages,
    actions,
    folds,
    end() {
      clearTimeout(waiting);
      stop();
    },
  };
}

/** @param {string} text */
function folded(text) {
  return element("details", {}, element("summary", {}, "Details"), element("pre", {}, text));
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
