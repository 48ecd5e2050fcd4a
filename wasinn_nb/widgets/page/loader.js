// Brings what the kernel sends of images, masks and confidences into the view.

import { decodedMask, takeConfidence } from "./masks.js";
import { once } from "./model.js";

/** @import { Mask, SentConfidence, SentMask } from "./masks.js" */
/** @import { Listen } from "./model.js" */
/** @import { DecodedImage, Settings, View } from "./view.js" */
/** @typedef {{ bytes: DataView<ArrayBuffer>, type: string, width: number, height: number }} ImageFile */
/** @typedef {{ number: number } & Partial<ImageFile>} SentImage */
/**
 * @typedef {object} SentTraits
 * @property {SentImage} _sent_image
 * @property {SentMask[]} _masks
 * @property {string[]} _change_colors
 * @property {SentConfidence[]} _confidence
 */
/**
 * @template Value
 * @typedef {Value | Promise<Value>} MaybeSoon
 */

/**
 * @param {SentImage} sent
 * @returns {Promise<DecodedImage | null>}
 */
async function decodedImage({ bytes, type, width = 0, height = 0 }) {
  if (!bytes) return null;
  const blob = new Blob([bytes], { type });
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none" });
  return { bitmap, width, height };
}

export class Loader {
  /**
   * @param {{ get: <Name extends keyof SentTraits>(name: Name) => SentTraits[Name] }} model
   * @param {View} view
   * @param {{ expect: (image: DecodedImage) => void, refresh: () => void, show: () => void, complain: (problem: string) => void }} acts
   */
  constructor(model, view, acts) {
    this.model = model;
    this.view = view;
    this.acts = acts;
    this.loads = 0;
    this.disposed = false;
    /** @type {{ sent: SentImage, image: MaybeSoon<DecodedImage | null> } | null} */
    this.coming = null;
  }

  /** @param {Listen} on */
  listen(on) {
    // An image and its mask come in one message: load once.
    const reload = once(() => this.load());
    on("change:_sent_image", reload);
    on("change:_masks", reload);
    on("change:_confidence", () => this.loadConfidence());
    this.load();
  }

  dispose() {
    this.disposed = true;
    this.view.image?.bitmap.close();
  }

  /** Return whether the masks on screen are those that the model has. */
  get upToDate() {
    return this.model.get("_masks")[0]?.serial === this.view.masks[0]?.serial;
  }

  /**
   * Return the image, decoded once; where it came before its mask, it may be here already.
   *
   * @param {SentImage} sent
   */
  decodedOnce(sent) {
    if (this.coming?.sent !== sent) {
      const decoded = decodedImage(sent);
      /** @type {NonNullable<Loader["coming"]>} */
      const coming = { sent, image: decoded };
      const keep = (/** @type {DecodedImage | null} */ image) => {
        coming.image = image;
        if (image && !this.disposed) this.acts.expect(image);
      };
      decoded.then(keep, () => {}); // whoever shows it says what is wrong
      this.coming = coming;
    }
    return this.coming.image;
  }

  async load() {
    const { view } = this;
    const [sentImage, sentMasks] = [this.model.get("_sent_image"), this.model.get("_masks")];
    const coming = this.decodedOnce(sentImage);
    if (sentMasks.length && sentMasks[0].image !== sentImage.number) return; // its mask follows
    const turn = ++this.loads;
    try {
      const decoded = [coming, ...sentMasks.map(decodedMask)];
      // What is all here is shown at once: before the page does anything else.
      const waits = decoded.some((one) => one instanceof Promise);
      const [image, ...masks] = /** @type {[DecodedImage | null, ...Mask[]]} */ (
        waits ? await Promise.all(decoded) : decoded
      );
      if (turn !== this.loads || this.disposed) return;
      if (image !== view.image) view.image?.bitmap.close();
      view.show(image, masks, this.model.get("_change_colors"));
      this.acts.show();
      this.acts.complain("");
      this.loadConfidence();
    } catch (error) {
      const message = error instanceof Error ? error.message : error;
      this.acts.complain(`The image cannot be shown: ${message}`);
    }
  }

  async loadConfidence() {
    const [sent, masks] = [this.model.get("_confidence"), this.view.masks];
    const took = await Promise.all(masks.map((mask, index) => takeConfidence(mask, sent[index])));
    if (took.includes(true) && masks === this.view.masks && !this.disposed) this.acts.refresh();
  }
}
