// Shared by all widgets: this file stands before each one's own.

const FOCUSABLE = new Set(["button", "fieldset", "input", "select", "summary"]);

// Make an element with properties, or attributes where it has no such property, and children.
function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  // JupyterLab takes the keys otherwise: it looks at what has the focus before what is around it.
  if (FOCUSABLE.has(tag) || "tabIndex" in properties) {
    made.setAttribute("data-lm-suppress-shortcuts", "true");
  }
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}
