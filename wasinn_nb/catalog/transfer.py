"""One file over HTTP: begun, resumed, limited to its size, and stopped when the server stalls."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from wasinn_nb.cards import ModelFile
from wasinn_nb.errors import DownloadError, HashMismatchError

if TYPE_CHECKING:
    import requests

__all__ = ["OTHERWISE", "receive"]

OTHERWISE: Final = "or put the files into a directory of WASINN_NB_PATH yourself"
"""What to do where a download does not work out; ends an error."""

_CHUNK: Final = 8192


def receive(file: ModelFile, part: Path, bar: Any, timeout: float) -> bool:
    """Complete a file that may be there in part.

    Parameters
    ----------
    file : ModelFile
        With its address.
    part : Path
        Where its bytes lie; made where it is missing, and kept after an error.
    bar : tqdm
        Counts the bytes that are there.
    timeout : float
        Seconds without data after which the server counts as stalled.

    Returns
    -------
    bool
        Whether it began with bytes of an earlier call.

    Raises
    ------
    DownloadError
        If the server cannot be reached, refuses, stalls or ends early.
    HashMismatchError
        If the server sends another number of bytes.
    OSError
        If *part* cannot be written.
    """
    with part.open("ab") as opened:
        transfer = _Transfer(file, opened, bar, timeout)
        if transfer.received == file.bytes:
            return True
        try:
            return transfer.run()
        except _CannotResumeError:
            transfer.restart()
            return transfer.run()


class _CannotResumeError(Exception):
    """The server does not have the range of the file that is missing."""


class _Transfer:
    """The state of one transfer: what has been received, and how the server answers."""

    def __init__(self, file: ModelFile, opened: IO[bytes], bar: Any, timeout: float) -> None:
        self.file, self.opened, self.bar, self.timeout = file, opened, bar, timeout
        self.received = opened.tell()
        self.answered = False
        self.stalled = False
        bar.update(self.received)
        if self.received > file.bytes:
            self.restart()

    def run(self) -> bool:
        """Receive what is missing; return whether the server continued where the file ended."""
        import requests
        import urllib3

        headers = {"Accept-Encoding": "identity"}
        if self.received:
            headers["Range"] = f"bytes={self.received}-"
        self.answered = False
        try:
            with requests.get(
                self.file.url or "", headers=headers, stream=True, timeout=self.timeout
            ) as response:
                self.answered = True
                resumed = self._begin(response)
                expected = self._expected(response)
                with self._watched(response):
                    for chunk in response.iter_content(_CHUNK):
                        self._write(chunk)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise DownloadError(self._explain(error)) from error
        self._end(expected)
        return resumed

    def restart(self) -> None:
        """Forget what has been received."""
        self.bar.update(-self.received)
        self.received = 0
        self.opened.truncate(0)

    def _begin(self, response: requests.Response) -> bool:
        """Look at the answer's status; return whether its body continues what has been received."""
        if self.received and response.status_code == 416:
            raise _CannotResumeError
        response.raise_for_status()
        if self.received and response.status_code == 206:
            content_range = response.headers.get("content-range", "")
            start = re.match(r"bytes (\d+)-", content_range)
            if start is None or int(start[1]) != self.received:
                raise _CannotResumeError
            return True
        if self.received:
            self.restart()
        return False

    def _expected(self, response: requests.Response) -> int | None:
        """Return how many bytes there will be in the end; None where the server does not say."""
        length = response.headers.get("content-length")
        if length is None:
            return None
        if not length.isdecimal():
            raise DownloadError(
                f"{self.file.url}: expected the body's length in bytes, the server sent "
                f"{length!r:.80}; call again later, {OTHERWISE}"
            )
        return self.received + int(length)

    @contextmanager
    def _watched(self, response: requests.Response) -> Iterator[None]:
        """End a response that is too slow, although each byte comes in time."""
        over = threading.Event()

        def watch() -> None:
            before = -1
            while not over.wait(self.timeout):
                if self.received == before:
                    self.stalled = True
                    # An old urllib3 cannot be interrupted; the connection may just have ended.
                    with suppress(AttributeError, RuntimeError, ValueError, OSError):
                        response.raw.shutdown()
                    return
                before = self.received

        threading.Thread(target=watch, daemon=True).start()
        try:
            yield
        finally:
            over.set()

    def _write(self, chunk: bytes) -> None:
        self.opened.write(chunk)
        self.received += len(chunk)
        self.bar.update(len(chunk))
        if self.received > self.file.bytes:
            self._refuse("more")

    def _end(self, expected: int | None) -> None:
        """Check the size after the server ended the body."""
        if self.received == self.file.bytes:
            return
        if self.received == expected:
            self._refuse(str(self.received))
        raise DownloadError(self._explain(None))

    def _refuse(self, got: str) -> None:
        self.restart()
        raise HashMismatchError(
            f"{self.file.url} is not the file that the catalog describes: expected "
            f"{self.file.bytes} bytes, got {got}; it was removed; call again later, {OTHERWISE}"
        )

    def _explain(self, error: Exception | None) -> str:
        """Return why the transfer ended, and what to do."""
        import requests

        so_far = f"{self.received} of {self.file.bytes} bytes"
        again = "call again to go on from there"
        if isinstance(error, requests.HTTPError) and error.response is not None:
            why = f"the server answered {error.response.status_code} {error.response.reason}"
            again = "call again later"
        elif self.stalled or isinstance(error, requests.Timeout) or _is_timeout(error):
            why = f"the server sent nothing for {self.timeout:g} s, after {so_far}"
        elif self.answered:
            why = f"the connection ended after {so_far}"
        else:
            why = f"no connection: {_root(error)}"
            again = "check the network and call again"
        return f"{self.file.url} could not be fetched: {why}; {again}, {OTHERWISE}"


def _is_timeout(error: Exception | None) -> bool:
    """Return whether requests reports a time-out in the middle of a body, as it does."""
    import urllib3

    timeout = urllib3.exceptions.TimeoutError
    return any(isinstance(argument, timeout) for argument in getattr(error, "args", ()))


def _root(error: BaseException | None) -> str:
    """Return the operating system's message for *error*, whatever wraps it."""
    message, inner = str(error), error
    while inner is not None:
        if isinstance(inner, OSError) and inner.strerror:
            return inner.strerror
        inner = inner.__cause__ or inner.__context__
    return message
