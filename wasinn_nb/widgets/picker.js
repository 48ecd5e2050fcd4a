// A group of options of which one is picked, and what belongs to the kinds of pickers: a button
// for models that can be fetched, uploads and folders for pictures, the precision of a target.
// What comes from outside becomes text, never HTML.

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text; // screen readers tell what is replaced
  node.hidden = !text;
}

const unique = () => `wnb-${Math.random().toString(36).slice(2)}`;

function sameBytes(a, b) {
  if (!a || !b || a.byteLength !== b.byteLength) return a === b;
  const [x, y] = [a, b].map((view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  return x.every((byte, index) => byte === y[index]);
}

// ---------------------------------------------------------------------------------- one option

class Row {
  constructor(key, group, { pick, act }) {
    const id = unique();
    this.radio = element("input", {
      type: "radio",
      name: group,
      value: key,
      "aria-labelledby": `${id}-title`,
      "aria-describedby": `${id}-detail ${id}-reason`,
    });
    this.radio.addEventListener("change", () => this.radio.checked && pick(key));
    this.picture = element("img", { className: "wnb-thumbnail", alt: "", draggable: false });
    this.title = element("span", { className: "wnb-title", id: `${id}-title` });
    this.detail = element("span", { className: "wnb-detail", id: `${id}-detail` });
    this.reason = element("span", { className: "wnb-reason", id: `${id}-reason` });
    this.button = element("button", { className: "wnb-button", type: "button" });
    this.button.addEventListener("click", (event) => {
      event.preventDefault(); // the label would pick the option
      act(this.option);
    });
    this.bar = element("progress", { className: "wnb-bar", max: 1 });
    const below = element("span", { className: "wnb-below" }, this.reason, this.button, this.bar);
    const words = element("span", { className: "wnb-words" }, this.title, this.detail, below);
    this.label = element("label", { className: "wnb-option" }, this.radio, this.picture, words);
  }

  update(option) {
    const { title, detail, reason, enabled, action, progress, thumbnail } = option;
    setText(this.title, title);
    this.title.title = [title, detail].filter(Boolean).join(" · "); // it may be cut
    setText(this.detail, detail);
    setText(this.reason, reason);
    this.radio.disabled = !enabled;
    this.label.classList.toggle("wnb-off", !enabled);
    setText(this.button, action ? action.title : "");
    this.button.setAttribute("aria-label", `Download ${title}`);
    this.bar.hidden = progress === undefined;
    this.bar.value = progress ?? 0;
    this.bar.setAttribute("aria-label", `Downloading ${title}`);
    if (!sameBytes(thumbnail, this.option?.thumbnail)) {
      this.revoke();
      if (thumbnail) this.picture.src = URL.createObjectURL(new Blob([thumbnail]));
      else this.picture.removeAttribute("src");
    }
    this.option = option;
  }

  mark(picked) {
    if (this.radio.checked !== picked) this.radio.checked = picked;
    this.label.classList.toggle("wnb-picked", picked);
  }

  revoke() {
    if (this.picture.src) URL.revokeObjectURL(this.picture.src);
  }

  remove() {
    this.revoke();
    this.label.remove();
  }
}

// What was said of a choice before says nothing of this one.
function choose(model, name, value) {
  model.set(name, value);
  model.set("_message", "");
  model.save_changes();
}

// -------------------------------------------------------------------------------------- uploads

// Sends files one after the other, in chunks; the kernel answers each before the next one.
class Uploads {
  constructor(model, show) {
    this.model = model;
    this.show = show;
    this.waiting = [];
    this.current = null;
  }

  say(text) {
    const before = this.model.get("_message");
    this.model.set("_message", text && before ? `${before}\n${text}` : text);
    this.model.save_changes();
  }

  add(files) {
    if (!files.length) return;
    if (!this.current) this.say("");
    const most = this.model.get("_most_bytes");
    for (const file of files) {
      if (file.size <= most) {
        this.waiting.push(file);
      } else {
        const size = (file.size / 1e6).toFixed(1);
        this.say(
          `${file.name} has ${size} MB; at most ${most / 2 ** 20} MiB can be uploaded: ` +
            "put it into a folder, and open that",
        );
      }
    }
    if (!this.current) this.next();
  }

  next() {
    const file = this.waiting.shift();
    this.current = file ? { id: unique(), file, sent: 0 } : null;
    this.show(this.current);
    if (file) this.send();
  }

  async send() {
    const upload = this.current;
    const { id, file, sent } = upload;
    let chunk;
    try {
      chunk = await file.slice(sent, sent + this.model.get("_chunk_bytes")).arrayBuffer();
    } catch (error) {
      // A folder, or a file that changed since.
      if (upload === this.current) {
        this.say(`${file.name} cannot be read: ${error.message}`);
        this.next();
      }
      return;
    }
    if (upload !== this.current) return;
    const said = { type: "upload", id, name: file.name, size: file.size, offset: sent };
    this.model.send(said, undefined, [chunk]);
  }

  answered({ type, id, received, failed }) {
    if (type !== "upload" || id !== this.current?.id) return;
    if (failed || received >= this.current.file.size) {
      this.next();
      return;
    }
    this.current.sent = received;
    this.show(this.current);
    this.send();
  }

  cancel() {
    const upload = this.current;
    this.waiting = [];
    this.current = null;
    this.show(null);
    if (upload) this.model.send({ type: "drop upload", id: upload.id });
  }
}

// --------------------------------------------------------------------------------------- pickers

function pictureTools(model, on, root) {
  const input = element("input", {
    type: "file",
    accept: "image/*",
    multiple: true,
    hidden: true,
    "aria-label": "Upload pictures",
  });
  const upload = element("button", { className: "wnb-button", type: "button" }, "Upload…");
  const hint = element("span", { className: "wnb-hint" }, "or drop, or paste");
  const folder = element("input", { className: "wnb-text", type: "text", spellcheck: false });
  folder.placeholder = "path of a folder";
  const open = element("button", { className: "wnb-button", type: "button" }, "Open");
  const name = element("span", { className: "wnb-title" });
  const bar = element("progress", { className: "wnb-bar", max: 1 });
  const cancel = element("button", { className: "wnb-button", type: "button" }, "Cancel");
  const moving = element("div", { className: "wnb-moving", hidden: true }, name, bar, cancel);

  const uploads = new Uploads(model, (current) => {
    moving.hidden = !current;
    if (!current) return;
    name.textContent = current.file.name;
    bar.setAttribute("aria-label", `Uploading ${current.file.name}`);
    bar.value = current.sent / Math.max(current.file.size, 1);
  });
  on("msg:custom", (message) => uploads.answered(message));
  cancel.addEventListener("click", () => uploads.cancel());
  upload.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    uploads.add([...input.files]);
    input.value = ""; // so that the same file can be chosen again
  });

  const openFolder = () => model.send({ type: "folder", path: folder.value });
  open.addEventListener("click", openFolder);
  folder.addEventListener("keydown", (event) => {
    if (event.key === "Enter") openFolder();
  });
  const showFolder = () => (folder.value = model.get("_folder"));
  on("change:_folder", showFolder);
  showFolder();

  const hasFiles = (transfer) => transfer?.types.includes("Files");
  const highlight = (over) => root.classList.toggle("wnb-over", over);
  root.addEventListener("dragover", (event) => {
    if (!hasFiles(event.dataTransfer)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    highlight(true);
  });
  root.addEventListener("dragleave", (event) => {
    if (!root.contains(event.relatedTarget)) highlight(false);
  });
  root.addEventListener("drop", (event) => {
    highlight(false);
    if (!hasFiles(event.dataTransfer)) return;
    event.preventDefault();
    event.stopPropagation();
    uploads.add([...event.dataTransfer.files]);
  });
  root.addEventListener("paste", (event) => {
    if (!event.clipboardData?.files.length) return; // text for the folder
    event.preventDefault();
    event.stopPropagation();
    uploads.add([...event.clipboardData.files]);
  });

  const where = element("label", { className: "wnb-field" }, "Folder", folder);
  return {
    nodes: [element("div", { className: "wnb-tools" }, upload, hint, input, where, open), moving],
    close: () => uploads.cancel(),
  };
}

// A list of names, of which one is picked; the one that is picked may be none of those offered.
function choice(model, on, { title, name, offered, always }) {
  const select = element("select", { className: "wnb-text" });
  select.addEventListener("change", () => choose(model, name, select.value));
  const field = element("label", { className: "wnb-field" }, title, select);
  const show = () => {
    const [known, value] = [model.get(offered), model.get(name)];
    const other = known.includes(value) ? [] : [value];
    select.replaceChildren(
      ...[...known, ...other].map((one) =>
        element("option", { value: one, disabled: other.includes(one) }, one),
      ),
    );
    select.value = value;
    field.hidden = !always && known.length + other.length < 2;
  };
  on(`change:${name}`, show);
  on(`change:${offered}`, show);
  show();
  return field;
}

function targetTools(model, on) {
  const fields = [
    { title: "Precision", name: "precision", offered: "_precisions", always: true },
    { title: "Runtime", name: "runtime", offered: "_runtimes", always: false },
  ].map((one) => choice(model, on, one));
  const ran = element("div", { className: "wnb-ran" });
  const showRan = () => setText(ran, model.get("ran") && `Ran on ${model.get("ran")}`);
  on("change:ran", showRan);
  showRan();
  return { nodes: [element("div", { className: "wnb-tools" }, ...fields), ran], close: () => {} };
}

const TOOLS = { images: pictureTools, targets: targetTools };

function render({ model, el }) {
  const listeners = [];
  const on = (event, listener) => {
    model.on(event, listener);
    listeners.push([event, listener]);
  };
  const group = unique();
  const rows = new Map();
  const list = element("div", { className: "wnb-options" });
  const legend = element("legend");
  const message = element("div", { className: "wnb-message", role: "alert" });
  // It can be focused by a click, so that a picture can be pasted into it.
  const root = element(
    "fieldset",
    { className: `wnb-picker wnb-${model.get("_kind")}`, tabIndex: -1 },
    legend,
    list,
  );
  const tools = TOOLS[model.get("_kind")]?.(model, on, root);
  root.append(...(tools?.nodes ?? []), message);

  const pick = (key) => choose(model, "value", key);
  const act = ({ key, action }) => {
    root.focus({ preventScroll: true }); // the button is about to vanish
    model.send({ type: action.name, name: key });
  };

  function showPicked() {
    const label = rows.get(model.get("value"))?.label;
    if (!label) return;
    // Not scrollIntoView: that scrolls the notebook too.
    const [outer, inner] = [list.getBoundingClientRect(), label.getBoundingClientRect()];
    if (inner.top < outer.top) list.scrollTop -= outer.top - inner.top;
    else if (inner.bottom > outer.bottom) list.scrollTop += inner.bottom - outer.bottom;
  }

  function mark() {
    const value = model.get("value");
    for (const [key, row] of rows) row.mark(key === value);
    showPicked();
  }

  // Rows stay where they are as far as they can, so that focus and scroll position do too.
  function draw() {
    const options = model.get("_options");
    const wanted = new Set(options.map((option) => option.key));
    for (const [key, row] of rows) {
      if (wanted.has(key)) continue;
      row.remove();
      rows.delete(key);
    }
    const focused = root.getRootNode().activeElement;
    let next = list.firstElementChild;
    for (const option of options) {
      if (!rows.has(option.key)) rows.set(option.key, new Row(option.key, group, { pick, act }));
      const row = rows.get(option.key);
      row.update(option);
      row.mark(option.key === model.get("value"));
      if (row.label === next) next = next.nextElementSibling;
      else list.insertBefore(row.label, next);
    }
    if (focused && root.contains(focused)) focused.focus({ preventScroll: true });
  }

  on("change:_options", draw);
  on("change:value", mark);
  const showLabel = () => setText(legend, model.get("label"));
  on("change:label", showLabel);
  const showMessage = () => setText(message, model.get("_message"));
  on("change:_message", showMessage);
  on("change:_folder", () => list.scrollTo({ top: 0 }));
  draw();
  showLabel();
  showMessage();
  el.classList.add("wnb-picker-host");
  el.append(root);

  // Only what is on the page has a height to scroll in.
  const sized = new ResizeObserver(() => {
    if (!list.clientHeight) return;
    sized.disconnect();
    showPicked();
  });
  sized.observe(list);

  return () => {
    sized.disconnect();
    for (const [event, listener] of listeners) model.off(event, listener);
    for (const row of rows.values()) row.remove();
    tools?.close();
  };
}

export default { render };
