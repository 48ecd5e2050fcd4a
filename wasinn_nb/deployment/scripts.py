"""The shell scripts of a bundle: one for each runtime, safe for any name of a file."""

from __future__ import annotations

from typing import Final

from wasinn_nb.deployment.facts import GUEST

__all__ = ["RUNTIMES", "run_script", "script_name"]

RUNTIMES: Final = {"wasmedge": "WasmEdge", "wasmtime": "Wasmtime"}
"""The runtimes that bundles are made for: program → name."""

# The folder with the model is the working directory, and the image comes on standard input, so that
# no name from outside becomes a part of the program's arguments but the absolute one of OUTPUT.
_COMMANDS: Final = {
    "wasmedge": '"$program" --dir .:.:readonly --dir out:"$out" {guest} "$@"',
    "wasmtime": '"$program" run -S nn --dir . --dir "$out"::out {guest} "$@"',
}
_SCRIPT: Final = """\
#!/bin/sh
# Runs the model of this folder with {name}.
#
#   ./{script}                   the bundle's own image, to compare the result
#   ./{script} IMAGE [OUTPUT]    a JPEG or PNG image
#
# The tensors go to the folder OUTPUT, by default "out" beside this file. The program is
# {program} on PATH, or what {variable} names. README.md says what it needs.
set -eu

fail() {{
    printf '%s\\n' "{script}: $1" >&2
    exit "$2"
}}

case ${{1-}} in
-h | --help)
    printf '%s\\n' 'usage: {script} [IMAGE [OUTPUT]]'
    exit 0
    ;;
esac
[ $# -le 2 ] || fail 'expected at most IMAGE and OUTPUT' 2

case $0 in
*/*) here=${{0%/*}}/ ;;
*) here=./ ;;
esac
[ -f "${{here}}{guest}" ] || fail 'call it by its own path, not through a link' 2

program=${{{variable}:-{program}}}
command -v -- "$program" >/dev/null || fail "$program is not on PATH: see README.md" 127

out=${{2:-"${{here}}out"}}
case $out in
/*) ;;
*) out=./$out ;;
esac
mkdir -p -- "$out"
# A path may end in line feeds, which $(...) would drop.
out=$(CDPATH='' cd -- "$out" && pwd -P && printf x)
out=${{out%??}}
case $out in
*:*) fail 'expected a path without ":" for OUTPUT: it separates paths for {program}' 2 ;;
esac

if [ $# -gt 0 ]; then
    [ -f "$1" ] || fail "no image at $1" 2
    exec <"$1"
    set -- - out
else
    exec </dev/null
    set --
fi
CDPATH='' cd -- "$here"
exec {command}
"""


def script_name(runtime: str) -> str:
    """Return the name of the script that runs a bundle with a runtime.

    Examples
    --------
    >>> script_name("wasmtime")
    'run-wasmtime.sh'
    """
    return f"run-{runtime}.sh"


def run_script(runtime: str) -> str:
    """Return the script that runs a bundle with a runtime.

    Parameters
    ----------
    runtime : {"wasmedge", "wasmtime"}

    Examples
    --------
    >>> print(run_script("wasmtime").splitlines()[-1])
    exec "$program" run -S nn --dir . --dir "$out"::out guest.wasm "$@"
    """
    return _SCRIPT.format(
        name=RUNTIMES[runtime],
        script=script_name(runtime),
        program=runtime,
        variable=runtime.upper(),
        guest=GUEST,
        command=_COMMANDS[runtime].format(guest=GUEST),
    )
