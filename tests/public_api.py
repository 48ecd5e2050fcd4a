"""The public API in lines of text: names, parameters, defaults; nothing of where the code lies."""

from __future__ import annotations

import ast
import dataclasses
import enum
import functools
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator

import wasinn_nb as wn
from wasinn_nb import errors, host, metrics
from wasinn_nb.render import Showing

# fmt: off
SPECIAL = {
    "__array__", "__bool__", "__bytes__", "__call__", "__contains__", "__enter__", "__eq__",
    "__exit__", "__float__", "__getitem__", "__hash__", "__int__", "__iter__", "__len__", "__lt__",
    "__next__", "__reversed__", "__setitem__",
}
# fmt: on
KNOWN = {"builtins", "collections.abc"}


def public_objects() -> dict[str, object]:
    """Return every public object by the name that a person writes."""
    return (
        {f"wn.{name}": getattr(wn, name) for name in sorted(wn.__all__)}
        | {f"wn.errors.{name}": getattr(errors, name) for name in sorted(errors.__all__)}
        | {f"wn.metrics.{name}": getattr(metrics, name) for name in sorted(metrics.__all__)}
        | {f"wn.host.{name}": getattr(host, name) for name in ("GuestMemory", "add_to_linker")}
    )


def lines() -> list[str]:
    """Describe the whole public API."""
    return [line for name, value in public_objects().items() for line in _described(name, value)]


def _described(name: str, value: object) -> Iterator[str]:
    if not inspect.isclass(value):
        yield f"{name}{parameters(value)}" if callable(value) else f"{name} = {value!r}"
        return
    yield f"{name}{_constructor(value)}{_bases(value)}"
    for member in members(value):
        yield f"{name}.{member}{_member(value, member)}"


def members(kind: type) -> list[str]:
    """Return the public names of instances of a class, those of foreign base classes left out."""
    found = set()
    for owner in _own_classes(kind):
        found.update(vars(owner), inspect.get_annotations(owner), _assigned(owner))
    if dataclasses.is_dataclass(kind):
        found -= {"__eq__", "__hash__"}  # the decorator writes them
    if getattr(kind, "__array__", None) is Showing.__array__:
        found -= {"__array__"}  # it refuses
    return sorted(one for one in found if not one.startswith("_") or one in SPECIAL)


def _own_classes(kind: type) -> list[type]:
    return [owner for owner in kind.__mro__ if owner.__module__.split(".")[0] == "wasinn_nb"]


def _assigned(owner: type) -> set[str]:
    """Return the attributes that a class's methods set on their instance."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(owner)))
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }


def _member(kind: type, name: str) -> str:
    value = inspect.getattr_static(kind, name, None)
    if isinstance(value, enum.Enum):
        return f" = {value.value!r}"
    if isinstance(value, staticmethod | classmethod) or inspect.isfunction(value):
        bound = "" if inspect.isfunction(value) else f"  [{type(value).__name__}]"
        return f"{parameters(getattr(kind, name), unbound=inspect.isfunction(value))}{bound}"
    if isinstance(value, functools.partialmethod):
        return parameters(getattr(kind, name), unbound=True)
    return ""


def _constructor(kind: type) -> str:
    own = any("__init__" in vars(owner) or "__new__" in vars(owner) for owner in _own_classes(kind))
    return parameters(kind) if own and not issubclass(kind, enum.Enum) else ""


def _bases(kind: type) -> str:
    """Return what else an instance is: a built-in class, a collection, a public class of ours."""
    public = {value for value in public_objects().values() if inspect.isclass(value)}
    named = [
        base.__name__
        for base in kind.__mro__[1:]
        if base in public or (base.__module__ in KNOWN and base is not object)
    ]
    return f": {', '.join(named)}" if named else ""


def parameters(function: object, *, unbound: bool = False) -> str:
    """Return a signature without annotations, and without what differs between two runs."""
    public = [
        one.replace(annotation=inspect.Parameter.empty, default=_default(one.default))
        for one in inspect.signature(function).parameters.values()
        if not one.name.startswith("_")
    ]
    return str(inspect.Signature(public[1:] if unbound else public))


class _Written:
    """A default that shows itself as it is to be written."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _default(value: object) -> object:
    if value is inspect.Parameter.empty:
        return value
    if isinstance(value, enum.Enum):
        return _Written(f"{type(value).__name__}.{value.name}")
    if inspect.isclass(value) or inspect.isfunction(value):
        return _Written(value.__name__)
    return _Written(re.sub(r"<(?:\w+\.)*(\w+) object at 0x[0-9a-f]+>", r"<\1>", repr(value)))


if __name__ == "__main__":
    sys.stdout.write("\n".join(lines()) + "\n")
