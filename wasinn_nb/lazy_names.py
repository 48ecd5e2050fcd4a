"""Public names that load on first use, and what is said of a name that there is not."""

from __future__ import annotations

from collections.abc import Callable

import lazy_loader  # type: ignore[import-untyped]

__all__ = ["attach_stub"]

_NEAR = 0.7


def attach_stub(
    package: str, file: str
) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """Return ``__getattr__``, ``__dir__`` and ``__all__`` of a package, from its stub.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    file : str
        Its ``__file__``; the stub lies beside it.
    """
    load, names, public = lazy_loader.attach_stub(package, file)

    def loaded(name: str) -> object:
        if name in public:
            return load(name)
        message = f"module {package!r} has no attribute {name!r}"
        if not name.startswith("_"):
            from wasinn_nb.wording import closest

            if close := closest(name, public, _NEAR):
                message += f"; did you mean {' or '.join(close)}?"
        raise AttributeError(message)

    return loaded, names, public
