import { Uploads } from "@page/uploads.js";
import { expect, test, vi } from "vitest";
import { fakeModel } from "./fakes.js";

function start(traits = {}) {
  const model = fakeModel({ _message: "before", _most_bytes: 10, _chunk_bytes: 4, ...traits });
  const show = vi.fn();
  return { model, show, uploads: new Uploads(model, show) };
}
const file = (name, size) => new File([new Uint8Array(size).map((_, index) => index)], name);
const sent = async (model, count) => {
  await vi.waitFor(() => expect(model.sent).toHaveLength(count));
  return model.sent[count - 1];
};

test("a file goes in chunks, each after the answer to the one before", async () => {
  const { model, show, uploads } = start();
  uploads.add([file("a.png", 6)]);
  const first = await sent(model, 1);
  const { id } = first.content;
  expect(first.content).toEqual({ type: "upload", id, name: "a.png", size: 6, offset: 0 });
  expect([...new Uint8Array(first.buffers[0])]).toEqual([0, 1, 2, 3]);
  uploads.answered({ type: "upload", id, received: 4 });
  const second = await sent(model, 2);
  expect(second.content.offset).toBe(4);
  expect([...new Uint8Array(second.buffers[0])]).toEqual([4, 5]);
  uploads.answered({ type: "upload", id, received: 6 });
  expect(show).toHaveBeenLastCalledWith(null);
  expect(model.get("_message")).toBe("");
});

test("files wait for one another, and one that failed does not hold up the next", async () => {
  const { model, uploads } = start();
  uploads.add([file("a.png", 3), file("b.png", 3)]);
  const { id } = (await sent(model, 1)).content;
  uploads.answered({ type: "upload", id, failed: true });
  expect((await sent(model, 2)).content.name).toBe("b.png");
});

test("answers to other uploads, and other messages, are not taken", async () => {
  const { model, uploads } = start();
  uploads.add([file("a.png", 6)]);
  const { id } = (await sent(model, 1)).content;
  uploads.answered({ type: "upload", id: "another", received: 6 });
  uploads.answered({ type: "thumbnail", id, received: 6 });
  expect(uploads.current.sent).toBe(0);
});

test("a file that is too large is named, the others go", async () => {
  const { model, uploads } = start({ _most_bytes: 2 ** 20 });
  uploads.add([file("large.png", 2 ** 20 + 1), file("b.png", 1)]);
  expect(model.get("_message")).toBe(
    "large.png has 1.0 MB; at most 1 MiB can be uploaded: put it into a folder, and open that",
  );
  expect((await sent(model, 1)).content.name).toBe("b.png");
});

test("a file of just the largest size goes", async () => {
  const { model, uploads } = start();
  uploads.add([file("a.png", 10)]);
  expect((await sent(model, 1)).content.size).toBe(10);
});

test("what cannot be read is said, and the next file goes", async () => {
  const { model, uploads } = start();
  const folder = file("folder", 1);
  folder.slice = () => ({ arrayBuffer: () => Promise.reject(new Error("it is a folder")) });
  uploads.add([folder, file("b.png", 1)]);
  expect((await sent(model, 1)).content.name).toBe("b.png");
  expect(model.get("_message")).toBe("folder cannot be read: it is a folder");
});

test("after cancelling nothing goes, not even the chunk that was being read", async () => {
  const { model, show, uploads } = start();
  uploads.add([file("a.png", 6), file("b.png", 6)]);
  const { id } = uploads.current;
  uploads.cancel();
  await new Promise((done) => setTimeout(done, 20));
  expect(model.sent.map(({ content }) => content)).toEqual([{ type: "drop upload", id }]);
  expect(show).toHaveBeenLastCalledWith(null);
});

test("no file says nothing", () => {
  const { model, uploads } = start();
  uploads.add([]);
  expect([model.get("_message"), model.sent.length]).toEqual(["before", 0]);
});
