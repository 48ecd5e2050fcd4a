"""Nothing is sent, and nothing is written into the home folder except into the cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import toys
from PIL import Image

from wasinn_nb.runtimes import without_telemetry

pytestmark = pytest.mark.full

SITE = """
import os, sys

def hook(event, arguments):
    network = "connect", "getaddrinfo", "gethostbyname", "sendto", "sendmsg", "bind"
    if event in {f"socket.{name}" for name in network}:
        with open(os.environ["TRAP"], "a") as file:
            file.write(f"{event} {arguments[1:]}\\n")
        raise OSError("the test allows no network")

sys.addaudithook(hook)
"""

VERBS = """
import sys
from wasinn_nb import cli
from wasinn_nb.catalog.shipped import data_dir

model, classifier, image, masks, images, out = sys.argv[1:]
shipped = data_dir() / "models/road-segmentation-synth-0001"
segment = ["segment", image, "-m", model, "--scores"]
one, two = f"{out}/one", f"{out}/two"
for arguments in [
    [*segment, "-o", one],
    [*segment, "-o", two, "--resize", "bilinear"],
    ["classify", image, "-m", classifier],
    ["inspect", model],
    ["inspect", image],
    ["card", model],
    ["models"],
    ["devices"],
    ["bench", image, "-m", model, "-n", "5"],
    ["compare", f"{one}/toy.json", f"{two}/toy.json", "--html", f"{out}/compared.html"],
    ["diagnose", f"{one}/toy-1x3x4x6xf32.tensor", "-i", image, "-m", model, "--output"],
    ["evaluate", images, masks, "-m", model, "--html", f"{out}/judged.html"],
    ["run", "roadseg", "--dir", f"model:{shipped}:readonly", "--dir", f".:{out}", "--"]
    + [f"model/{shipped.name}{suffix}" for suffix in (".xml", ".bin")] + ["one/toy-overlay.jpg"],
]:
    print("VERB", arguments[0], flush=True)
    try:
        cli.app(arguments)
    except SystemExit as ended:
        print("EXIT", arguments[0], ended.code, flush=True)
"""

API = """
import wasinn_nb as wn
print(wn.segment())
wn.segment().plot().savefig("figure.png")
"""


@pytest.fixture
def trapped(tmp_path):
    """Run Python code with an empty home folder and without a network."""
    for name in ("site", "home", "temporary", "here"):
        (tmp_path / name).mkdir()
    (tmp_path / "site/sitecustomize.py").write_text(SITE)
    kept = {"PATH", "PYTHONPATH", "LANG", "VIRTUAL_ENV", "ONEDNN_MAX_CPU_ISA"}
    path = os.pathsep.join([str(tmp_path / "site"), str(Path(__file__).parents[1])])

    def run(code, *arguments, **environment):
        return subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            env={name: text for name, text in os.environ.items() if name in kept}
            | {
                "HOME": str(tmp_path / "home"),
                "TMPDIR": str(tmp_path / "temporary"),
                "TRAP": str(tmp_path / "trap"),
                "PYTHONPATH": path,
                "PYTHONDONTWRITEBYTECODE": "1",
            }
            | environment,
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path / "here",
            timeout=280,
        )

    return run


def _sent(tmp_path):
    trap = tmp_path / "trap"
    return trap.read_text() if trap.exists() else ""


def _files(folder):
    found = [path.relative_to(folder).as_posix() for path in folder.rglob("*")]
    return sorted(name for name in found if not name.startswith(".cache/wasinn-nb/"))


CACHE = [".cache", ".cache/wasinn-nb"]


def test_no_verb_sends_or_writes_elsewhere(trapped, tmp_path):
    inputs = tmp_path / "inputs"
    for name in ("images", "masks"):
        (inputs / name).mkdir(parents=True)
    model = toys.brightest_channel(inputs / "toy.xml")
    classifier = toys.brightest_of_image(inputs / "classifier.xml")
    image, masks = inputs / "images/a.png", inputs / "masks"
    Image.new("RGB", (6, 4), (250, 10, 20)).save(image)
    Image.new("L", (6, 4), 2).save(masks / "a.png")
    before = _files(inputs)
    done = trapped(VERBS, model, classifier, image, masks, inputs / "images", "out")
    verbs = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("VERB ")]
    assert len(verbs) == 13, done.stderr
    exits = dict(line.split()[1:] for line in done.stdout.splitlines() if line.startswith("EXIT "))
    failed = {verb: code for verb, code in exits.items() if code != "0"}
    assert failed == {}, (done.stdout, done.stderr)
    assert _sent(tmp_path) == ""
    assert set(_files(tmp_path / "home")) <= set(CACHE)
    assert _files(tmp_path / "temporary") == []
    assert set(_files(inputs)) - set(before) == {"toy.card.json"}  # `card` is for that
    assert {path.name for path in (tmp_path / "here").iterdir()} == {"out"}


def test_the_api_sends_and_writes_nothing(trapped, tmp_path):
    done = trapped(API)
    assert done.returncode == 0, done.stderr
    assert _sent(tmp_path) == ""
    assert set(_files(tmp_path / "home")) <= set(CACHE)
    assert (tmp_path / "home/.cache/wasinn-nb/matplotlib").is_dir()
    assert _files(tmp_path / "temporary") == []


QUANTIZE = """
import sys
import wasinn_nb as wn
model, images, folder = sys.argv[1:]
wn.quantize(model, images, folder=folder, progress=False)
assert "nncf" in sys.modules
"""


@pytest.mark.slow
def test_quantizing_sends_and_writes_nothing_elsewhere(trapped, tmp_path):
    pytest.importorskip("nncf")
    model = toys.textures(tmp_path / "toy.xml", classes=3)
    (tmp_path / "images").mkdir()
    for level in range(8):
        Image.new("RGB", (96, 64), (30 * level, 90, 20)).save(tmp_path / f"images/{level}.png")
    done = trapped(QUANTIZE, model, tmp_path / "images", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert (done.stdout, _sent(tmp_path)) == ("", "")
    assert set(_files(tmp_path / "home")) <= set(CACHE)
    assert _files(tmp_path / "temporary") == []
    assert list((tmp_path / "here").iterdir()) == []


def test_the_trap_sees_telemetry_that_is_turned_on(trapped, tmp_path):
    done = trapped("import wasinn_nb.runtimes.openvino", WASINN_NB_TELEMETRY="1")
    assert done.returncode == 0, done.stderr
    assert _sent(tmp_path) != "" or _files(tmp_path / "home") != []


def test_folders_that_matplotlib_has_are_used(trapped, tmp_path):
    (tmp_path / "home/.config/matplotlib").mkdir(parents=True)
    done = trapped("import wasinn_nb.render.plotting, os; print('MPLCONFIGDIR' in os.environ)")
    assert done.stdout == "False\n", done.stderr
    assert (tmp_path / "home/.cache/matplotlib").is_dir()


@pytest.mark.parametrize("setting", ["", "0", "1"])
def test_the_package_for_telemetry_can_be_imported_afterwards(monkeypatch, setting):
    monkeypatch.setenv("WASINN_NB_TELEMETRY", setting)
    openvino_telemetry = pytest.importorskip("openvino_telemetry")
    backend = sys.modules["openvino_telemetry.backend"]
    with without_telemetry():
        if setting == "1":
            import openvino_telemetry as found

            assert found is openvino_telemetry
        else:
            with pytest.raises(ImportError):
                from openvino_telemetry.backend import backend_ga4  # noqa: F401
    assert sys.modules["openvino_telemetry"] is openvino_telemetry
    assert sys.modules["openvino_telemetry.backend"] is backend


def test_an_error_in_the_block_leaves_nothing_behind(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("openvino_telemetry")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ZeroDivisionError), without_telemetry():
        1 / 0  # noqa: B018
    assert "openvino_telemetry" not in sys.modules
