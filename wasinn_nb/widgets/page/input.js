// Pointer, wheel and keys of the viewer: what each asks for.

import { ZOOM_STEP } from "./geometry.js";

/** @import { Point, Spot } from "./geometry.js" */
/** @import { Stage } from "./stage.js" */
/**
 * @typedef {object} InputActs
 * @property {(event: MouseEvent) => Spot | null} spotUnder
 * @property {(spot: Spot | null) => void} read
 * @property {() => void} leave
 * @property {(by: Point) => void} drag
 * @property {(factor: number, spot?: Spot | null) => void} zoomBy
 * @property {() => void} fit
 * @property {(direction: Point, finely: boolean) => void} moveCross
 * @property {(index: number, alone: boolean) => void} toggleKeyed
 * @property {() => void} toggleOutline
 * @property {(by: number) => void} changeOpacity
 * @property {(part: number) => void} moveDivider
 * @property {(by: number) => void} shiftDivider
 */
/** @typedef {(acts: InputActs, finely: boolean) => void} KeyAct */

const OPACITY_STEP = 0.1;
const WHEEL_PER_E = 300; // how far the wheel turns to zoom by e

/** @type {Map<string, KeyAct>} */
const KEYS = new Map([
  ["ArrowLeft", (acts, finely) => acts.moveCross({ x: -1, y: 0 }, finely)],
  ["ArrowRight", (acts, finely) => acts.moveCross({ x: 1, y: 0 }, finely)],
  ["ArrowUp", (acts, finely) => acts.moveCross({ x: 0, y: -1 }, finely)],
  ["ArrowDown", (acts, finely) => acts.moveCross({ x: 0, y: 1 }, finely)],
  ["+", (acts) => acts.zoomBy(ZOOM_STEP)],
  ["=", (acts) => acts.zoomBy(ZOOM_STEP)],
  ["-", (acts) => acts.zoomBy(1 / ZOOM_STEP)],
  ["0", (acts) => acts.fit()],
  ["o", (acts) => acts.toggleOutline()],
  ["[", (acts) => acts.changeOpacity(-OPACITY_STEP)],
  ["]", (acts) => acts.changeOpacity(OPACITY_STEP)],
]);
for (let index = 0; index < 9; index++) {
  KEYS.set(String(index + 1), (acts, alone) => acts.toggleKeyed(index, alone));
}

/**
 * Return what a key on the canvas does; nothing where it is the browser's.
 *
 * @param {Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey"> & { code?: string }} event
 */
export function keyAct({ key, code = "", ctrlKey, metaKey, altKey }) {
  if (ctrlKey || metaKey || altKey) return undefined;
  const digit = /^Digit([1-9])$/.exec(code)?.[1]; // with the Shift key, the sign is another
  return KEYS.get(key) ?? KEYS.get(digit ?? "");
}

/**
 * @param {Stage} stage
 * @param {InputActs} acts
 * @param {AbortSignal} signal
 */
export function listenToCanvas(stage, acts, signal) {
  const { canvas } = stage;
  /** @type {Point | null} */
  let held = null;
  canvas.addEventListener(
    "pointerdown",
    (event) => {
      if (event.button !== 0) return;
      held = { x: event.clientX, y: event.clientY };
      canvas.setPointerCapture(event.pointerId);
    },
    { signal },
  );
  canvas.addEventListener(
    "pointermove",
    (event) => {
      if (held) {
        acts.drag({ x: event.clientX - held.x, y: event.clientY - held.y });
        held = { x: event.clientX, y: event.clientY };
      }
      acts.read(acts.spotUnder(event));
    },
    { signal },
  );
  const release = () => {
    held = null;
  };
  canvas.addEventListener("pointerup", release, { signal });
  canvas.addEventListener("pointercancel", release, { signal });
  canvas.addEventListener("pointerleave", () => acts.read(null), { signal });
  canvas.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) {
        stage.say("Ctrl + wheel zooms; drag to move"); // and the page scrolls
        return;
      }
      event.preventDefault();
      acts.zoomBy(Math.exp(-event.deltaY / WHEEL_PER_E), acts.spotUnder(event));
    },
    { signal, passive: false },
  );
  canvas.addEventListener("dblclick", (event) => acts.zoomBy(2, acts.spotUnder(event)), { signal });
  canvas.addEventListener(
    "keydown",
    (event) => {
      const act = keyAct(event);
      if (!act) return;
      act(acts, event.shiftKey);
      event.preventDefault();
      event.stopPropagation();
    },
    { signal },
  );
  canvas.addEventListener("blur", () => acts.leave(), { signal });
}

/** @type {Map<string, number>} */
const DIVIDER_KEYS = new Map([
  ["ArrowLeft", -0.02],
  ["ArrowRight", 0.02],
  ["Home", -1],
  ["End", 1],
]);

/**
 * @param {Stage} stage
 * @param {InputActs} acts
 * @param {AbortSignal} signal
 */
export function listenToDivider({ root, divider }, acts, signal) {
  let held = false;
  divider.addEventListener(
    "pointerdown",
    (event) => {
      divider.setPointerCapture(event.pointerId);
      held = true;
    },
    { signal },
  );
  divider.addEventListener(
    "pointermove",
    (event) => {
      if (!held) return;
      const box = root.getBoundingClientRect();
      acts.moveDivider((event.clientX - box.left) / box.width);
    },
    { signal },
  );
  const release = () => {
    held = false;
  };
  divider.addEventListener("pointerup", release, { signal });
  divider.addEventListener("pointercancel", release, { signal });
  divider.addEventListener(
    "keydown",
    (event) => {
      const by = DIVIDER_KEYS.get(event.key);
      if (by === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      acts.shiftDivider(by);
    },
    { signal },
  );
}
