// Dimming what is shown while another result is on its way.

/** @import { Listen } from "./model.js" */

const DIM_AFTER_MS = 250; // what is made anew sooner changes without a flicker

/**
 * Dim an element while the trait `stale` is set; return what ends that.
 *
 * @param {{ get: (name: "stale") => boolean }} model
 * @param {Listen} on
 * @param {HTMLElement} root
 */
export function dimWhileStale(model, on, root) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  const dim = () => {
    clearTimeout(waiting);
    if (!model.get("stale")) root.classList.remove("wnb-stale");
    else waiting = setTimeout(() => root.classList.add("wnb-stale"), DIM_AFTER_MS);
  };
  on("change:stale", dim);
  dim();
  return () => clearTimeout(waiting);
}
