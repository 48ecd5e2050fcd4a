import { Uploads } from "@page/uploads.js";
import { expect, test, vi } from "vitest";

function start() {
  const [send, show] = [vi.fn(), vi.fn()];
  return { send, show, uploads: new Uploads({ chunk: 4, most: 10 }, send, show) };
}
const file = (name, size) => new File([new Uint8Array(size).map((_, index) => index)], name);
const BEGUN = { type: "uploads" };
/** What was sent as number `count`, after the message that others come now. */
const sent = async (send, count) => {
  await vi.waitFor(() => expect(send.mock.calls.length).toBeGreaterThan(count));
  expect(send.mock.calls[0]).toEqual([BEGUN]);
  const [content, buffers = []] = send.mock.calls[count];
  return { content, buffers };
};

test("a file goes in chunks, each after the answer to the one before", async () => {
  const { send, show, uploads } = start();
  uploads.add([file("a.png", 6)]);
  const first = await sent(send, 1);
  const { id } = first.content;
  expect(first.content).toEqual({ type: "upload", id, name: "a.png", size: 6, offset: 0 });
  expect([...new Uint8Array(first.buffers[0])]).toEqual([0, 1, 2, 3]);
  uploads.answered({ type: "upload", id, received: 4 });
  const second = await sent(send, 2);
  expect(second.content.offset).toBe(4);
  expect([...new Uint8Array(second.buffers[0])]).toEqual([4, 5]);
  uploads.answered({ type: "upload", id, received: 6 });
  expect(show).toHaveBeenLastCalledWith(null);
});

test("files wait for one another, and one that failed does not hold up the next", async () => {
  const { send, uploads } = start();
  uploads.add([file("a.png", 3)]);
  const { id } = (await sent(send, 1)).content;
  uploads.add([file("b.png", 3)]); // more of the same: what was said of the first stays
  uploads.answered({ type: "upload", id, failed: true });
  expect((await sent(send, 2)).content.name).toBe("b.png");
});

test("answers to other uploads, and other messages, are not taken", async () => {
  const { send, uploads } = start();
  uploads.add([file("a.png", 6)]);
  const { id } = (await sent(send, 1)).content;
  uploads.answered({ type: "upload", id: "another", received: 6 });
  uploads.answered({ type: "thumbnail", id, received: 6 });
  expect(uploads.current.sent).toBe(0);
});

test("of a file that is too large only the size goes, for the kernel to refuse it", async () => {
  const { send, uploads } = start();
  uploads.add([file("large.png", 11), file("largest.png", 10)]);
  const { content, buffers } = await sent(send, 1);
  expect([content.name, content.size, buffers[0].byteLength]).toEqual(["large.png", 11, 0]);
  uploads.answered({ type: "upload", id: content.id, failed: true });
  const next = await sent(send, 2);
  expect([next.content.name, next.buffers[0].byteLength]).toEqual(["largest.png", 4]);
});

test("what cannot be read is said, and the next file goes", async () => {
  const { send, uploads } = start();
  const folder = file("folder", 1);
  folder.slice = () => ({ arrayBuffer: () => Promise.reject(new Error("it is a folder")) });
  uploads.add([folder, file("b.png", 1)]);
  const { content } = await sent(send, 1);
  const reason = "it is a folder";
  expect(content).toEqual({ type: "unreadable upload", name: "folder", reason });
  expect((await sent(send, 2)).content.name).toBe("b.png");
});

test("after cancelling nothing goes, not even the chunk that was being read", async () => {
  const { send, show, uploads } = start();
  uploads.add([file("a.png", 6), file("b.png", 6)]);
  const { id } = uploads.current;
  uploads.cancel();
  await new Promise((done) => setTimeout(done, 20));
  expect(send.mock.calls).toEqual([[BEGUN], [{ type: "drop upload", id }]]);
  expect(show).toHaveBeenLastCalledWith(null);
});

test("no file says nothing", () => {
  const { send, uploads } = start();
  uploads.add([]);
  expect(send).not.toHaveBeenCalled();
});
