// A gallery as a page of its own: all that it can be asked is in the page.

import { localModel } from "./gallery_local.js";
import { unpacked } from "./gallery_source.js";
import { staticSource } from "./gallery_static.js";
import { GalleryView } from "./gallery_view.js";

/** @param {string} text in base64 */
function decoded(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new DataView(bytes.buffer);
}

const data = JSON.parse(document.getElementById("data")?.textContent ?? "{}");
const content = unpacked(data.content, data.buffers.map(decoded));
const holder = document.getElementById("gallery");
if (holder) new GalleryView(localModel(content.traits), staticSource(content), holder);
