"""Scripts that workers would run again, as they lack the usual guard."""

from __future__ import annotations

import ast
import inspect
import sys
from multiprocessing import current_process
from pathlib import Path

from wasinn_nb.errors import InvalidArgumentError, Remedy

__all__ = ["refuse_unguarded"]


def refuse_unguarded() -> None:
    """Refuse to start processes from a script that each of them would run from its start.

    A process that is spawned imports the main module.

    Raises
    ------
    InvalidArgumentError
        If this process is one that does so, or the call stands in the script outside of any
        ``if``.
    """
    script = getattr(sys.modules.get("__main__"), "__file__", None) or "the script"
    if _imports_main() or _is_unconditional():
        raise InvalidArgumentError(
            f'`if __name__ == "__main__":` is missing in {script}: each worker is a process that '
            f"imports it, and so would run it again",
            remedy=Remedy(
                "put the line before what the script does, and indent that; or leave workers and "
                "executor out"
            ),
        )


def _imports_main() -> bool:
    """Return whether this process was spawned, and is importing the main module of its parent."""
    return getattr(current_process(), "_inheriting", False)


def _is_unconditional() -> bool:
    """Return whether the main module is running, at a statement that is run at every import."""
    main = sys.modules.get("__main__")
    path = getattr(main, "__file__", None)
    if main is None or path is None:  # a notebook, or an interactive session: none imports it
        return False
    frame = inspect.currentframe()
    while frame is not None:
        if frame.f_code.co_name == "<module>" and frame.f_globals is vars(main):
            return not _is_in_if(Path(path), frame.f_lineno)
        frame = frame.f_back
    return False


def _is_in_if(script: Path, line: int) -> bool:
    r"""Return whether a line of a script is part of an ``if``, or the script cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> script = Path(tempfile.mkdtemp(), "script.py")
    >>> _ = script.write_text('run()\nif __name__ == "__main__":\n    run()\n')
    >>> _is_in_if(script, 1), _is_in_if(script, 3)
    (False, True)
    """
    try:
        statements = ast.parse(script.read_bytes()).body
    except (OSError, SyntaxError, ValueError):
        return True
    return any(
        isinstance(one, ast.If) and one.lineno <= line <= (one.end_lineno or line)
        for one in statements
    )
