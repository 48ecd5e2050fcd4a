// A report page's script: tables sort by a click on a heading, and wide ones say that they scroll.
// Without it they stay as written.

/**
 * Return what a row is sorted by: a number where the column has numbers; null where it has no value.
 *
 * @param {Element} row
 * @param {number} column
 * @returns {string | number | null}
 */
function sortValue(row, column) {
  const { dataset, textContent } = /** @type {HTMLElement} */ (row.children[column]);
  if (dataset.value === undefined) return textContent;
  return dataset.value === "" ? null : Number(dataset.value);
}

/**
 * @param {string | number} a
 * @param {string | number} b
 */
function compared(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
}

/**
 * Sort the rows of a table; those without a value come last in either order.
 *
 * @param {HTMLTableElement} table
 * @param {number} column
 * @param {1 | -1} sign
 */
function sort(table, column, sign) {
  const [body] = table.tBodies;
  const rows = [...body.children].map((row) => ({ row, value: sortValue(row, column) }));
  rows.sort((a, b) => {
    if (a.value === null || b.value === null)
      return Number(a.value === null) - Number(b.value === null);
    return sign * compared(a.value, b.value);
  });
  body.append(...rows.map(({ row }) => row));
}

/** @param {HTMLTableElement} table */
function makeSortable(table) {
  const headings = [...table.querySelectorAll("th")];
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const down = heading.getAttribute("aria-sort") === "ascending";
      for (const one of headings) one.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      sort(table, column, down ? -1 : 1);
    });
  });
}

/**
 * Say where a box has more than is in view: at its edges, above it, and to who uses keys.
 *
 * @param {HTMLElement} box
 */
function hintAtMore(box) {
  const note = document.createElement("p");
  note.className = "wnb-more";
  note.textContent = "Scroll sideways for more →";
  note.hidden = true;
  box.before(note);
  const update = () => {
    const left = box.scrollLeft > 1;
    const right = box.scrollLeft + box.clientWidth < box.scrollWidth - 1;
    box.dataset.more = [left && "left", right && "right"].filter(Boolean).join(" ");
    note.hidden = !(left || right);
    if (note.hidden) {
      box.removeAttribute("tabindex");
      box.removeAttribute("role");
      box.removeAttribute("aria-label");
    } else {
      box.tabIndex = 0;
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", "Scrolls sideways");
    }
  };
  box.addEventListener("scroll", update, { passive: true });
  new ResizeObserver(update).observe(box);
}

/** Open a folded part that a link of the page leads to. */
function unfold() {
  const part = location.hash && document.querySelector(location.hash);
  if (part) for (const one of part.querySelectorAll("details")) one.open = true;
}

for (const table of document.querySelectorAll("table[data-sortable]")) {
  makeSortable(/** @type {HTMLTableElement} */ (table));
}
for (const box of document.querySelectorAll(".wnb-scroll")) {
  hintAtMore(/** @type {HTMLElement} */ (box));
}
addEventListener("hashchange", unfold);
unfold();
