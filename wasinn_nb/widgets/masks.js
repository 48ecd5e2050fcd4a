// Masks as they come from the kernel, and what is computed from them: labels at another threshold,
// and where the pixels of an image lie in them.

async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Labels and areas are those of the result until `relabel` brings a mask to another threshold.
async function decodedMask(sent) {
  const labels = await inflated(sent.labels);
  const classes = sent.classes.map((one) => ({ ...one, rgb: parsedColor(one.color) }));
  return {
    ...sent, labels, classes, given: labels, at: sent.threshold, version: 0,
    confidence: null, above: null, levels: null,
  };
}

// Take what the kernel says of how sure the model was: of one class, how many levels each pixel's
// probability is above.
async function takeConfidence(mask, sent) {
  if (sent?.serial !== mask.serial || mask.taken === sent) return;
  mask.taken = sent;
  const planes = await inflated(sent.planes);
  if (mask.taken !== sent) return; // another one came meanwhile
  if (!sent.levels) mask.confidence = planes;
  else Object.assign(mask, { above: planes, levels: sent.levels, step: sent.step, at: null });
}

// Bring a mask of one class to a threshold: its labels, and the areas of its classes.
function relabel(mask, threshold) {
  if (mask.at === threshold) return false;
  if (threshold === mask.threshold) mask.labels = mask.given;
  else if (mask.levels) {
    const level = mask.levels.findLastIndex((one) => one <= threshold);
    mask.labels = mask.above.map((count) => (count > level ? 1 : 0));
  } else return false; // its probabilities are still to come
  mask.at = threshold;
  mask.version += 1;
  const pixels = mask.labels.reduce((sum, label) => sum + label, 0);
  mask.classes[0].pixels = mask.labels.length - pixels;
  mask.classes[1].pixels = pixels;
  return true;
}

// Return the probability of the one class at a pixel, in percent: levels tell it to a half of one.
function percentAt(mask, index) {
  const count = mask.above[index];
  if (!count) return 0;
  return Math.round(50 * (mask.levels[count - 1] + (mask.levels[count] ?? 1)));
}

// Return the row or column of a mask that lies at a place of an image of *length* rows or columns;
// -1 where the mask, which covers the part of the image from *start* to *end*, does not reach.
function maskIndex(place, length, size, [start, end]) {
  const index = Math.floor(((place * size) / length - start * size) / (end - start));
  return index >= 0 && index < size ? index : -1;
}

const rowsCovered = ({ covers: [top, , bottom] }) => [top, bottom];
const columnsCovered = ({ covers: [, left, , right] }) => [left, right];

// For each row or column of one mask, those of another mask that lie at the same place of the image.
function matching(size, covered, otherSize, otherCovered) {
  const same = covered[0] === otherCovered[0] && covered[1] === otherCovered[1];
  const [start, end] = covered;
  return Int32Array.from({ length: size }, (_, index) => (same
    ? Math.floor(((2 * index + 1) * otherSize) / (2 * size))
    : maskIndex(start + ((index + 0.5) / size) * (end - start), 1, otherSize, otherCovered)));
}

function parsedColor(hex) {
  const value = parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
