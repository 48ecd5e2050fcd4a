"""What the catalog refuses, its values, and images."""

from __future__ import annotations

import os
import re
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
from model_folders import put, put_card

from wasinn_nb import catalog, settings
from wasinn_nb.cards.card import ModelCard
from wasinn_nb.catalog.entries import Model, ModelEntry, ModelTable
from wasinn_nb.catalog.finding import shipped
from wasinn_nb.errors import (
    InvalidArgumentError,
    MissingFileError,
    NotFoundError,
    RecipeError,
)

ADAS = "road-segmentation-adas-0001"


# ------------------------------------------------------------------------------------------ errors


def test_unknown_name_says_close_ones_and_places(data, own, monkeypatch, tmp_path):
    for name in ("road-one", "road-two", "birds"):
        put(own, name=name)
    monkeypatch.setenv("WASINN_NB_PATH", f"{own}:{tmp_path}/gone")
    where = (
        f"the shipped data ({data}/models), {own} (WASINN_NB_PATH), "
        f"{tmp_path}/gone (WASINN_NB_PATH: no such folder) and the cache "
        f"({settings.cache_dir()}/models)"
    )
    for name, remedy in [
        ("raod-one", "did you mean road-one?"),
        ("bird", "did you mean birds?"),
        ("xyz", "there are birds, road-one, road-two"),
    ]:
        with pytest.raises(NotFoundError) as caught:
            catalog.model(name)
        assert str(caught.value) == f"no model {name!r} in {where}; {remedy}"
        assert isinstance(caught.value, LookupError)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not valid JSON"),
        ('{"name": "other"}', "expected the card of toy, got that of other"),
        ('{"name": "toy", "precisions": {"../../x": []}}', "expected precisions such as FP16"),
        ('{"name": "toy", "task": "<b>"', "not valid JSON"),
    ],
)
def test_malformed_card(data, own, text, words):
    put(own / "toy")
    (own / "toy/card.json").write_text(text)
    put(own, name="fine")
    with pytest.raises(RecipeError, match=words):
        catalog.model("toy")
    rows = {entry.name: entry for entry in catalog.models()}
    assert words in rows["toy"].reason
    assert rows["fine"].here, "one bad card does not hide the others"


def test_cache_is_used_only_for_what_its_card_describes(data):
    described = put(settings.cache_dir() / "models/toy/FP16")
    put_card(data / "models/toy", precisions={"FP16": described})
    assert catalog.model("toy").origin == "cache"
    put(settings.cache_dir() / "models/stranger/FP16", name="stranger")
    with pytest.raises(NotFoundError):
        catalog.model("stranger")
    (settings.cache_dir() / "models/toy/FP16/toy.bin").write_bytes(b"rotten")
    with pytest.raises(NotFoundError, match="toy is not here: card only, without an address"):
        catalog.model("toy")


def test_directory_that_cannot_be_read(data, own, monkeypatch):
    put(own / "toy")

    def refuse(self):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "iterdir", refuse)  # the tests may run as root, who reads all
    with pytest.raises(MissingFileError) as caught:
        catalog.model("toy")
    assert str(caught.value) == (
        f"{own}/toy cannot be read: Permission denied; change its permissions, or take {own} out "
        f"of WASINN_NB_PATH"
    )
    assert len(catalog.models()) == 0


def test_default_from_the_environment(data, own, monkeypatch):
    put(own)
    monkeypatch.setenv("WASINN_NB_MODEL", "toy")
    assert catalog.model().name == "toy"
    monkeypatch.setenv("WASINN_NB_MODEL", str(own / "toy.xml"))
    assert catalog.model().name == "toy"


# ------------------------------------------------------------------------------------------ values


def test_model_is_a_value(data, own):
    described = put(own)
    model = catalog.model("toy")
    assert model.sha384 == {file["name"]: file["sha384"] for file in described}
    with pytest.raises(TypeError):
        model.sha384["toy.xml"] = ""
    with pytest.raises(FrozenInstanceError):
        model.precision = "FP16"
    assert model == Model(ModelCard("toy"), None, model.files, str(own))


def test_table():
    entries = [
        ModelEntry("toy", "<script>", ("FP16", "FP32"), "a&b", '"x"'),
        ModelEntry("longer-name", "unknown", (), "not here", "offline"),
    ]
    table = ModelTable(entries, ["<i>"])
    assert repr(table) == (
        "name         task      precisions  where     reason\n"
        'toy          <script>  FP16, FP32  a&b       "x"\n'
        "longer-name  unknown               not here  offline\n"
        "<i>"
    )
    html = table._repr_html_()
    assert re.findall(r"<t[hd] [^>]*>(.*?)</t[hd]>", html) == [
        *("name", "task", "precisions", "where", "reason"),
        *("toy", "&lt;script&gt;", "FP16, FP32", "a&amp;b", "&quot;x&quot;"),
        *("longer-name", "unknown", "", "not here", "offline"),
    ]
    assert re.search(r"</table></div><p [^>]*>&lt;i&gt;</p></div>$", html)
    assert table.document().records()[0]["precisions"] == ["FP16", "FP32"]
    assert (len(table), table[-1], list(table)) == (2, entries[1], entries)
    assert table[:1] == ModelTable(entries[:1], ["<i>"])
    assert hash(table) == hash(ModelTable(entries, ["<i>"]))
    assert table != ModelTable(entries)
    assert table != entries
    with pytest.raises(TypeError):
        table[0] = entries[1]


# ------------------------------------------------------------------------------------------ images


def test_images(data, tmp_path, monkeypatch):
    assert catalog.images() == ()
    with pytest.raises(NotFoundError) as caught:
        catalog.image("road")
    assert str(caught.value) == (
        f"no image at road (looked from {Path.cwd()}), and no shipped image of that name; check "
        f"the path and its spelling"
    )
    for name in ("images/road.jpg", "images/city.png", "images/LICENSE", "masks/road.png"):
        (data / name).parent.mkdir(exist_ok=True)
        (data / name).write_bytes(b"")
    assert catalog.images() == ("city", "road")
    assert catalog.image("road") == data / "images/road.jpg"
    assert catalog.mask("road") == data / "masks/road.png"
    with pytest.raises(NotFoundError) as caught:
        catalog.mask("city")
    assert str(caught.value) == "no shipped mask 'city'; there are road"
    with pytest.raises(NotFoundError, match="did you mean road"):
        catalog.image("raod")
    monkeypatch.setenv("WASINN_NB_IMAGE", "city")
    assert catalog.image() == data / "images/city.png"
    monkeypatch.chdir(data / "images")
    assert catalog.image("road.jpg") == catalog.image(Path("road.jpg")) == data / "images/road.jpg"
    with pytest.raises(MissingFileError, match=r"no image at gone\.jpg"):
        catalog.image("gone.jpg")
    with pytest.raises(InvalidArgumentError, match="expected a name or a path, got 3"):
        catalog.image(3)


def test_data_lies_in_the_package_or_beside_it(monkeypatch, tmp_path):
    assert (shipped.data_dir() / "models" / ADAS / "card.json").is_file()
    monkeypatch.setattr(shipped, "__file__", str(tmp_path / "wasinn_nb/catalog/shipped.py"))
    assert shipped.data_dir() == tmp_path / "data"
    (tmp_path / "wasinn_nb/data").mkdir(parents=True)
    assert shipped.data_dir() == tmp_path / "wasinn_nb/data"


@pytest.mark.full
def test_shipped_model_is_found_without_importing_requests(data, tmp_path):
    import subprocess
    import sys

    put_card(data / "models/toy", precisions={"FP16": put(data / "models/toy/FP16")})
    code = (
        "import sys, pathlib\nfrom wasinn_nb import catalog\n"
        "from wasinn_nb.catalog import shipped\n"
        f"shipped.data_dir = lambda: pathlib.Path({str(data)!r})\n"
        "print(catalog.model('toy'), 'requests' in sys.modules)"
    )
    environment = {k: v for k, v in os.environ.items() if k != "WASINN_NB_CACHE"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "Model(toy FP16, segmentation, from shipped) False\n"
