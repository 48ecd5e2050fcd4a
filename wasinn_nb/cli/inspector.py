"""The process that reads files: ``python -m wasinn_nb.cli.inspector``, started by ``inspect``.

It answers one request after another until the other side closes the pipe.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
import warnings
from collections.abc import Mapping
from typing import Any

from wasinn_nb.cli.inspected import Inspected, Request, inspected
from wasinn_nb.cli.remedies import error_text
from wasinn_nb.errors import WasiNnError, WasiNnWarning
from wasinn_nb.isolation import enter_helper, limit_resources, read_frame, write_frame

__all__ = ["main"]


def main() -> None:
    """Read files for the process that started this one."""
    _, incoming, outgoing = enter_helper(int(sys.argv[1]))
    write_frame(outgoing, {"kind": "ready"})
    limited = False
    while (frame := read_frame(incoming, 0)) is not None:
        values = frame[0]
        if not limited:
            limit_resources(memory_limit=values["memory_limit"], write_limit=None, time_limit=None)
            limited = True
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", WasiNnWarning)
            found = _read(values)
        texts = [str(one.message) for one in caught if issubclass(one.category, WasiNnWarning)]
        answer = {"number": values["number"], "warnings": texts}
        if isinstance(found, Exception):
            write_frame(outgoing, answer | _error_values(found))
        else:
            write_frame(outgoing, answer, json.dumps(found._asdict()).encode())
    os._exit(0)  # no engine has to clean up


def _read(values: Mapping[str, Any]) -> Inspected | Exception:
    """Return what is known of a file, or why it cannot be read."""
    path = values["path"]
    try:
        os.chdir(values["folder"])
        return inspected(Request(**values["request"]), path, values["words"])
    except (WasiNnError, OSError) as error:
        return error
    except MemoryError as error:
        return MemoryError(f"{path}: there is not enough memory to read it ({error})")
    except Exception:  # noqa: BLE001 - a fault of ours must not end the others' reading
        return RuntimeError(f"{path}: {traceback.format_exc()}")


def _error_values(error: Exception) -> dict[str, Any]:
    """Return an error as JSON values: the verbs, which remedies name, are in the other process."""
    if not isinstance(error, WasiNnError) or (remedy := error.remedy) is None:
        return {"error": error_text(error, [])}
    known = {"python": remedy.python, "choices": remedy.choices, "command": remedy.command}
    return {"error": error.problem, "remedy": known}


if __name__ == "__main__":
    main()
