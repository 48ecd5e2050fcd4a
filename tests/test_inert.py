"""Text from outside only shows itself, in every medium."""

from __future__ import annotations

import io
import json
import os
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import toys
from commands import both, shell
from PIL import Image

import wasinn_nb as wn
from wasinn_nb import errors
from wasinn_nb.cards import ModelCard
from wasinn_nb.cli.console import print_json, print_line
from wasinn_nb.host import GuestRun
from wasinn_nb.host.commands import Invocation
from wasinn_nb.host.wasi import Directory
from wasinn_nb.json_files import decoded_json, json_text
from wasinn_nb.render import (
    Bar,
    Bars,
    Code,
    Column,
    Document,
    Facts,
    Histogram,
    Items,
    Legend,
    LegendEntry,
    Panel,
    Paragraph,
    Section,
    Table,
    document_html,
    document_page,
    document_text,
    draw_panels,
)
from wasinn_nb.wording import first_few, inert, listed, no_such

pytestmark = pytest.mark.full

HOSTILE = (
    "road [/]",
    "[link=https://example.com]x[/link]",
    "\x1b[31mred\x1b]0;title\x07",
    "\u202egnp.exe\u2066",
    "one\nnote: forged\r\x0b\x85\u2028",
    "$\\frac{1}{0}$",
    "<script>alert(1)</script>",
    "\udcff\ud83d",
    "_hidden\x00\x7f\x9b",
    ":smile:",
)
CLASSES = tuple(name for name in HOSTILE if "\udcff" not in name)
"""Cards refuse what is not text."""
STEERS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def refuse(text, *, forged=True):
    assert not STEERS.search(text), ascii(STEERS.search(text))
    text.encode()
    if forged:
        assert not re.search(r"^note: forged", text, re.MULTILINE)


@pytest.fixture
def card():
    return ModelCard("toy", "segmentation", classes=CLASSES)


@pytest.fixture
def toy(tmp_path):
    """A model with hostile class names."""
    path = toys.brightest_channel(tmp_path / "toy.xml")
    (tmp_path / "toy.card.json").write_text(
        json.dumps({"name": "toy", "task": "segmentation", "classes": HOSTILE[:3]})
    )
    return path


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "a.png"
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[:, :2, 2] = pixels[:, 2:4, 1] = pixels[:, 4:, 0] = 200
    Image.fromarray(pixels).save(path)
    return path


def test_visible_escapes():
    assert inert("a\tb\n", lines=True) == "a\tb\n"
    assert inert("a\tb\n") == r"a\tb\n"
    assert inert("\r\x1b", lines=True) == r"\r\x1b"
    assert inert("\u3000\u00a0x") == "  x"
    assert inert("👩\u200d🚀 é 道") == "👩\u200d🚀 é 道"
    for text in HOSTILE:
        refuse(inert(text))
        assert inert(inert(text)) == inert(text)


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_documents(text):
    table = Table([text, Column("n", ".1f")], [(text, 1.0), ([text, text], 2.0)], caption=text)
    blocks = [
        Items([text]),
        Facts([(text, "x"), ("x", inert(text))]),
        table,
        Bars([Bar(text, 0.5, text)]),
        Legend([LegendEntry(text, (1, 2, 3), text)]),
        Section(text, [Code("x", text)]),
    ]
    document = Document(text, blocks)
    for output in (document_text(document), document_html(document), document_page(document)):
        refuse(output)
        assert "<script>alert" not in output or output == document_text(document)
    several = Document("x", [Paragraph(text), Code(text), Facts([("x", text)])])
    for output in (document_text(several), document_html(several)):
        refuse(output, forged=False)


def test_results(card):
    labels = np.arange(len(CLASSES), dtype=np.uint8)[None]
    result = wn.SegmentationResult(labels, card)
    scores = wn.Tensor.from_array(np.arange(len(CLASSES), dtype=np.float32))
    ranking = wn.ClassificationResult(
        scores.to_array(), card.replace(task="classification"), result.origin
    )
    for one in (result, ranking, result.digest(), wn.compare(result, result)):
        refuse(repr(one))
        refuse(str(one))
        if hasattr(one, "_repr_html_"):
            refuse(one._repr_html_())
    assert pickle.loads(pickle.dumps(result)).card.classes == CLASSES


@pytest.mark.parametrize("kind", [errors.ImageError, errors.MissingFileError, errors.GuestTrap])
@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_errors(kind, text):
    error = kind(f"no image {text}")
    several = issubclass(kind, errors.GuestError)
    refuse(str(error), forged=not several)
    refuse(error.problem, forged=not several)
    assert error.args == (str(error),)


def test_errors_that_name_files(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\xff\n\x1b[2J.png"))
    for act in (wn.segment, wn.read_tensor, wn.model, ModelCard.read, wn.run_guest):
        with pytest.raises(errors.WasiNnError) as caught:
            act(path)
        refuse(str(caught.value))


def test_the_command_line(toy, image, tmp_path):
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    Image.open(image).save(tmp_path / "images/a.png")
    Image.new("L", (6, 4), 1).save(tmp_path / "masks/a.png")
    for arguments in (
        ["segment", image, "-m", toy],
        ["segment", image, "-m", toy, "-o", tmp_path / "out"],
        ["segment", image, "-m", toy, "--json"],
        ["inspect", toy],
        ["card", toy, "--print"],
        ["evaluate", tmp_path / "images", tmp_path / "masks", "-m", toy],
    ):
        for printed in both(*arguments):
            refuse(printed.replace("\n", ""))
            refuse(printed)
    printed, _ = both("segment", image, "-m", toy)
    assert "road [/]" in printed
    assert "[link=https://example.com]x[/link]" in printed
    assert r"\x1b[31mred" in printed


def test_the_command_lines_errors(tmp_path):
    name = b"a\xff\n[red]\x1b[2J.png"
    done = shell("segment", os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert r"a\udcff\n[red]\x1b[2J.png" in done.stderr


def test_lines_of_the_command_line(capsys):
    for text in HOSTILE:
        print_line(inert(text))
        print_json({text: [text]})
    printed = capsys.readouterr().out
    refuse(printed)
    assert ":smile:" in printed


def test_json_stays_exact_and_valid():
    for text in HOSTILE:
        written = json_text({text: [text]}, "x", errors.InvalidArgumentError)
        values = decoded_json(written, "x", errors.InvalidArgumentError)
        exact = not re.search("[\ud800-\udfff]", text)
        assert values == ({text: [text]} if exact else {r"\udcff\ud83d": [r"\udcff\ud83d"]})
    assert json.loads(json_text(["👩", "\ud83d", r"\ud83d"], "x", ValueError)) == [
        "👩",
        r"\ud83d",
        r"\ud83d",
    ]


def test_plots(card):
    pixels = np.zeros((4, 4, 3), np.uint8)
    for text in HOSTILE:
        figure = draw_panels(
            [Panel(text, pixels)],
            [LegendEntry(text, (1, 2, 3), "1 %")],
            histogram=Histogram(text, {text: np.ones(3)}, (text, 0.5)),
        )
        figure.savefig(io.BytesIO(), format="png")
        figure.savefig(svg := io.StringIO(), format="svg", metadata={"Date": None})
        refuse(svg.getvalue())
    result = wn.SegmentationResult(np.zeros((2, 5), np.uint8), card)
    result.plot().savefig(io.BytesIO(), format="png")


def test_widgets(toy, image):
    result = wn.segment(image, toy)
    viewer = wn.MaskViewer(result)
    refuse(json.dumps(viewer.get_state(), default=str, ensure_ascii=False))
    viewer.close()


def test_files_of_a_guest(tmp_path):
    names = [f"{number}\nnote: forged" for number in range(20_002)]
    run = GuestRun(
        Invocation(
            "a\x1b\nnote: forged.wasm", (), (Directory(".", str(tmp_path), writable=True),), {}
        ),
        wn.Trace(),
        ended="exit code 0",
        files=tuple(tmp_path / name for name in names),
        notes=("one\nnote: forged\x1b",),
    )
    refuse(repr(run))
    refuse(run._repr_html_())
    lines = repr(run).splitlines()
    assert len(lines) < 30
    assert "wrote 19,982 more" in lines


def test_long_lists():
    names = [f"name {number}" for number in range(1000)]
    assert first_few(names)[20:] == ["980 more"]
    assert listed(names, 1) == "name 0 and 999 more"
    assert len(no_such("model", "x", names)) < 400
