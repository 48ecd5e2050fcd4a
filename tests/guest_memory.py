"""A guest's memory as the tests of the ABI lay it out."""

import struct

import numpy as np
from hosting import PAGE, doubling

from wasinn_nb import Errno, TensorType

END = 2 * PAGE
OUT, RECORD, DIMS, DATA, BUILDERS, BUFFER = 0, 64, 128, 256, 512, 1024
OK, BAD, ENCODING, MISSING, RUNTIME, UNSUPPORTED, LARGE, ABSENT = map(int, [
    Errno.SUCCESS,
    Errno.INVALID_ARGUMENT,
    Errno.INVALID_ENCODING,
    Errno.MISSING_MEMORY,
    Errno.RUNTIME_ERROR,
    Errno.UNSUPPORTED_OPERATION,
    Errno.TOO_LARGE,
    Errno.NOT_FOUND,
])  # fmt: skip


def made_models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {
        "doubling": doubling(folder),
        "bytes": doubling(folder, "bytes", (1, 8), np.uint8),
    }


def made_ready(guest):
    """A guest with a graph and a context over the doubling model, and a good tensor record."""
    guest.put(OUT, b"doubling")
    assert guest.call("load_by_name", OUT, 8, OUT) == OK
    assert guest.call("init_execution_context", 0, OUT) == OK
    guest.put(DIMS, 1, 4)
    guest.put(DATA, struct.pack("<4f", 1, 2, 3, 4))
    put_record(guest)
    return guest


def put_record(guest, dims=DIMS, rank=2, kind=TensorType.F32, data=DATA, nbytes=16):
    guest.put(RECORD, struct.pack("<IIIII", dims, rank, kind, data, nbytes))


def put_model(guest, path):
    """Put a model's parts into the guest's memory, and their builders to BUILDERS."""
    at, words = PAGE, []
    for part in (path.read_bytes(), path.with_suffix(".bin").read_bytes()):
        guest.put(at, part or b"\0")
        words += [at, len(part)]
        at += len(part)
    guest.put(BUILDERS, *words)
