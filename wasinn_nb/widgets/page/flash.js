// A word on a button for a moment.

const FLASH_MS = 1500;

/**
 * Show another text on a button for a moment.
 *
 * @param {HTMLElement} made
 * @param {string} text
 */
export function flash(made, text) {
  const before = made.dataset.text ?? made.textContent ?? "";
  made.dataset.text = before;
  made.textContent = text;
  setTimeout(() => {
    made.textContent = before;
  }, FLASH_MS);
}
