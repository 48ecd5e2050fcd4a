"""The command line in a terminal."""

from __future__ import annotations

import json

import numpy as np
import pytest
import toys
from commands import run, started

import wasinn_nb as wn


@pytest.fixture
def toy(tmp_path):
    return toys.brightest_channel(tmp_path / "toy.xml")


@pytest.fixture
def image(tmp_path):
    """An image whose left third is blue, the rest green: classes 0 and 1 of the toy."""
    return toys.third_blue(tmp_path / "image.png")


# -- the terminal ----------------------------------------------------------------------------------


@pytest.mark.full
def test_tables_fit_a_terminal_and_are_one_line_a_row_elsewhere():
    terminal = started("models", COLUMNS="60", FORCE_COLOR="1", TERM="xterm-256color")
    assert max(map(len, terminal.stdout.splitlines())) <= 60
    piped = started("models", COLUMNS="60")
    rows = len(wn.models())
    assert len(piped.stdout.splitlines()) == 1 + rows + 1  # the header; how to fetch one
    assert max(map(len, piped.stdout.splitlines())) > 60


@pytest.mark.full
def test_classes_have_the_colors_of_the_mask_in_a_terminal(toy, image):
    done = started(
        *("segment", image, "-m", toy, "--recipe", "color=BGR,range=0:255,resize=bilinear"),
        FORCE_COLOR="1",
        COLORTERM="truecolor",
        TERM="xterm-256color",
    )
    lines = done.stdout.splitlines()
    assert lines[1] == "   class    pixels    share"
    colors = wn.model(toy).card.replace(classes=("a", "b", "c")).palette
    for line, color, share in zip(lines[2:], colors, ("33.33", "66.67", "0.00"), strict=True):
        code = ";".join(map(str, color))
        assert line.startswith(f"\x1b[38;2;{code}m\u25a0\x1b[0m  class ")
        assert line.endswith(f"{share} %")


def test_numbers_that_json_does_not_have(tmp_path):
    path = tmp_path / "nan-2xf32.tensor"
    wn.Tensor.from_array(np.float32([1, np.nan])).write(path)
    values = json.loads(run("inspect", path, "--json"))
    assert (values["min"], values["mean"], values["max"]) == (None, None, None)
    assert "\n  max         nan\n" in run("inspect", path) + "\n"


def test_the_size_of_an_image_is_height_by_width(image):
    assert "size    4 x 6 pixels (height x width)\n" in run("inspect", image)
