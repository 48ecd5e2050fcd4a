// The Explorer's page: one widget, which draws all its parts from their own models. The image comes
// first; what is picked stands in a bar above it, the images in a strip below.

import { Badges } from "./badges.js";
import { pickerChoice, precisionChoice } from "./bar.js";
import { BarsPanel } from "./bars_panel.js";
import { showChoice } from "./choice_view.js";
import { button, element, unique } from "./elements.js";
import { clamp } from "./geometry.js";
import { widgetPage } from "./lifetime.js";
import { followOptions } from "./listed.js";
import { Viewer } from "./mask_viewer.js";
import { listening, once } from "./model.js";
import { panelParts } from "./panel_view.js";
import { choose } from "./picker_tools.js";
import { Thumbnails } from "./thumbnails.js";
import { Tiles } from "./tiles.js";

/** @import { Context, Model } from "./model.js" */
/** @typedef {{ models: string, targets: string, resize: string, color: string }} RunParts */
/** @typedef {{ images: string, panel: string, viewer: string, bars: string, runs: RunParts[] }} Parts */
/** @typedef {{ _parts: Parts, _visible: string[] }} ExplorerTraits */
/** @typedef {{ get_model: (id: string) => Promise<any> }} Manager */

const LOWEST_IMAGE = 240;
const HIGHEST_IMAGE = 1080;
const SMALL_WINDOW = 720; // of which all is for the Explorer
const AROUND = 200; // what the page of a notebook has above its cells, in larger windows

/** @param {Context<ExplorerTraits>} context */
const show = async ({ model, el }) => {
  const parts = model.get("_parts");
  const manager = /** @type {{ widget_manager: Manager }} */ (/** @type {any} */ (model))
    .widget_manager;
  /** @param {string} id */
  const found = (id) => manager.get_model(id);
  const named = [parts.images, parts.panel, parts.viewer, parts.bars];
  const [images, panel, masks, bars] = await Promise.all(named.map(found));
  /** @param {RunParts} run */
  const foundRun = async (run) => ({
    models: await found(run.models),
    targets: await found(run.targets),
    resize: await found(run.resize),
    color: await found(run.color),
  });
  const runs = await Promise.all(parts.runs.map(foundRun));
  const explorer = new Explorer(model, { images, panel, masks, bars, runs });
  el.classList.add("wnb-host");
  el.append(explorer.root);
  return () => explorer.dispose();
};

export default widgetPage(show);

class Explorer {
  /**
   * @param {Model<ExplorerTraits>} model
   * @param {{ images: any, panel: any, masks: any, bars: any, runs: any[] }} models
   */
  constructor(model, models) {
    this.model = model;
    this.models = models;
    /** @type {(() => void)[]} */
    this.ends = [];
    this.thumbnails = new Thumbnails(models.images);
    this.badges = new Badges();
    this.panel = panelParts(models.panel);
    this.rows = models.runs.map((run, index) => this.barRow(run, index));
    this.strip = this.filmStrip();
    this.drawer = this.moreDrawer();
    this.masksPart = element("div", { className: "wnb-part" });
    this.barsPart = element("div", { className: "wnb-part" });
    this.bar = element("div", { className: "wnb-topbar" }, ...this.rows.map(({ row }) => row));
    this.rows[0].row.append(
      this.badges.root,
      element("span", { className: "wnb-topbar-end" }, this.panel.compare, this.drawer.button),
    );
    this.root = element(
      "div",
      { className: "wnb-explorer", role: "region", "aria-label": "Explorer" },
      this.bar,
      this.drawer.root,
      this.panel.messages,
      this.masksPart,
      this.barsPart,
      this.strip.root,
    );
    const about = { notes: false, highest: () => this.highest() };
    this.viewer = new Viewer(models.masks, this.masksPart, about);
    const bars = new BarsPanel(models.bars, this.barsPart, { notes: false });
    this.ends.push(() => bars.dispose());
    this.listen();
  }

  /** The pixels that are left for the image's height where all is to be seen at once. */
  highest() {
    const others = this.root.offsetHeight - this.viewer.root.offsetHeight + this.viewer.otherHeight;
    const left = window.innerHeight - others;
    const highest = Math.max(Math.min(left, SMALL_WINDOW), left - AROUND);
    return clamp(highest, LOWEST_IMAGE, HIGHEST_IMAGE);
  }

  /**
   * @param {any} run
   * @param {number} index
   */
  barRow(run, index) {
    const letter = element("span", { className: "wnb-run-letter" }, "AB"[index]);
    const { thumbnails } = this;
    const image = index === 0 ? [pickerChoice("Image", this.models.images, { thumbnails })] : [];
    const choices = [
      ...image,
      pickerChoice("Model", run.models),
      pickerChoice("Target", run.targets, { precision: false }),
      precisionChoice("Precision", run.targets),
    ];
    this.ends.push(...choices.map(({ end }) => end));
    const nodes = choices.map(({ root }) => root);
    const row = element(
      "div",
      { className: "wnb-run-row", role: "group", "aria-label": `Run ${"AB"[index]}` },
      ...nodes.splice(0, image.length),
      letter,
      ...nodes,
    );
    return { row, letter };
  }

  filmStrip() {
    const { images } = this.models;
    const strip = new Tiles({
      label: "Images",
      strip: true,
      thumbnails: this.thumbnails,
      pick: (key) => choose(images, "value", key),
    });
    const { on, stop } = listening(images);
    followOptions(images, on, (options) => strip.update(options));
    const mark = () => strip.mark(images.get("value"));
    on("change:value", once(mark, requestAnimationFrame));
    mark();
    this.ends.push(stop, () => strip.dispose());
    return strip;
  }

  /** What is needed now and then: times, code, files, and how the image becomes a tensor. */
  moreDrawer() {
    const choices = this.models.runs.map((run, index) => {
      const letter = element("span", { className: "wnb-run-letter" }, "AB"[index]);
      const root = element("div", { className: "wnb-drawer-run" }, letter);
      for (const one of [run.resize, run.color]) this.ends.push(showChoice(one, root));
      return { root, letter };
    });
    const root = element(
      "div",
      { className: "wnb-drawer", id: unique(), hidden: true, role: "group", "aria-label": "More" },
      element("div", { className: "wnb-drawer-runs" }, ...choices.map((one) => one.root)),
      this.panel.actions,
      this.panel.folds,
    );
    const more = button(
      {
        className: "wnb-more",
        "aria-label": "More",
        "aria-controls": root.id,
        title: "Times, code, saving, resizing, channels",
      },
      ["⋯"],
      () => {
        root.hidden = !root.hidden;
        more.setAttribute("aria-expanded", String(!root.hidden));
      },
    );
    more.setAttribute("aria-expanded", "false");
    return { root, button: more, choices };
  }

  listen() {
    const { model, models } = this;
    const own = listening(model);
    const panel = listening(models.panel);
    const masks = listening(models.masks);
    const bars = listening(models.bars);
    const showRuns = () => {
      const compare = models.panel.get("compare");
      this.rows[1].row.hidden = this.drawer.choices[1].root.hidden = !compare;
      for (const { letter } of [...this.rows, ...this.drawer.choices]) letter.hidden = !compare;
      this.viewer.refresh();
    };
    const showNotes = () => {
      const shown = model.get("_visible");
      this.badges.update([
        ...(shown.includes("masks") ? models.masks.get("_notes") : []),
        ...(shown.includes("bars") ? models.bars.get("_notes") : []),
      ]);
    };
    const showParts = () => {
      const shown = model.get("_visible");
      this.masksPart.hidden = !shown.includes("masks");
      this.barsPart.hidden = !shown.includes("bars");
      (shown.includes("masks") ? this.viewer.foot : this.barsPart).append(this.panel.status);
      showNotes();
    };
    panel.on("change:compare", showRuns);
    own.on("change:_visible", showParts);
    masks.on("change:_notes", showNotes);
    bars.on("change:_notes", showNotes);
    showRuns();
    showParts();
    const resized = () => this.viewer.refresh();
    addEventListener("resize", resized);
    this.ends.push(own.stop, panel.stop, masks.stop, bars.stop);
    this.ends.push(() => removeEventListener("resize", resized));
  }

  dispose() {
    for (const end of this.ends) end();
    this.badges.dispose();
    this.panel.end();
    this.viewer.dispose();
    this.thumbnails.dispose();
  }
}
