// A gallery as a page of its own: all that it can be asked is in the page.

import { unpacked } from "./gallery_source.js";
import { staticSource } from "./gallery_static.js";
import { GalleryView } from "./gallery_view.js";
import { decodedBytes, localModel } from "./local_model.js";

const data = JSON.parse(document.getElementById("data")?.textContent ?? "{}");
const content = unpacked(data.content, data.buffers.map(decodedBytes));
const holder = document.getElementById("gallery");
if (holder) new GalleryView(localModel(content.traits), staticSource(content), holder);
