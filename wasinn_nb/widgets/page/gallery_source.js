// Where a gallery's page gets columns and tiles from: the kernel, which it asks by messages.

import { unique } from "./elements.js";

/** @import { Handler, Model } from "./model.js" */
/** @import { ViewerTraits } from "./mask_viewer.js" */
/** @typedef {DataView<ArrayBuffer>} Bytes */
/**
 * A column in bins: of numbers with the edges between them, of texts with what each is; and how many
 * rows each bin has.
 *
 * @typedef {object} SentFacet
 * @property {number[]} [edges]
 * @property {boolean} [whole] each bin is a whole number
 * @property {string[]} [texts]
 * @property {string[]} [labels]
 * @property {number[]} counts
 */
/**
 * @typedef {object} SentTile
 * @property {number} row
 * @property {string} name
 * @property {[width: number, height: number]} size
 * @property {string} [detail]
 * @property {string} [wrong] the true class, where it is another one
 * @property {string} [error]
 * @property {string} [problem]
 * @property {Bytes} [thumbnail]
 * @property {Bytes} [labels] deflated
 * @property {number} [width]
 * @property {number} [height]
 * @property {[number, number, number, number]} [covers]
 */
/**
 * What can be asked, and what is answered.
 *
 * @typedef {object} Answers
 * @property {SentFacet} facet
 * @property {{ bins: Bytes }} bins of each row, deflated
 * @property {{ order: Bytes }} order of as many rows as are asked for
 * @property {{ bits: Bytes }} holds
 * @property {{ values: string[] }} values
 * @property {{ tiles: SentTile[] }} tiles
 * @property {{ name: string, facts?: string, error?: string, viewer?: ViewerTraits, bars?: any }} open
 * @property {{ code: string, query: string }} code
 */
/**
 * @typedef {object} Source
 * @property {<Ask extends keyof Answers>(ask: Ask, more: Record<string, unknown>) => Promise<Answers[Ask]>} ask
 * @property {() => void} stop
 */

/**
 * Put buffers back where they were taken from.
 *
 * @param {any} value
 * @param {Bytes[]} buffers
 * @returns {any}
 */
export function unpacked(value, buffers) {
  if (Array.isArray(value)) return value.map((one) => unpacked(one, buffers));
  if (value === null || typeof value !== "object") return value;
  if (Object.keys(value).length === 1 && typeof value.buffer === "number") {
    return buffers[value.buffer];
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, unpacked(one, buffers)]),
  );
}

/**
 * Return row numbers from the planes of their bytes.
 *
 * @param {Uint8Array} planes
 */
export function rowNumbers(planes) {
  const count = planes.length / 4;
  const rows = new Uint32Array(count);
  for (let n = 0; n < count; n++) {
    rows[n] =
      planes[n] |
      (planes[count + n] << 8) |
      (planes[2 * count + n] << 16) |
      (planes[3 * count + n] << 24);
  }
  return rows;
}

/**
 * Return a byte, 0 or 1, for each bit.
 *
 * @param {Uint8Array} bits
 * @param {number} count
 */
export function unpackedBits(bits, count) {
  const holds = new Uint8Array(count);
  for (let n = 0; n < count; n++) holds[n] = (bits[n >> 3] >> (n & 7)) & 1;
  return holds;
}

/**
 * The kernel of a widget.
 *
 * @param {Pick<Model<any>, "send" | "on" | "off">} model
 * @returns {Source}
 */
export function kernelSource(model) {
  /** @type {Map<string, { done: (answer: any) => void, failed: (error: Error) => void }>} */
  const waiting = new Map();
  const view = unique();
  let asked = 0;
  /** @type {Handler} */
  const hear = (message, buffers) => {
    const one = waiting.get(message?.id);
    if (!one) return; // another view's
    waiting.delete(message.id);
    if (message.answer.failed) one.failed(new Error(message.answer.failed));
    else one.done(unpacked(message.answer, buffers ?? []));
  };
  model.on("msg:custom", hear);
  return {
    ask(ask, more) {
      asked += 1;
      const id = `${view}-${asked}`;
      return new Promise((done, failed) => {
        waiting.set(id, { done, failed });
        model.send({ id, ask, ...more });
      });
    },
    stop() {
      model.off("msg:custom", hear);
      waiting.clear();
    },
  };
}
