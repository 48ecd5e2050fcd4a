// What the tests put in the place of anywidget's model, and masks as the kernel sends them.

import { deflateSync } from "node:zlib";

/** A model that keeps its traits here; `change` does what a change in the kernel does. */
export function fakeModel(traits) {
  const handlers = new Map();
  const values = { ...traits };
  const fire = (event, ...content) => {
    for (const handler of [...(handlers.get(event) ?? [])]) handler(...content);
  };
  return {
    values,
    saved: 0,
    sent: [],
    get: (name) => values[name],
    set(name, value) {
      values[name] = value;
      fire(`change:${name}`);
    },
    save_changes() {
      this.saved += 1;
    },
    send(content, _callbacks, buffers = []) {
      this.sent.push({ content, buffers });
    },
    on(event, handler) {
      handlers.set(event, [...(handlers.get(event) ?? []), handler]);
    },
    off(event, handler) {
      const left = (handlers.get(event) ?? []).filter((one) => one !== handler);
      handlers.set(event, left);
    },
    fire,
    change(changed) {
      Object.assign(values, changed);
      for (const name of Object.keys(changed)) fire(`change:${name}`);
    },
    listeners: () => [...handlers.values()].flat().length,
  };
}

/** Bytes as they arrive from the kernel: a view into a larger buffer. */
export function arrived(bytes) {
  const whole = new Uint8Array(bytes.length + 7);
  whole.set(bytes, 3);
  return new DataView(whole.buffer, 3, bytes.length);
}

export const deflated = (bytes) => arrived(deflateSync(Uint8Array.from(bytes)));
export const deflatedText = (text) => arrived(deflateSync(text));

/** Labels as runs: how many, then the label of each and its length. */
export function inRuns(labels) {
  const starts = [...labels.keys()].filter((at) => !at || labels[at] !== labels[at - 1]);
  const lengths = starts.map((at, run) => (starts[run + 1] ?? labels.length) - at);
  const bytes = lengths.flatMap((length) => [length & 255, length >> 8]);
  return {
    runs: starts.length,
    labels: arrived(Uint8Array.from([...starts.map((at) => labels[at]), ...bytes])),
  };
}

const COLORS = ["#000000", "#f02814", "#143cf0"];

/** A mask as `mask_payload` in payload.py makes it. */
export function sentMask(labels, width, changed = {}) {
  const names = changed.names ?? ["background", "road", "car"];
  const { names: _, ...rest } = changed;
  return {
    serial: 1,
    caption: "",
    image: 0,
    width,
    height: labels.length / width,
    covers: [0, 0, 1, 1],
    threshold: null,
    ...inRuns(labels),
    classes: names.map((name, index) => ({
      name,
      color: COLORS[index % COLORS.length],
      pixels: labels.filter((label) => label === index).length,
    })),
    ...rest,
  };
}

/** The same mask after `decodedMask`. */
export function mask(labels, width, changed = {}) {
  const { runs: _, ...sent } = sentMask(labels, width, changed);
  const given = Uint8Array.from(labels);
  return {
    ...sent,
    labels: given,
    given,
    classes: sent.classes.map((one, index) => ({ ...one, rgb: [10 * index, 0, 0] })),
    at: sent.threshold,
    version: 0,
    confidence: null,
    levels: null,
    step: 1,
    ...("confidence" in changed ? { confidence: changed.confidence } : {}),
    ...("levels" in changed ? { levels: changed.levels } : {}),
    ...("step" in changed ? { step: changed.step } : {}),
  };
}

/** An option of a picker, as the kernel sends it. */
export const option = (key, changed) => ({
  key,
  title: key,
  detail: "",
  reason: "",
  enabled: true,
  ...changed,
});

/** Number the addresses of blobs; return the list of those that are given back. */
export function fakeUrls() {
  let number = 0;
  const revoked = [];
  URL.createObjectURL = () => `blob:${number++}`;
  URL.revokeObjectURL = (url) => revoked.push(url);
  return revoked;
}
