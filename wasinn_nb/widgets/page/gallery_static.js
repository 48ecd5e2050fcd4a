// What a page without a kernel answers: all columns and tiles are in it.

import { rowsThatHold } from "./gallery_query.js";
import { WHOLE } from "./gallery_tiles.js";
import { inflated } from "./masks.js";

/** @import { Bytes, SentFacet, SentTile, Source } from "./gallery_source.js" */
/** @import { Class } from "./gallery_matrix.js" */
/** @import { GalleryTraits } from "./gallery_view.js" */
/**
 * @typedef {object} Content
 * @property {GalleryTraits} traits
 * @property {Record<string, SentFacet & { bins: Bytes }>} facets
 * @property {Record<string, { values: (number | string | null)[], shown: string[] }>} columns
 * @property {Record<string, SentTile[]>} layers
 * @property {({ facts?: string, bars: any } | null)[]} bars of a classifier's images
 * @property {Record<string, number[]>} cells
 * @property {string[]} change_colors
 */

const IGNORED = 255;

/**
 * Return the places of values in their order; those that are missing come last.
 *
 * @param {(number | string | null)[]} values
 * @param {boolean} descending
 */
export function orderOf(values, descending) {
  const rows = values.map((_, row) => row);
  const sign = descending ? -1 : 1;
  return rows.sort((a, b) => {
    const [x, y] = [values[a], values[b]];
    if (x === null || y === null) return (x === null ? 1 : 0) - (y === null ? 1 : 0) || a - b;
    if (x === y) return a - b;
    return x < y ? -sign : sign;
  });
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
async function deflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  return new DataView(await new Response(stream).arrayBuffer());
}

/** @param {ArrayLike<number>} rows */
function planes(rows) {
  const bytes = new Uint8Array(4 * rows.length);
  for (let plane = 0; plane < 4; plane++) {
    for (let n = 0; n < rows.length; n++) {
      bytes[plane * rows.length + n] = (rows[n] >> (8 * plane)) & 255;
    }
  }
  return bytes;
}

/** @param {Uint8Array} holds */
function bits(holds) {
  const bytes = new Uint8Array(Math.ceil(holds.length / 8));
  holds.forEach((one, row) => {
    bytes[row >> 3] |= one << (row & 7);
  });
  return bytes;
}

/**
 * @param {Content} content
 * @returns {Source}
 */
export function staticSource(content) {
  const { traits, facets, columns, layers, cells } = content;
  const count = traits._about.rows;
  const values = Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [name, column.values]),
  );
  /** @param {string} layer */
  const tilesOf = (layer) => layers[layer] ?? layers.wrong ?? layers.prediction;
  /** @type {Record<string, (question: any) => any>} */
  const answers = {
    facet: ({ name }) => facets[name],
    bins: ({ name }) => facets[name],
    order: async ({ name, descending }) => ({
      order: await deflated(planes(orderOf(values[name], descending))),
    }),
    holds: async ({ text, cell }) => {
      const holds = cell ? new Uint8Array(count) : rowsThatHold(text, values, count);
      for (const row of (cell && cells[cell.join(":")]) ?? []) holds[row] = 1;
      return { bits: await deflated(bits(holds)) };
    },
    values: ({ name, rows }) => ({
      values: rows.map((/** @type {number} */ row) => columns[name].shown[row]),
    }),
    tiles: ({ rows, layer }) => ({
      tiles: rows.map((/** @type {number} */ row) => ({
        ...tilesOf(layer)[row],
        thumbnail: layers.prediction[row].thumbnail,
      })),
    }),
    open: ({ row, against }) => openedTile(content, row, against),
  };
  return {
    async ask(ask, more) {
      if (!answers[ask]) throw new Error(`This page has no ${ask}`);
      return answers[ask](more);
    },
    stop() {},
  };
}

/**
 * Return a mask as the kernel sends it.
 *
 * @param {SentTile} tile
 * @param {string} caption
 * @param {Class[]} classes
 */
async function sentMask({ labels, width, height, covers = WHOLE }, caption, classes) {
  const pixels = new Uint32Array(256);
  if (labels) for (const label of await inflated(labels)) pixels[label] += 1;
  const named = classes.map(({ label, color }, index) => ({
    name: label,
    color,
    pixels: pixels[index],
  }));
  if (pixels[IGNORED]) {
    while (named.length < IGNORED) named.push({ name: "", color: "#ffffff", pixels: 0 });
    named.push({ name: "ignored", color: "#ffffff", pixels: pixels[IGNORED] });
  }
  return { caption, width, height, covers, threshold: null, labels, classes: named };
}

/**
 * Return what the viewer shows of a row: its thumbnail and its small masks.
 *
 * @param {Content} content
 * @param {number} row
 * @param {string} against
 * @returns {Promise<any>}
 */
async function openedTile({ traits, layers, bars, change_colors }, row, against) {
  const { classes, matrix } = traits._about;
  const tile = layers.prediction[row];
  const { name, error, thumbnail, labels } = tile;
  if (error || !(thumbnail || labels || bars[row])) {
    return { name, error: error ?? "There is no image of it here." };
  }
  const [width, height] = tile.size;
  const image = thumbnail ? { bytes: thumbnail, type: "image/jpeg", width, height } : {};
  const found = bars[row];
  if (found) return { name, ...found, bars: { ...found.bars, _sent_image: image } };
  const masks = labels ? [await sentMask(tile, "Prediction", classes)] : [];
  const other = layers[against]?.[row];
  if (other?.labels && masks.length) {
    const own = against === "truth" ? (matrix?.classes ?? classes) : classes;
    masks.push(await sentMask(other, against === "truth" ? "Truth" : "Other run", own));
  }
  return {
    name,
    viewer: {
      ...{ mode: "overlay", opacity: 0.5, outline: false, threshold: 0, stale: false },
      ...{ hidden: traits.hidden, _still_id: "", _confidence: [], _change_colors: change_colors },
      _sent_image: image,
      _masks: masks,
      _notes: [
        {
          text: "This page has the image and its masks at the size of the thumbnail: the parts of classes here are of that, those of the filters of the whole mask.",
        },
      ],
    },
  };
}
