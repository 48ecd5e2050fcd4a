// Masks as they come from the kernel, and what is computed from them: labels at another threshold,
// and where the pixels of an image lie in them.

/** @typedef {[red: number, green: number, blue: number]} Rgb */
/** @typedef {[start: number, end: number]} Covered */
/** @typedef {{ name: string, color: string, pixels: number }} SentClass */
/** @typedef {SentClass & { rgb: Rgb }} MaskClass */
/**
 * What the kernel sends of a mask; `covers` is the part of the image that it covers, as top, left,
 * bottom and right, and `image` the number of that image. Labels come as so many runs, or deflated.
 *
 * @typedef {object} SentMask
 * @property {number} serial
 * @property {string} caption
 * @property {number} image
 * @property {number} width
 * @property {number} height
 * @property {[number, number, number, number]} covers
 * @property {number | null} threshold
 * @property {number} [runs]
 * @property {DataView<ArrayBuffer>} labels
 * @property {SentClass[]} classes
 */
/**
 * What the kernel sends of how sure the model was: nothing, planes of percents, or of one class how
 * many levels each pixel's probability is above.
 *
 * @typedef {object} SentConfidence
 * @property {number} [serial]
 * @property {DataView<ArrayBuffer>} [planes]
 * @property {number[]} [levels]
 * @property {number} [step]
 */
/**
 * Labels and areas are those of the result until `relabel` brings a mask to another threshold.
 * `confidence` holds three planes: percent of the label, the class that follows, its percent.
 *
 * @typedef {object} MaskState
 * @property {Uint8Array} labels
 * @property {MaskClass[]} classes
 * @property {Uint8Array} given
 * @property {number | null} at
 * @property {number} version
 * @property {Uint8Array | null} confidence
 * @property {{ counts: Uint8Array, values: number[] } | null} levels
 * @property {number} step
 * @property {SentConfidence} [applied]
 */
/** @typedef {Omit<SentMask, "runs" | "labels" | "classes"> & MaskState} Mask */

/** @param {DataView<ArrayBuffer>} bytes */
export async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/**
 * Return labels that came as runs: the label of each, then the length of each.
 *
 * @param {DataView<ArrayBuffer>} bytes
 * @param {number} runs
 * @param {number} size
 */
function laidDown(bytes, runs, size) {
  const labels = new Uint8Array(size);
  for (let run = 0, at = 0; run < runs; run++) {
    const end = at + bytes.getUint16(runs + 2 * run, true);
    labels.fill(bytes.getUint8(run), at, end);
    at = end;
  }
  return labels;
}

/**
 * Return a mask as it is drawn: at once where its labels came as runs, so that it can be drawn in the
 * same moment.
 *
 * @param {SentMask} sent
 * @returns {Mask | Promise<Mask>}
 */
export function decodedMask({ runs, labels, ...sent }) {
  /** @type {(given: Uint8Array) => Mask} */
  const withLabels = (given) => {
    const classes = sent.classes.map((one) => ({ ...one, rgb: parsedColor(one.color) }));
    const unknown = { confidence: null, levels: null, step: 1 };
    return { ...sent, labels: given, classes, given, at: sent.threshold, version: 0, ...unknown };
  };
  if (runs) return withLabels(laidDown(labels, runs, sent.width * sent.height));
  return inflated(labels).then(withLabels);
}

/**
 * Take what the kernel says of how sure the model was; return whether it is of this mask, and new.
 *
 * @param {Mask} mask
 * @param {SentConfidence | undefined} sent
 */
export async function takeConfidence(mask, sent) {
  if (!sent?.planes || sent.serial !== mask.serial || mask.applied === sent) return false;
  mask.applied = sent;
  const planes = await inflated(sent.planes);
  if (mask.applied !== sent) return false; // another one came meanwhile
  if (!sent.levels) mask.confidence = planes;
  else {
    mask.levels = { counts: planes, values: sent.levels };
    mask.step = sent.step ?? 1;
    mask.at = null;
  }
  return true;
}

/**
 * Bring a mask of one class to a threshold: its labels, and the areas of its classes. Return whether
 * anything changed.
 *
 * @param {Mask} mask
 * @param {number} threshold
 */
export function relabel(mask, threshold) {
  if (mask.at === threshold) return false;
  if (threshold === mask.threshold) mask.labels = mask.given;
  else if (mask.levels) {
    const level = mask.levels.values.findLastIndex((one) => one <= threshold);
    mask.labels = mask.levels.counts.map((count) => (count > level ? 1 : 0));
  } else return false; // its probabilities are still to come
  mask.at = threshold;
  mask.version += 1;
  const pixels = mask.labels.reduce((sum, label) => sum + label, 0);
  mask.classes[0].pixels = mask.labels.length - pixels;
  mask.classes[1].pixels = pixels;
  return true;
}

/**
 * What is drawn of a mask changes with its version.
 *
 * @param {Mask} mask
 */
export const versionOf = ({ serial, version }) => `${serial}.${version}`;

/**
 * Return the probability of the one class at a pixel, in percent: levels tell it to a half of one.
 *
 * @param {NonNullable<Mask["levels"]>} levels
 * @param {number} index
 */
export function percentAt({ counts, values }, index) {
  const count = counts[index];
  if (!count) return 0;
  return Math.round(50 * (values[count - 1] + (values[count] ?? 1)));
}

/**
 * Return the row or column of a mask that lies at a place of an image of `length` rows or columns;
 * -1 where the mask, which covers the part of the image from `start` to `end`, does not reach.
 *
 * @param {number} place
 * @param {number} length
 * @param {number} size
 * @param {Covered} covered
 */
export function maskIndex(place, length, size, [start, end]) {
  const index = Math.floor(((place * size) / length - start * size) / (end - start));
  return index >= 0 && index < size ? index : -1;
}

/** @type {(mask: { covers: SentMask["covers"] }) => Covered} */
export const rowsCovered = ({ covers: [top, , bottom] }) => [top, bottom];

/** @type {(mask: { covers: SentMask["covers"] }) => Covered} */
export const columnsCovered = ({ covers: [, left, , right] }) => [left, right];

/**
 * For each row or column of one mask, return that of another mask that lies at the same place of the
 * image.
 *
 * @param {number} size
 * @param {Covered} covered
 * @param {number} otherSize
 * @param {Covered} otherCovered
 */
export function matching(size, covered, otherSize, otherCovered) {
  const same = covered[0] === otherCovered[0] && covered[1] === otherCovered[1];
  const [start, end] = covered;
  return Int32Array.from({ length: size }, (_, index) =>
    same
      ? Math.floor(((2 * index + 1) * otherSize) / (2 * size))
      : maskIndex(start + ((index + 0.5) / size) * (end - start), 1, otherSize, otherCovered),
  );
}

/**
 * Return the size of the image that a mask without one belongs to, in pixels of the mask.
 *
 * @param {Pick<Mask, "width" | "height" | "covers">} mask
 */
export function framed(mask) {
  /** @type {(size: number, covered: Covered) => number} */
  const along = (size, [start, end]) => Math.max(1, Math.round(size / (end - start)));
  return {
    width: along(mask.width, columnsCovered(mask)),
    height: along(mask.height, rowsCovered(mask)),
  };
}

/**
 * @param {string} hex
 * @returns {Rgb}
 */
export function parsedColor(hex) {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
