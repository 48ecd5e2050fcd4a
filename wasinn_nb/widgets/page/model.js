// The kernel's side of a widget, as anywidget hands it to the page.

/** @typedef {(...content: any[]) => void} Handler */

/** @typedef {(event: string, handler: Handler) => void} Listen */

/**
 * Traits that both sides share, and messages between them.
 *
 * @template Traits
 * @typedef {object} Model
 * @property {<Name extends keyof Traits>(name: Name) => Traits[Name]} get
 * @property {<Name extends keyof Traits>(name: Name, value: Traits[Name]) => void} set
 * @property {() => void} save_changes
 * @property {Listen} on
 * @property {Listen} off
 * @property {boolean} [comm_live] of ipywidgets' own models: whether the kernel is there
 * @property {(content: object, callbacks?: undefined, buffers?: ArrayBuffer[]) => void} send
 */

/**
 * What anywidget renders a view with.
 *
 * @template Traits
 * @typedef {{ model: Model<Traits>, el: HTMLElement }} Context
 */

/**
 * Return traits for a message that is about them, so that the kernel has them before it: ipywidgets holds
 * a change of a trait back while an earlier one is on its way, but never a message.
 *
 * @template Traits
 * @param {Pick<Model<Traits>, "get">} model
 * @param {(keyof Traits)[]} names
 */
export function carried(model, names) {
  return { traits: Object.fromEntries(names.map((name) => [name, model.get(name)])) };
}

/**
 * Return what calls `act` later, once however often it is called until then: at the end of what runs
 * now, as for several traits that come in one message; or with the next frame, which leaves it to the
 * kernel to begin with what was picked, and lets the page find its layout once.
 *
 * @param {() => void} act
 * @param {(act: () => void) => void} [later]
 */
export function once(act, later = queueMicrotask) {
  let due = false;
  return () => {
    if (due) return;
    due = true;
    later(() => {
      due = false;
      act();
    });
  };
}

/**
 * Return how to listen to a model, and how to stop all of that.
 *
 * @param {{ on: Listen, off: Listen }} model
 * @returns {{ on: Listen, stop: () => void }}
 */
export function listening(model) {
  /** @type {[string, Handler][]} */
  const handlers = [];
  return {
    on(event, handler) {
      model.on(event, handler);
      handlers.push([event, handler]);
    },
    stop() {
      for (const [event, handler] of handlers) model.off(event, handler);
    },
  };
}
