// The options of a picker as they arrive: a list, or where it is long, compressed.

import { inflated } from "./masks.js";

/** @import { Listen } from "./model.js" */
/** @import { Option } from "./options.js" */
/** @typedef {Option[] | { count: number, deflated: DataView<ArrayBuffer> }} SentOptions */

/**
 * Call `show` with the options, now and whenever they change.
 *
 * @param {{ get: (name: "_options") => SentOptions }} model
 * @param {Listen} on
 * @param {(options: Option[]) => void} show
 */
export function followOptions(model, on, show) {
  const update = async () => {
    const sent = model.get("_options");
    if (Array.isArray(sent)) {
      show(sent);
      return;
    }
    const bytes = await inflated(sent.deflated);
    if (model.get("_options") === sent) show(JSON.parse(new TextDecoder().decode(bytes)));
  };
  on("change:_options", update);
  update();
}

/**
 * Return the options whose titles or details have all words of a text.
 *
 * @param {Option[]} options
 * @param {string} text
 */
export function matching(options, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return options;
  return options.filter(({ title, detail }) => {
    const whole = `${title} ${detail}`.toLowerCase();
    return words.every((word) => whole.includes(word));
  });
}

/**
 * Put the focus on the option that is picked, or on the first that can be.
 * @param {Element} root
 */
export function focusPicked(root) {
  const able = "input:not(:disabled)";
  const radio = root.querySelector(`${able}:checked`) ?? root.querySelector(able);
  if (radio instanceof HTMLElement) radio.focus({ preventScroll: true });
}
