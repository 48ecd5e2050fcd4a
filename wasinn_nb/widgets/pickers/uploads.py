"""Files that arrive from the page in pieces.

Jupyter's websocket refuses messages over 10 MiB, so the page cuts a file into chunks.  Each says
which upload it belongs to, where its bytes begin and how many there are in all, so that uploads
which are interleaved, abandoned or begun anew do not mix.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.widgets.pickers.picking import readable
from wasinn_nb.wording import bytes_text

__all__ = ["CHUNK_BYTES", "MOST_BYTES", "Upload", "Uploads"]

CHUNK_BYTES: Final = 1 << 20
MOST_BYTES: Final = 64 << 20
_MOST_OPEN: Final = 4  # at the same time: views of one picker, and what was abandoned


@dataclass(slots=True)
class Upload:
    """A file on its way.

    Parameters
    ----------
    name : str
        As the page says it.
    size : int
        Bytes in all.
    content : bytearray
        Those that are here.
    """

    name: str
    size: int
    content: bytearray = field(default_factory=bytearray)

    @property
    def complete(self) -> bool:
        """Whether all of it is here."""
        return len(self.content) == self.size


class Uploads:
    """Puts chunks together again.

    Examples
    --------
    >>> uploads = Uploads()
    >>> header = {"id": "a", "name": "x.png", "size": 5}
    >>> uploads.take({**header, "offset": 0}, [b"abc"]).complete
    False
    >>> uploads.take({**header, "offset": 3}, [b"de"]).content
    bytearray(b'abcde')
    """

    def __init__(self) -> None:
        self._open: dict[str, Upload] = {}  # the one that moved last is the last

    def take(self, header: Mapping[str, Any], buffers: Sequence[bytes | memoryview]) -> Upload:
        """Take one chunk and return the upload that it belongs to.

        Parameters
        ----------
        header : mapping
            ``id``, ``name``, ``size`` of the upload, ``offset`` of the chunk; offset 0 begins the
            upload, also where one of this id was begun before.
        buffers : sequence of bytes
            The one chunk.

        Raises
        ------
        InvalidArgumentError
            If it does not fit; the upload is forgotten then.
        """
        id_, name, size, offset = (header.get(key) for key in ("id", "name", "size", "offset"))
        if not isinstance(id_, str) or not isinstance(name, str):
            raise InvalidArgumentError("expected an upload with an id and a name as text")
        upload = self._open.pop(id_, None)
        if offset == 0:
            upload = Upload(name, _checked_size(name, size))
        elif upload is None or len(upload.content) != offset:
            received = len(upload.content) if upload else 0
            raise InvalidArgumentError(
                f"{readable(name)}: expected the bytes from {received} on, got those from "
                f"{offset!r:.40} on; upload it again"
            )
        _append(upload, buffers)
        if not upload.complete:
            while len(self._open) >= _MOST_OPEN:
                del self._open[next(iter(self._open))]
            self._open[id_] = upload
        return upload

    def drop(self, id_: object) -> None:
        """Forget an upload that will not go on."""
        if isinstance(id_, str):
            self._open.pop(id_, None)


def _checked_size(name: str, size: object) -> int:
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise InvalidArgumentError(
            f"{readable(name)}: expected a number of bytes as its size, got {size!r:.40}"
        )
    if size > MOST_BYTES:
        raise InvalidArgumentError(
            f"{readable(name)} has {bytes_text(size)}; at most {MOST_BYTES >> 20} MiB can be "
            f"uploaded: put it into a folder, and open that"
        )
    return size


def _append(upload: Upload, buffers: Sequence[bytes | memoryview]) -> None:
    lengths = [memoryview(buffer).nbytes for buffer in buffers]
    room = upload.size - len(upload.content)
    least = min(room, 1)  # only an empty file has an empty chunk
    if len(lengths) != 1 or not least <= lengths[0] <= min(room, CHUNK_BYTES):
        raise InvalidArgumentError(
            f"{readable(upload.name)}: expected one chunk of {least} to {min(room, CHUNK_BYTES)} "
            f"bytes, got {lengths}; upload it again"
        )
    upload.content += buffers[0]
