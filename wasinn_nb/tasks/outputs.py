"""What tasks share in reading a model's outputs."""

from __future__ import annotations

from collections.abc import Sequence

from wasinn_nb.cards import ModelCard, Signature
from wasinn_nb.errors import InvalidArgumentError, Remedy

__all__ = ["UnreadableError", "chosen_outputs", "listed", "output_remedy"]


class UnreadableError(InvalidArgumentError):
    """No output of a model is what a task reads; another task may read it."""


def chosen_outputs(signature: Signature, card: ModelCard) -> list[int]:
    """Return the indices of the outputs to look at: the one that the card names, else all.

    Raises
    ------
    InvalidArgumentError
        If the model does not have the output that the card names.
    """
    outputs = signature.outputs
    if card.output is None:
        return list(range(len(outputs)))
    if isinstance(card.output, int):
        fitting = [card.output] if 0 <= card.output < len(outputs) else []
    else:
        fitting = [index for index, port in enumerate(outputs) if port.name == card.output]
    if not fitting:
        raise InvalidArgumentError(
            f"the call, or the card of {card.name}, names the output {card.output!r:.80}; the "
            f"model has "
            f"{listed(signature)}"
        )
    return fitting[:1]


def listed(signature: Signature) -> str:
    """Return what a model gives, in words."""
    ports = (
        f"{port.name or index} {port.signature}" for index, port in enumerate(signature.outputs)
    )
    return ", ".join(ports)[:500] or "no output"


def output_remedy(outputs: Sequence[str | int]) -> Remedy:
    """Return how to choose among several outputs that fit: the first one as an example.

    Parameters
    ----------
    outputs : sequence of str or int
        Names, or the indices of outputs without a name.

    Examples
    --------
    >>> output_remedy(["low", "high"]).python
    "choose one on the card: output='low'"
    """
    return Remedy(
        f"choose one on the card: output={outputs[0]!r}",
        [{"output": output} for output in dict.fromkeys(outputs)],
    )
