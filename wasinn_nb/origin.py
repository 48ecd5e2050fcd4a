"""What made a result: model, files, recipe, target, precision, runtime and versions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Self

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.imaging import PreprocessRecipe

__all__ = ["Origin"]

_PRECISION: Final = re.compile(r"[A-Za-z0-9_.-]{1,32}")
_SHA384: Final = re.compile(r"[0-9a-f]{96}")


@dataclass(frozen=True, slots=True)
class Origin:
    """Everything that decides a result besides the image.

    Parameters
    ----------
    model : str
        The model's name.
    files : mapping
        File name → SHA-384 in hexadecimal, of every file that the model's weights come from.
    recipe : PreprocessRecipe or None
        What was done to the image before the model saw it.
    target : str
        The device that ran.
    precision : str
        In which it ran: ``"f32"``, ``"bf16"``, ``"f16"``.
    runtime : str
        The engine: ``"openvino"``.
    versions : mapping
        Package → version.

    Raises
    ------
    InvalidArgumentError
        If a field holds what it cannot.

    Examples
    --------
    >>> origin = Origin("toy", {}, None, "CPU", "f32", "openvino", {"openvino": "2026.4.1"})
    >>> Origin.from_dict(origin.to_dict()) == origin
    True
    >>> origin.diff(Origin("toy", {}, None, "CPU", "bf16", "openvino"))
    {'precision': ('f32', 'bf16'), 'versions': ({'openvino': '2026.4.1'}, {})}
    """

    model: str
    files: Mapping[str, str] = field(default_factory=dict)
    recipe: PreprocessRecipe | None = None
    target: str = "CPU"
    precision: str = "f32"
    runtime: str = "openvino"
    versions: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("model", "target", "runtime"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value:
                raise InvalidArgumentError(f"expected the {name} as text, got {value!r:.80}")
        if not isinstance(self.precision, str) or not _PRECISION.fullmatch(self.precision):
            raise InvalidArgumentError(
                f"expected a precision such as f32 or bf16, got {self.precision!r:.80}"
            )
        for name in ("files", "versions"):
            values = getattr(self, name)
            if not isinstance(values, Mapping) or not all(
                isinstance(text, str) for pair in values.items() for text in pair
            ):
                raise InvalidArgumentError(f"expected {name} as name and text, got {values!r:.80}")
            object.__setattr__(self, name, MappingProxyType(dict(values)))
        for name, digest in self.files.items():
            if not _SHA384.fullmatch(digest):
                raise InvalidArgumentError(
                    f"expected 96 hexadecimal digits as the SHA-384 of {name!r:.80}"
                )

    def __reduce__(self) -> tuple[Any, ...]:
        # Read-only views of mappings cannot be pickled; what they show can.
        values = [getattr(self, name) for name in self.__dataclass_fields__]
        return type(self), tuple(
            dict(value) if isinstance(value, MappingProxyType) else value for value in values
        )

    @property
    def sha384(self) -> str | None:
        """SHA-384 of the file with the weights: the last one.  None where no file is known."""
        return list(self.files.values())[-1] if self.files else None

    @property
    def main_file(self) -> str:
        """The name of the model's main file; the model's name where no file is known."""
        main = "saved_model.pb"  # of TensorFlow, whose files have an order of their own
        return main if main in self.files else next(iter(self.files), self.model)

    @property
    def ran(self) -> str:
        """How it ran, as text: ``f32 on CPU``, with the engine where it is not OpenVINO."""
        engine = "" if self.runtime == "openvino" else f" by {self.runtime}"
        return f"{self.precision} on {self.target}{engine}"

    def diff(self, other: Origin) -> dict[str, tuple[Any, Any]]:
        """Return what differs: field name → (here, in *other*); empty where both are equal."""
        ours, theirs = self.to_dict(), other.to_dict()
        return {name: (ours[name], theirs[name]) for name in ours if ours[name] != theirs[name]}

    def to_dict(self) -> dict[str, Any]:
        """Return the origin as plain JSON values."""
        return {
            "model": self.model,
            "files": dict(self.files),
            "recipe": None if self.recipe is None else self.recipe.to_dict(),
            "target": self.target,
            "precision": self.precision,
            "runtime": self.runtime,
            "versions": dict(self.versions),
        }

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """Make an origin from what :meth:`to_dict` returned.

        Raises
        ------
        InvalidArgumentError, RecipeError
            If it is not that.
        """
        if not isinstance(values, Mapping) or "model" not in values:
            raise InvalidArgumentError(f"expected an origin as a JSON object, got {values!r:.80}")
        known = {name: values[name] for name in cls.__dataclass_fields__ if name in values}
        if known.get("recipe") is not None:
            known["recipe"] = PreprocessRecipe.from_dict(known["recipe"])
        return cls(**known)
