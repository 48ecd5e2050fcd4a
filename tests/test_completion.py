"""What Tab and ``?`` show in a real kernel, of every public class and function."""

from __future__ import annotations

import inspect
import re
import typing
from enum import Enum
from pathlib import Path

import jedi
import pytest
from instances import instances
from ipc_kernels import ipc_kernel
from public_api import members, public_objects

import wasinn_nb as wn

pytest.importorskip("jupyter_client.manager")
pytest.importorskip("ipykernel")

pytestmark = pytest.mark.full

HERE = Path(__file__).parent
PUBLIC = public_objects()
CLASSES = {value.__name__: value for value in PUBLIC.values() if inspect.isclass(value)}
FUNCTIONS = {name: value for name, value in PUBLIC.items() if inspect.isfunction(value)}
PREPARE = """
import sys
import wasinn_nb as wn
import wasinn_nb.errors, wasinn_nb.host, wasinn_nb.metrics
sys.path.insert(0, {tests!r})
from instances import instances
held = instances({folder!r})
globals().update({{name.lower(): one for name, one in held.items()}})
"""


class Kernel:
    """A kernel as a notebook has one, with an instance of each class under its name."""

    def __init__(self, client):
        self.client = client

    def run(self, code):
        reply = self.client.execute_interactive(code, timeout=120)["content"]
        assert reply["status"] == "ok", reply

    def complete(self, code):
        """Return what Tab offers at the end of *code*."""
        reply = self.client.complete(code, reply=True, timeout=120)["content"]
        return {match.rpartition(".")[2] for match in reply["matches"]}

    def help_text(self, name):
        """Return what ``name?`` shows, without colors."""
        reply = self.client.inspect(name, reply=True, timeout=120)["content"]
        assert reply["found"], name
        return re.sub(r"\x1b\[[0-9;]*m", "", reply["data"]["text/plain"])


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kernel")
    with ipc_kernel(cwd=str(folder)) as (_, client):
        made = Kernel(client)
        made.run(PREPARE.format(tests=str(HERE), folder=str(folder)))
        yield made


def public_members(kind):
    """Return what an instance has: a member of an enumeration has not the other members."""
    names = {name for name in (*members(kind), *dir(kind)) if not name.startswith("_")}
    return names - set(kind.__members__) | {"name", "value"} if issubclass(kind, Enum) else names


def test_there_is_an_instance_of_every_public_class(tmp_path):
    assert set(instances(tmp_path)) == set(CLASSES)


@pytest.mark.parametrize("name", CLASSES)
def test_an_instance_offers_its_members(kernel, name):
    assert public_members(CLASSES[name]) <= kernel.complete(f"{name.lower()}.")


def returned(function):
    """Return the public class that a function promises, or None."""
    kind = typing.get_type_hints(function).get("return")
    return kind if inspect.isclass(kind) and kind in CLASSES.values() else None


@pytest.mark.parametrize("name", [name for name, value in FUNCTIONS.items() if returned(value)])
def test_what_a_function_returns_offers_its_members_before_it_ran(kernel, name):
    assert public_members(returned(FUNCTIONS[name])) <= kernel.complete(f"made = {name}()\nmade.")


@pytest.mark.parametrize("name", [name for name in PUBLIC if name.startswith("wn.")])
def test_every_public_name_is_offered(kernel, name):
    place, _, last = name.rpartition(".")
    assert last in kernel.complete(f"{place}.")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_help_lists_the_parameters(kernel, name):
    text = kernel.help_text(name)
    section = re.search(r"Parameters\n-+\n(.*?)(?=\n\n\S[^\n]*\n-+\n|\nFile:)", text, re.DOTALL)
    listed = re.findall(r"^([*\w][\w, *]*?)(?: :.*)?$", section[1] if section else "", re.MULTILINE)
    names = [name.strip(" *") for line in listed for name in line.split(",")]
    assert sorted(names) == sorted(inspect.signature(FUNCTIONS[name]).parameters)


@pytest.mark.parametrize(
    ("call", "parameter"),
    [
        ("wn.segment(", "runtime="),
        ("wn.classify(", "recipe="),
        ("wn.Pipeline(", "precision="),
        ("wn.ModelCard.from_model('x', ", "classes="),
        ("wn.describe('x', ", "card="),
        ("wn.evaluate('x', 'y', ", "mapping="),
        ("wn.compare('x', 'y', ", "tolerance="),
        ("wn.run_guest('x', ", "runtime="),
    ],
)
def test_calls_offer_their_parameters(call, parameter):
    offered = {one.name for one in jedi.Interpreter(call, [{"wn": wn}]).complete()}
    assert parameter in offered
