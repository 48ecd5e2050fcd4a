// The columns of a gallery, in groups: each is asked for when it comes into view.

import { element } from "./elements.js";
import { facetView } from "./gallery_histogram.js";

/** @import { Facet, FacetActs, FacetView, Sorting } from "./gallery_histogram.js" */
/** @import { Selection } from "./gallery_selection.js" */

/** @type {Record<string, string>} */
const TITLES = {
  truth: "Against the truth",
  "other run": "Against the other run",
  model: "Model",
  classes: "Classes (part of the image)",
  image: "Images",
};
const MANY = 12; // columns of a group, beyond which it can be searched

export class Facets {
  /**
   * @param {Facet[]} facets
   * @param {Selection} selection
   * @param {FacetActs} acts
   * @param {(name: string) => void} seen a column came into view
   * @param {() => void} near someone is about to filter
   */
  constructor(facets, selection, acts, seen, near) {
    this.selection = selection;
    /** @type {FacetView[]} */
    this.views = facets.map((facet) => facetView(facet, selection, acts));
    this.visible = new Set();
    const names = [...new Set(facets.map((facet) => facet.group))];
    this.root = element(
      "div",
      { className: "wnb-facets", role: "region", tabIndex: 0, "aria-label": "Filters" },
      ...names.map((name) => this.group(name)),
    );
    this.observer = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) {
          const view = this.views.find((one) => one.root === target);
          if (!view) continue;
          if (!isIntersecting) {
            this.visible.delete(view);
            continue;
          }
          this.visible.add(view);
          if (selection.columns.has(view.facet.name)) view.update();
          seen(view.facet.name);
        }
      },
      { root: null, rootMargin: "40px" },
    );
    for (const view of this.views) this.observer.observe(view.root);
    for (const event of ["pointerenter", "focusin"]) this.root.addEventListener(event, near);
  }

  /** The names of the columns in view. */
  get seen() {
    return [...this.visible].map((view) => view.facet.name);
  }

  /** @param {string} name */
  group(name) {
    const own = this.views.filter((view) => view.facet.group === name);
    const title = TITLES[name] ?? name;
    const parts = [element("h3", { className: "wnb-facets-title" }, title)];
    if (own.length > MANY) {
      const search = element("input", {
        type: "search",
        className: "wnb-facets-search",
        placeholder: `Search ${own.length} columns`,
        "aria-label": `Search in: ${title}`,
      });
      search.addEventListener("input", () => {
        const text = search.value.trim().toLowerCase();
        for (const { root, facet } of own) root.hidden = !facet.label.toLowerCase().includes(text);
      });
      parts.push(search);
    }
    return element(
      "div",
      { className: "wnb-facets-group" },
      ...parts,
      ...own.map((one) => one.root),
    );
  }

  /**
   * Draw the columns in view.
   *
   * @param {Sorting} sorting
   * @param {string[]} hidden classes that are not drawn
   */
  update(sorting, hidden) {
    for (const view of this.views) view.mark(sorting, hidden);
    for (const view of this.visible) view.update();
  }

  stop() {
    this.observer.disconnect();
  }
}
