"""The examples of public names run for a reader who has imported the package, and nothing else."""

from __future__ import annotations

import doctest
import enum
import functools
import inspect
import io
import re
from collections.abc import Iterator

import numpy as np
import pytest
from public_api import public_objects

import wasinn_nb as wn

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
INNER = re.compile(r"(?:from|import) wasinn_nb\.\w+\.")


def documented() -> Iterator[tuple[str, str]]:
    """Yield each public name, and each member that its classes define, with its docstring."""
    for name, value in public_objects().items():
        if inspect.isfunction(value):
            yield name, inspect.getdoc(value) or ""
        if inspect.isclass(value):
            yield name, inspect.cleandoc(value.__doc__ or "")
            for member, attribute in vars(value).items():
                function = _function(attribute)
                if function is not None and not member.startswith("_"):
                    yield f"{name}.{member}", inspect.cleandoc(function.__doc__ or "")


def _function(attribute):
    """Return the function that has a member's docstring; None where it is not one."""
    if isinstance(attribute, classmethod | staticmethod):
        return attribute.__func__
    if isinstance(attribute, property):
        return attribute.fget
    if isinstance(attribute, functools.cached_property):
        return attribute.func
    is_own = inspect.isfunction(attribute) and not isinstance(attribute, enum.Enum)
    return attribute if is_own else None


EXAMPLES = {name: text for name, text in documented() if ">>> " in text}


def test_there_are_examples_of_classes_functions_and_members():
    assert {"wn.segment", "wn.Tensor", "wn.Tensor.from_array", "wn.metrics.iou"} < {*EXAMPLES}
    assert len(EXAMPLES) > 80


def test_no_example_imports_from_an_inner_module():
    assert [name for name, text in EXAMPLES.items() if INNER.search(text)] == []


def failures(name: str, text: str) -> str:
    """Run an example with ``wn`` and ``np`` alone, and return what is wrong."""
    test = doctest.DocTestParser().get_doctest(text, {"wn": wn, "np": np}, name, None, None)
    report = io.StringIO()
    doctest.DocTestRunner(verbose=False, optionflags=FLAGS).run(test, out=report.write)
    return report.getvalue()


def test_what_is_not_imported_is_found():
    assert "NameError" in failures("toy", ">>> Tensor((1,), 'u8', b'a')\nTensor(1xu8, 1 byte)")
    assert failures("toy", ">>> wn.Tensor((1,), 'u8', b'a')\nTensor(1xu8, 1 byte)\n") == ""


@pytest.mark.full
@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_run_after_the_import_alone(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert failures(name, EXAMPLES[name]) == ""
