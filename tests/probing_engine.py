"""An engine that does on purpose what a model may make an engine do, and says what it can reach."""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import wasmtime

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.errors import RuntimeFailure
from wasinn_nb.runtimes import DeviceTable


class ProbingEngine:
    """Does *act* when a model is loaded."""

    name = "probing"
    encodings = frozenset(GraphEncoding)

    def __init__(self, act, *arguments):
        self.versions = {}
        self.act = act
        self.arguments = arguments

    def devices(self):
        return DeviceTable([])

    def describe(self, builders, encoding, **options):
        raise NotImplementedError

    def load(self, builders, encoding, device, precision="f32", **options):
        raise RuntimeFailure(json.dumps(globals()[self.act](*self.arguments)))


def say():
    return "done"


def crash(name):
    while True:  # wasmtime passes a signal that no instruction caused over once
        os.kill(os.getpid(), getattr(signal, name))
        time.sleep(0.01)


def read_nothing():
    ctypes.string_at(0)


def leave(code):
    os.write(2, b"the engine's own words\n")
    os._exit(code)


def burn():
    while True:
        sum(range(1000))


def allocate(nbytes):
    kept = []
    while len(kept) << 20 < nbytes:
        kept.append(b"\1" * (1 << 20))
    return "it could"


def forge(*frames):
    """Write to the pipe what a helper that a guest has taken over might."""
    for descriptor in range(3, 32):
        for content in frames:
            with suppress(OSError):
                os.write(descriptor, content)
    time.sleep(60)


def _tried(function, *arguments, **options):
    try:
        function(*arguments, **options)
    except (OSError, subprocess.SubprocessError) as error:
        return type(error).__name__
    return "it could"


def reach(secret, parent):
    """Say what of the system this process can reach."""
    descriptors = {}
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            descriptors[entry.name] = str(entry.readlink())
    return {
        "environment": sorted(os.environ),
        "descriptors": descriptors,
        "socket": _tried(socket.socket),
        "socketpair": _tried(socket.socketpair),
        "program": _tried(subprocess.run, ["/bin/true"], check=True),
        "fork": _tried(os.fork),
        "read": _tried(Path(secret).read_bytes),
        "write": _tried(Path(secret).write_bytes, b"x"),
        "environment of the parent": _tried(Path(f"/proc/{parent}/environ").read_bytes),
        "signal": _tried(os.kill, parent, 0),
        "signal of a descriptor": _tried(fcntl.fcntl, os.pipe()[0], fcntl.F_SETOWN, parent),
        "status": Path("/proc/self/status").read_text(),
        "session": os.getsid(0) == os.getpid(),
        "engine": wasmtime.__name__,
    }


def read_each(*files):
    return [_tried(Path(file).read_bytes) for file in files]
