// @vitest-environment happy-dom
import { beforeEach, expect, test, vi } from "vitest";
import { deflatedText, fakeModel } from "./fakes.js";

const GREETING = `
  globalThis.loads = (globalThis.loads ?? 0) + 1;
  export default {
    initialize: () => () => "forgotten",
    render: ({ el }) => { el.textContent = "hello"; return () => { el.textContent = ""; }; },
  };
`;
const given = [];

/** Blobs whose address says what is in them, as Node takes it. */
class ReadBlob extends Blob {
  constructor(parts, options) {
    super(parts, options);
    [this.content] = parts;
  }
}

beforeEach(() => {
  vi.resetModules();
  delete globalThis[Symbol.for("wasinn-nb modules")];
  globalThis.loads = 0;
  given.length = 0;
  vi.stubGlobal("Blob", ReadBlob);
  let number = 0; // Node, too, keeps what it loaded
  URL.createObjectURL = ({ content }) =>
    `data:text/javascript,${encodeURIComponent(`${content}//${Math.random()}${number++}`)}`;
  URL.revokeObjectURL = (url) => given.push(url);
});

/** What anywidget loads for one widget: each has a copy of its own. */
async function loader() {
  vi.resetModules();
  return (await import("@page/loaded_once.js")).default;
}

const modelOf = (text) => fakeModel({ _module: deflatedText(text) });
const place = () => document.createElement("div");

test("a widget's module is loaded once, whatever number of widgets has it", async () => {
  const [first, second] = [await loader(), await loader()];
  expect(first).not.toBe(second);
  const model = modelOf(GREETING);
  const places = [place(), place()];
  const ends = await Promise.all([
    first.render({ model, el: places[0] }),
    second.render({ model: modelOf(GREETING), el: places[1] }),
  ]);
  expect(places.map((el) => el.textContent)).toEqual(["hello", "hello"]);
  ends[0]();
  expect(places.map((el) => el.textContent)).toEqual(["", "hello"]);
  const forget = await second.initialize({ model });
  expect(forget()).toBe("forgotten");
  expect(globalThis.loads).toBe(1);
  expect(given).toHaveLength(1); // its address is given back
});

test("another text is another module", async () => {
  const one = await loader();
  const el = place();
  await one.render({ model: modelOf(GREETING), el: place() });
  const _module = GREETING.replace("hello", "good day");
  await one.render({ model: modelOf(_module), el });
  expect([el.textContent, globalThis.loads]).toEqual(["good day", 2]);
});

test("a module that cannot be loaded is tried again by the next widget", async () => {
  const one = await loader();
  const render = (_module) => one.render({ model: modelOf(_module), el: place() });
  globalThis.broken = true;
  const text = `if (globalThis.broken) throw new Error("not now"); ${GREETING}`;
  await expect(render(text)).rejects.toThrow("not now");
  globalThis.broken = false;
  await render(text);
  expect(globalThis.loads).toBe(1);
});
