// The static images that are saved with the notebook, below the widgets that they stand for.

/**
 * Return the style that hides a static image, and the output that holds it: the innermost one, for
 * an `Output` widget is in an output, too.
 *
 * @param {string} id
 */
export function hidingStill(id) {
  const still = `[data-wnb-still="${CSS.escape(id)}"]`;
  const inner = `.jp-OutputArea-child:has(${still}):not(:has(.jp-OutputArea-child ${still}))`;
  return `${still},${inner}{display:none}`;
}
