"""What `predict` says of images that have a row already, and a gallery of none."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from commands import run
from pasting import refused
from prediction_help import write_images

import wasinn_nb as wn
from wasinn_nb.errors import InvalidArgumentError

pytestmark = [pytest.mark.full, pytest.mark.usefixtures("toy_place")]
WORDS = ["predict", "images", "-m", "toy.xml", "--store", "store"]


def test_what_is_kept_and_what_is_new():
    assert "\n0 kept, 6 new\n" in run(*WORDS)
    again = run(*WORDS)
    assert "\n6 kept, 0 new\n" in again
    assert run(*WORDS) == again
    write_images(Path("images"), 8, first=6)
    values = json.loads(run(*WORDS, "--json"))
    assert (values["images"], values["kept"], values["new"]) == (8, 6, 2)
    shutil.copy("images/0001.png", "images/0000.png")  # other content under a known name
    assert "\n7 kept, 1 new\n" in run(*WORDS)
    assert "\n8 kept, 0 new\n" in run(*WORDS, "--workers", "2")


def test_images_that_are_listed_twice():
    Path("list.csv").write_text("path\nimages/0000.png\nimages/0000.png\nimages/0001.png\n")
    text = run("predict", "list.csv", *WORDS[2:])
    assert "\n0 kept, 2 new, 1 image listed again\n" in text


def test_a_gallery_of_nothing_is_refused():
    run(*WORDS)
    words = ["gallery", "store", "--html", "page.html"]
    message = refused(*words, "-q", "`class 1` > 2")
    assert message == (
        "no image of 6 passes the query '`class 1` > 2'; state another --query, or leave it out"
    )
    assert not Path("page.html").exists()
    assert run(*words, "-q", "`class 1` > 0") == "2 images: page.html\n"
    assert run(*words) == "6 images: page.html\n"
    gallery = wn.Gallery("store")
    gallery.query = "`class 1` > 2"
    with pytest.raises(InvalidArgumentError, match="no image of 6 passes the query"):
        gallery.write_html("page.html")
    gallery.query = ""
    gallery.write_html("page.html")


def test_a_page_says_which_images_are_on_it():
    run(*WORDS)
    words = ["gallery", "store", "--html", "page.html"]
    run(*words)
    assert "selected by" not in Path("page.html").read_text("utf-8")
    run(*words, "-q", "`class 1` < 0.5", "-n", "3")
    page = Path("page.html").read_text("utf-8")
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    notes = json.loads(data)["content"]["traits"]["_about"]["notes"]
    assert notes[0] == (
        "selected by `class 1` < 0.5: 4 of 6 images; the others are not in this page, so that the "
        "query cannot be removed here"
    )
    assert notes[1] == "on this page: the first 3 of 4 images"
