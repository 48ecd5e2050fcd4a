// What stands below the options of some pickers: uploads and folders of images, the precision and the
// engine of a target.

import { button, element, setText } from "./elements.js";
import { carried } from "./model.js";
import { Uploads } from "./uploads.js";

/** @import { Listen, Model } from "./model.js" */
/** @import { SentOptions } from "./listed.js" */
/**
 * The traits of all kinds of pickers; those of uploads and of targets belong to one kind each.
 *
 * @typedef {object} PickerTraits
 * @property {string} label
 * @property {string} value
 * @property {string} _kind
 * @property {SentOptions} _options
 * @property {string} _message
 * @property {number} _most_bytes
 * @property {number} _chunk_bytes
 * @property {string} _folder
 * @property {string} precision
 * @property {string} runtime
 * @property {string[]} _precisions
 * @property {Record<string, string>} _unsupported precisions, and why the device does not have them
 * @property {string[]} _runtimes
 * @property {string} ran
 */
/** @typedef {{ nodes: HTMLElement[], close: () => void }} Tools */
/** @typedef {(model: Model<PickerTraits>, on: Listen, root: HTMLElement, precision: boolean) => Tools} MakeTools */

/**
 * Pick something.
 *
 * @param {Model<PickerTraits>} model
 * @param {"value" | "precision" | "runtime"} name
 * @param {string} value
 */
export function choose(model, name, value) {
  model.set(name, value);
  model.save_changes();
}

/**
 * Ask the kernel for something; what was picked before that is picked before it.
 *
 * @param {Model<PickerTraits>} model
 * @param {object} content
 * @param {ArrayBuffer[]} [buffers]
 */
export function send(model, content, buffers) {
  model.send({ ...content, ...carried(model, ["value"]) }, undefined, buffers);
}

/**
 * Ask which precisions the target has; that takes a moment, so that it is asked when they are seen.
 *
 * @param {Model<PickerTraits>} model
 */
export const askPrecisions = (model) => send(model, { type: "precisions" });

/** @type {MakeTools} */
function imageTools(model, on, root) {
  const input = element("input", {
    type: "file",
    accept: "image/*",
    multiple: true,
    hidden: true,
    "aria-label": "Upload images",
  });
  const plain = { className: "wnb-button" };
  const upload = button(plain, ["Upload…"], () => input.click());
  const hint = element("span", { className: "wnb-hint" }, "or drop, or paste");
  const name = element("span", { className: "wnb-title" });
  const bar = element("progress", { className: "wnb-bar", max: 1 });
  const cancel = button(plain, ["Cancel"], () => uploads.cancel());
  const moving = element("div", { className: "wnb-moving", hidden: true }, name, bar, cancel);

  const uploads = new Uploads(
    { chunk: model.get("_chunk_bytes"), most: model.get("_most_bytes") },
    (...sent) => send(model, ...sent),
    (current) => {
      moving.hidden = !current;
      if (!current) return;
      name.textContent = current.file.name;
      bar.setAttribute("aria-label", `Uploading ${current.file.name}`);
      bar.value = current.sent / Math.max(current.file.size, 1);
    },
  );
  on("msg:custom", (message) => uploads.answered(message));
  input.addEventListener("change", () => {
    uploads.add(input.files ?? []);
    input.value = ""; // so that the same file can be chosen again
  });
  takeDropped(root, (files) => uploads.add(files));

  const folder = element("input", {
    className: "wnb-text",
    type: "text",
    spellcheck: false,
    placeholder: "path of a folder",
  });
  const openFolder = () => send(model, { type: "folder", path: folder.value });
  const open = button(plain, ["Open"], openFolder);
  folder.addEventListener("keydown", (event) => {
    if (event.key === "Enter") openFolder();
  });
  const showFolder = () => {
    folder.value = model.get("_folder");
  };
  on("change:_folder", showFolder);
  showFolder();

  const where = element("label", { className: "wnb-field" }, "Folder", folder);
  return {
    nodes: [element("div", { className: "wnb-tools" }, upload, hint, input, where, open), moving],
    close: () => uploads.cancel(),
  };
}

/**
 * Take the files that are dropped on an element, or pasted into it.
 *
 * @param {HTMLElement} root
 * @param {(files: FileList) => void} take
 */
function takeDropped(root, take) {
  /** @param {DataTransfer | null} transfer */
  const withFiles = (transfer) => (transfer?.types.includes("Files") ? transfer : null);
  /** @param {boolean} over */
  const highlight = (over) => root.classList.toggle("wnb-over", over);
  root.addEventListener("dragover", (event) => {
    const transfer = withFiles(event.dataTransfer);
    if (!transfer) return;
    event.preventDefault();
    transfer.dropEffect = "copy";
    highlight(true);
  });
  root.addEventListener("dragleave", (event) => {
    if (!root.contains(/** @type {Node | null} */ (event.relatedTarget))) highlight(false);
  });
  root.addEventListener("drop", (event) => {
    highlight(false);
    const transfer = withFiles(event.dataTransfer);
    if (!transfer) return;
    event.preventDefault();
    event.stopPropagation();
    take(transfer.files);
  });
  root.addEventListener("paste", (event) => {
    const files = event.clipboardData?.files;
    if (!files?.length) return; // text for the folder
    event.preventDefault();
    event.stopPropagation();
    take(files);
  });
}

/**
 * A list of names, of which one is picked; the one that is picked may be none of those offered.
 *
 * @param {Model<PickerTraits>} model
 * @param {Listen} on
 * @param {object} about
 * @param {string} about.title
 * @param {"precision" | "runtime"} about.name
 * @param {"_precisions" | "_runtimes"} about.offered
 * @param {boolean} about.always whether a list of one name is shown
 */
function choice(model, on, { title, name, offered, always }) {
  const select = element("select", { className: "wnb-text" });
  select.addEventListener("change", () => choose(model, name, select.value));
  const field = element("label", { className: "wnb-field" }, title, select);
  const show = () => {
    const [known, value] = [model.get(offered), model.get(name)];
    const other = known.includes(value) ? [] : [value];
    const reasons = name === "precision" ? model.get("_unsupported") : {};
    select.replaceChildren(
      ...[...known, ...other].map((one) => {
        const disabled = other.includes(one) || one in reasons;
        return element("option", { value: one, disabled, title: reasons[one] ?? "" }, one);
      }),
    );
    select.value = value;
    field.hidden = !always && known.length + other.length < 2;
  };
  on(`change:${name}`, show);
  on(`change:${offered}`, show);
  if (name === "precision") {
    on("change:_unsupported", show);
    select.addEventListener("focus", () => askPrecisions(model));
  }
  show();
  return field;
}

/** @type {MakeTools} */
function targetTools(model, on, _root, precision) {
  /** @type {Parameters<typeof choice>[2][]} */
  const choices = [
    { title: "Precision", name: "precision", offered: "_precisions", always: true },
    { title: "Runtime", name: "runtime", offered: "_runtimes", always: false },
  ];
  const fields = choices
    .filter(({ name }) => precision || name !== "precision")
    .map((about) => choice(model, on, about));
  const ran = element("div", { className: "wnb-ran" });
  const showRan = () => setText(ran, model.get("ran") && `Ran on ${model.get("ran")}`);
  on("change:ran", showRan);
  showRan();
  return { nodes: [element("div", { className: "wnb-tools" }, ...fields), ran], close: () => {} };
}

/** @type {Record<string, MakeTools | undefined>} */
export const TOOLS = { images: imageTools, targets: targetTools };
