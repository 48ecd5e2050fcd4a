// How all widgets make elements.

const FOCUSABLE = new Set(["button", "fieldset", "input", "select", "summary"]);

/**
 * Make an element with properties, or attributes where it has no such property, and children.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} [properties]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  // JupyterLab takes the keys otherwise: it looks at what has the focus before what is around it.
  if (FOCUSABLE.has(tag) || "tabIndex" in properties) {
    made.setAttribute("data-lm-suppress-shortcuts", "true");
  }
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) Object.assign(made, { [name]: value });
    else made.setAttribute(name, String(value));
  }
  made.append(...children);
  return made;
}

/**
 * Make a button.
 *
 * @param {Record<string, unknown>} properties
 * @param {(Node | string)[]} children
 * @param {() => void} act
 */
export function button(properties, children, act) {
  const made = element("button", { type: "button", ...properties }, ...children);
  made.addEventListener("click", act);
  return made;
}

/**
 * Make a slider.
 *
 * @param {Record<string, unknown>} range `min`, `max`, `step`, and what else it has.
 * @param {(value: number, settled: boolean) => void} act Called while it moves, and when it stands.
 */
export function slider(range, act) {
  const made = element("input", { type: "range", ...range });
  made.addEventListener("input", () => act(Number(made.value), false));
  made.addEventListener("change", () => act(Number(made.value), true));
  return made;
}

/**
 * Make the slider of how much a mask covers what is below it, from 0 to 1.
 *
 * @param {(opacity: number, settled: boolean) => void} act
 */
export const opacitySlider = (act) =>
  slider({ min: 0, max: 100, step: 1, "aria-label": "Opacity" }, (value, settled) =>
    act(value / 100, settled),
  );

/** A name that nothing else on the page has. */
export const unique = () => `wnb-${Math.random().toString(36).slice(2)}`;

/**
 * Show a text, or nothing where it is empty.
 *
 * @param {HTMLElement} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text; // screen readers tell what is replaced
  node.hidden = !text;
}
