// Sends files to the kernel one after the other, in chunks; it answers each before the next one.

import { unique } from "./elements.js";

/** @import { Model } from "./model.js" */
/** @import { PickerTraits } from "./picker_tools.js" */
/** @typedef {{ id: string, file: File, sent: number }} Upload */
/** @typedef {{ type: string, id?: string, received?: number, failed?: boolean }} Answer */

export class Uploads {
  /**
   * @param {Model<PickerTraits>} model
   * @param {(current: Upload | null) => void} show
   */
  constructor(model, show) {
    this.model = model;
    this.show = show;
    /** @type {File[]} */
    this.waiting = [];
    /** @type {Upload | null} */
    this.current = null;
  }

  /** @param {string} text */
  say(text) {
    const before = this.model.get("_message");
    this.model.set("_message", text && before ? `${before}\n${text}` : text);
    this.model.save_changes();
  }

  /** @param {Iterable<File>} files */
  add(files) {
    const given = [...files];
    if (!given.length) return;
    if (!this.current) this.say("");
    const most = this.model.get("_most_bytes");
    for (const file of given) {
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
    if (this.current) this.send(this.current);
  }

  /** @param {Upload} upload */
  async send(upload) {
    const { id, file, sent } = upload;
    let chunk;
    try {
      chunk = await file.slice(sent, sent + this.model.get("_chunk_bytes")).arrayBuffer();
    } catch (error) {
      // A folder, or a file that changed since.
      if (upload === this.current) {
        this.say(`${file.name} cannot be read: ${/** @type {Error} */ (error).message}`);
        this.next();
      }
      return;
    }
    if (upload !== this.current) return;
    const header = { type: "upload", id, name: file.name, size: file.size, offset: sent };
    this.model.send(header, undefined, [chunk]);
  }

  /** @param {Answer} answer */
  answered({ type, id, received = 0, failed }) {
    const upload = this.current;
    if (type !== "upload" || !upload || id !== upload.id) return;
    if (failed || received >= upload.file.size) {
      this.next();
      return;
    }
    upload.sent = received;
    this.show(upload);
    this.send(upload);
  }

  cancel() {
    const upload = this.current;
    this.waiting = [];
    this.current = null;
    this.show(null);
    if (upload) this.model.send({ type: "drop upload", id: upload.id });
  }
}
