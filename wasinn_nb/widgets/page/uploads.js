// Sends files to the kernel one after the other, in chunks; it answers each before the next one.

import { unique } from "./elements.js";

/** @typedef {{ id: string, file: File, sent: number }} Upload */
/** @typedef {{ type: string, id?: string, received?: number, failed?: boolean }} Answer */

/** @typedef {(content: object, buffers?: ArrayBuffer[]) => void} Send */

export class Uploads {
  /**
   * @param {{ chunk: number, most: number }} bytes of a message, and of a file
   * @param {Send} send
   * @param {(current: Upload | null) => void} show
   */
  constructor(bytes, send, show) {
    this.bytes = bytes;
    this.sendMessage = send;
    this.show = show;
    /** @type {File[]} */
    this.waiting = [];
    /** @type {Upload | null} */
    this.current = null;
  }

  /** @param {Iterable<File>} files */
  add(files) {
    const given = [...files];
    if (!given.length) return;
    this.waiting.push(...given);
    if (this.current) return;
    this.sendMessage({ type: "uploads" }); // others than before: what was said of those is over
    this.next();
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
    const { chunk: some, most } = this.bytes;
    const length = file.size <= most ? some : 0; // the kernel refuses what is larger, by its size
    let chunk;
    try {
      chunk = await file.slice(sent, sent + length).arrayBuffer();
    } catch (error) {
      // A folder, or a file that changed since.
      if (upload === this.current) {
        const reason = /** @type {Error} */ (error).message;
        this.sendMessage({ type: "unreadable upload", name: file.name, reason });
        this.next();
      }
      return;
    }
    if (upload !== this.current) return;
    const header = { type: "upload", id, name: file.name, size: file.size, offset: sent };
    this.sendMessage(header, [chunk]);
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
    if (upload) this.sendMessage({ type: "drop upload", id: upload.id });
  }
}
