"""What the tests of galleries share: stores with truths, and questions as the page asks them."""

from __future__ import annotations

import numpy as np
from PIL import Image
from prediction_help import write_images
from toys import brightest_channel, brightest_of_image

import wasinn_nb as wn
from wasinn_nb.cards import ModelCard

CLASSES = ("sky", "width", "grass land")
HOSTILE_FILES = (
    "<script>alert(1)<'\"&.png",
    "\u202egnp.right to left" + "x" * 200 + ".png",
    "a\nnew line.png",
)
HOSTILE = ("<img src=x onerror=alert(1)>", "a\u202eb", "it's `x`")


def make_place(folder):
    """Write models, images, true masks and stores."""
    brightest_channel(folder / "toy.xml")
    brightest_of_image(folder / "classes.xml")
    write_images(folder / "images", 7)
    for name in ("masks", "masks_of_all"):
        (folder / name).mkdir()
        for n in range(7):
            truth = np.full((8, 12), n % 3, np.uint8)
            truth[: n + 1] = (n + 1) % 3
            Image.fromarray(truth).save(folder / name / f"{n:04}.png")
    Image.fromarray(truth).save(folder / "masks_of_all/text.png")
    model, recipe = folder / "toy.xml", {"color": "RGB"}
    card = ModelCard("toy", "segmentation", classes=CLASSES)
    hostile = ModelCard("toy", "segmentation", classes=HOSTILE)
    names = write_images(folder / "odd", 3)
    for name, odd in zip(names, HOSTILE_FILES, strict=True):
        (folder / "odd" / name).rename(folder / "odd" / odd)
    wn.predict(
        folder / "odd", model, folder / "hostile", card=hostile, recipe=recipe, progress=False
    )
    swapped = {"color": "BGR"}
    wn.predict(
        folder / "images", model, folder / "other", card=card, recipe=swapped, progress=False
    )
    whole = ModelCard("toy", "classification", classes=("red", "green", "blue"))
    wn.predict(
        folder / "images",
        folder / "classes.xml",
        folder / "classes",
        card=whole,
        recipe=recipe,
        progress=False,
    )
    (folder / "images/text.png").write_text("no image")
    wn.predict(folder / "images", model, folder / "store", card=card, recipe=recipe, progress=False)
    return folder


class Asked:
    """Ask a gallery as its page does, and return the answer with its bytes."""

    def __init__(self, gallery) -> None:
        self.gallery = gallery
        self.sent: list[tuple[object, list[bytes]]] = []

    def __call__(self, ask, **more):
        self.sent.clear()
        send = self.gallery.send
        self.gallery.send = lambda content, buffers=None: self.sent.append((content, buffers))
        try:
            self.gallery._handle_custom_msg({"id": "view-1", "ask": ask, **more}, [])
        finally:
            self.gallery.send = send
        if not self.sent:
            return None
        content, buffers = self.sent[0]
        assert content["id"] == "view-1"
        return _filled(content["answer"], buffers)


def _filled(value, buffers):
    if isinstance(value, list):
        return [_filled(one, buffers) for one in value]
    if isinstance(value, dict):
        if set(value) == {"buffer"}:
            return buffers[value["buffer"]]
        return {name: _filled(one, buffers) for name, one in value.items()}
    return value


def write_many(store, folder, count):
    """Write a store of *count* rows that repeats the results of another one, its figures varied."""
    import shutil

    import pyarrow as pa
    import pyarrow.parquet as pq

    found = wn.read_predictions(store).query("status == 'done'")
    parts = sorted((found.folder / "rows").glob("*.parquet"))
    table = pa.concat_tables([pq.read_table(path) for path in parts])
    table = table.filter(pa.array([one == "done" for one in table["status"].to_pylist()]))
    shutil.copytree(store, folder, ignore=lambda *_: {"rows"})
    rows = folder / found.folder.name / "rows"
    rows.mkdir()
    rng = np.random.default_rng(5)
    figures = [*found.class_columns.values(), "mean_confidence", "lowest_confidence", "near_tie"]
    for start in range(0, count, 5000):
        numbers = range(start, min(start + 5000, count))
        part = table.take(pa.array([number % len(table) for number in numbers]))
        texts = {"source": "/images/{:06}.jpg", "name": "{:06}.jpg", "sha256": "{:064x}"}
        values = {one: [text.format(n) for n in numbers] for one, text in texts.items()}
        for name in figures:
            own = part[name].to_numpy()
            values[name] = np.clip(own * rng.uniform(0.6, 1.0, len(own)), 0, 1)
        for name, column in values.items():
            field = part.schema.field(name)
            part = part.set_column(part.schema.get_field_index(name), field, pa.array(column))
        compression = {field.name: "ZSTD" for field in part.schema}
        compression |= {"mask": "NONE", "thumbnail": "NONE"}
        path = rows / f"part-{start:020}.parquet"
        pq.write_table(
            part, path, row_group_size=128, compression=compression, write_page_checksum=True
        )
    return folder
