"""Restricts a process, and makes another program of it: ``python -m …launch START DESCRIPTOR``.

*START* is a JSON file of the process that starts this one: the command, its variables, and what it
may reach.  What holds is written to *DESCRIPTOR*, in lines of JSON; then why there is no program.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from wasinn_nb.isolation.limits import become_helper
from wasinn_nb.isolation.sandbox import enter

__all__ = ["main"]


def main() -> None:
    """Become the program that the file names."""
    values, answer = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), int(sys.argv[2])
    os.set_inheritable(answer, False)  # noqa: FBT003 - takes no keyword
    libc = become_helper(values["parent"])
    facts = enter(
        libc,
        values["readable"],
        values["writable"],
        devices=values["devices"],
        memory_limit=values["memory_limit"],
        write_limit=values["write_limit"],
        time_limit=values["time_limit"],
        executable=values["executable"],
    )
    os.write(answer, json.dumps({"facts": facts}).encode() + b"\n")
    try:
        os.execve(values["command"][0], values["command"], values["environment"])  # noqa: S606
    except OSError as error:
        os.write(answer, json.dumps({"error": error.strerror or str(error)}).encode())


if __name__ == "__main__":
    main()
