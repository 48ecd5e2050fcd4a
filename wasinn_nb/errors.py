"""Every error that the package raises on purpose, and its warning.

One root, :class:`WasiNnError`; each subclass is also the built-in exception that fits, so that
``except ValueError`` and ``except FileNotFoundError`` go on working.  Where WASI-NN has a number
for the failure, ``errno`` holds it.
"""

from __future__ import annotations

from typing import Any

from wasinn_nb.abi import Errno
from wasinn_nb.remedy import Remedy
from wasinn_nb.wording import inert

__all__ = [
    "BusyError",
    "DownloadError",
    "GuestCrash",
    "GuestError",
    "GuestExitError",
    "GuestLinkError",
    "GuestModuleError",
    "GuestTimeout",
    "GuestTrap",
    "HashMismatchError",
    "ImageError",
    "InvalidArgumentError",
    "InvalidEncodingError",
    "MissingFileError",
    "MissingMemoryError",
    "NotFoundError",
    "RecipeError",
    "Remedy",
    "ReplayError",
    "RuntimeFailure",
    "TensorError",
    "TensorFileError",
    "TooLargeError",
    "TooManyFailuresError",
    "UnsupportedOperationError",
    "UnwritableError",
    "WasiNnError",
    "WasiNnWarning",
]


class WasiNnError(Exception):
    """The root of the package's errors.

    Remedy: each subclass has its own; the message says what was expected, and what came.

    Parameters
    ----------
    message : str
        What was expected and what came.  Names from outside may be part of it: what steers a
        terminal becomes visible escapes, by :func:`wasinn_nb.wording.inert`.
    remedy : Remedy, optional
        What to do, where that is not part of the message already.

    Attributes
    ----------
    problem : str
        The message without the remedy.
    remedy : Remedy or None
    errno : Errno or None
        The WASI-NN error number that a guest would see, where there is one.

    Examples
    --------
    >>> from wasinn_nb.errors import TooLargeError
    >>> TooLargeError("the buffer is too small", needed=64).errno
    <Errno.TOO_LARGE: 7>
    >>> issubclass(TooLargeError, wn.WasiNnError)
    True
    """

    errno: Errno | None = None
    _lines = False
    """Whether messages may have several lines."""

    def __init__(self, message: str = "", *, remedy: Remedy | None = None) -> None:
        message = inert(message, lines=self._lines)
        super().__init__(message if remedy is None else f"{message}; {remedy.python}")
        self.problem = message
        self.remedy = remedy

    def __reduce__(self) -> tuple[Any, ...]:
        # Not by calling the class: some take arguments by keyword.
        return _remade, (type(self), self.args), vars(self)


def _remade(kind: type[WasiNnError], arguments: tuple[Any, ...]) -> WasiNnError:
    """Return a pickled error without its attributes."""
    error = kind.__new__(kind, *arguments)
    error.args = arguments
    return error


class WasiNnWarning(UserWarning):
    """Something that works, but probably not as intended.

    Remedy: do what the message says, or silence it with `warnings.filterwarnings`.

    Examples
    --------
    >>> import warnings
    >>> from wasinn_nb.errors import WasiNnWarning
    >>> warnings.simplefilter("error", WasiNnWarning)  # to stop at it
    """


class InvalidArgumentError(WasiNnError, ValueError):
    """An argument of a WASI-NN call is wrong: a handle, an index, a shape, a target.

    Remedy: pass what the message says was expected; ``run.trace`` has a guest's arguments.
    """

    errno = Errno.INVALID_ARGUMENT


class InvalidEncodingError(WasiNnError, ValueError):
    """WASI-NN does not have this graph encoding.

    Remedy: pass a name or number of `GraphEncoding`.
    """

    errno = Errno.INVALID_ENCODING


class MissingMemoryError(WasiNnError, LookupError):
    """The guest exports no memory to read from or write to.

    Remedy: export the memory as ``memory`` when the guest is linked.
    """

    errno = Errno.MISSING_MEMORY


class BusyError(WasiNnError, RuntimeError):
    """The execution context is computing in another thread.

    Remedy: wait for that call, or give each thread an execution context of its own.
    """

    errno = Errno.BUSY


class RuntimeFailure(WasiNnError, RuntimeError):  # noqa: N818 - "RuntimeError" is taken
    """The runtime failed: a broken model, calls out of order, a failing device.

    Remedy: the message has the engine's reason; convert the model again, or try another engine.
    """

    errno = Errno.RUNTIME_ERROR


class UnsupportedOperationError(WasiNnError, NotImplementedError):
    """WASI-NN has the operation, but this runtime does not support it.

    Remedy: use another of ``wn.engines()``, or another target of ``wn.devices()``.
    """

    errno = Errno.UNSUPPORTED_OPERATION


class TooLargeError(WasiNnError, BufferError):
    """The output does not fit the buffer.

    Remedy: pass a buffer of at least ``needed`` bytes.

    Attributes
    ----------
    needed : int
        How many bytes the buffer must have.
    """

    errno = Errno.TOO_LARGE

    def __init__(self, message: str, *, needed: int) -> None:
        super().__init__(message)
        self.needed = needed


class NotFoundError(WasiNnError, LookupError):
    """No model, image or graph of that name.

    Remedy: take a name that the message lists, or a path.
    """

    errno = Errno.NOT_FOUND


class TensorError(WasiNnError, ValueError):
    """Dimensions, type and bytes of a tensor do not fit each other.

    Remedy: compare dimensions, type and length of the data; the message has all three.
    """

    errno = Errno.INVALID_ARGUMENT


class TensorFileError(WasiNnError, ValueError):
    """A ``.tensor`` file contradicts its name, its sidecar or the arguments.

    Remedy: fetch the file again if it was cut off; else pass its true ``shape`` and ``type``.
    """


class RecipeError(WasiNnError, ValueError):
    """A preprocessing recipe or model card holds an invalid value.

    Remedy: correct the field that the message names, in the card's file or in the call.
    """


class MissingFileError(WasiNnError, FileNotFoundError):
    """A file or folder that was named does not exist.

    Remedy: check the path; relative ones start at the working directory.
    """

    errno = Errno.NOT_FOUND


class UnwritableError(WasiNnError, OSError):  # type: ignore[misc]  # errno: ours, not the OS's
    """Files could not be written; whatever was there before is unchanged.

    Remedy: make room, or write to a folder of yours; the message has the system's reason.
    """


class ImageError(WasiNnError, ValueError):
    """An image cannot be read, or the data are not an image.

    Remedy: convert the file to PNG or JPEG, or fetch it again if it was cut off.

    Parameters
    ----------
    message : str
    source : str, optional
        What the image is called: the message begins with it.
    remedy : Remedy, optional
        As for `WasiNnError`.

    Attributes
    ----------
    reason : str
        The message without what the image is called, for where that stands already.

    Examples
    --------
    >>> from wasinn_nb.errors import ImageError
    >>> error = ImageError("empty", source="a.png")
    >>> str(error), error.reason
    ('a.png: empty', 'empty')
    """

    def __init__(
        self, message: str = "", *, source: str = "", remedy: Remedy | None = None
    ) -> None:
        super().__init__(f"{source}: {message}" if source else message, remedy=remedy)
        whole = str(self)
        self.reason = whole[len(inert(source)) + 2 :] if source else whole


class DownloadError(WasiNnError, OSError):  # type: ignore[misc]  # errno: ours, not the OS's
    """A file could not be fetched; whatever was there before is untouched.

    Remedy: check the network and call again, or put the file where the message says.
    """

    _lines = True


class HashMismatchError(DownloadError):
    """A file is not the one that the catalog describes.

    Remedy: remove the file and fetch it again; if it differs again, do not use it.
    """


class TooManyFailuresError(WasiNnError, RuntimeError):
    """Most of the first of many images failed, so that the run was ended; its rows are kept.

    Remedy: read the errors with ``query("status == 'error'")``, correct what they name, and run
    again; ``failures=1`` goes on whatever fails.
    """


class GuestError(WasiNnError):
    """A WebAssembly guest could not be run, or did not end by itself.

    Remedy: each subclass has its own; ``run`` shows how far the guest came.

    Attributes
    ----------
    run : GuestRun or None
        The run up to then: its calls, its tensors and its output.
    """

    _lines = True
    run: Any = None


class GuestModuleError(GuestError, ValueError):
    """The bytes are not a WebAssembly command module, or it needs more than is allowed.

    Remedy: build the guest for ``wasm32-wasip1``, or raise the limit that the message names.
    """


class GuestLinkError(GuestError, LookupError):
    """The guest imports what this host does not provide.

    Remedy: build the guest without the imports that the message names.
    """


class GuestTrap(GuestError, RuntimeError):  # noqa: N818 - WebAssembly's word
    """The guest trapped: it panicked, aborted, left its memory, or exhausted its stack.

    Remedy: read ``run.stderr`` and ``run.reasons``: most guests panic after a failed call.

    Attributes
    ----------
    reason : str
        WebAssembly's description of the trap.
    backtrace : tuple of str
        The guest's functions, the innermost first.
    """

    def __init__(self, message: str, *, reason: str = "", backtrace: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.reason = reason
        self.backtrace = backtrace


class GuestCrash(GuestError, RuntimeError):  # noqa: N818 - as GuestTrap
    """The guest's process ended before the guest: an engine crashed, or a limit was passed.

    Remedy: raise the argument that ``limit`` names; where it is None, try another engine.

    This process goes on.

    Attributes
    ----------
    signal : int or None
        The signal that ended it, where one did.
    call : str
        The WASI-NN call that was running, or ``compile``; may be empty.
    limit : str or None
        The argument of `run_guest` whose limit was passed: ``memory_limit`` or ``write_limit``.
    """

    def __init__(
        self,
        message: str,
        *,
        signal: int | None = None,
        call: str = "",
        limit: str | None = None,
        remedy: Remedy | None = None,
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.signal = signal
        self.call = call
        self.limit = limit


class GuestTimeout(GuestError, TimeoutError):  # type: ignore[misc]  # noqa: N818 - errno: ours
    """The guest did not end within its time limit, and was stopped.

    Remedy: raise ``time_limit``; ``run.trace`` has the guest's last call.
    """


class GuestExitError(GuestError, RuntimeError):
    """The guest ended with an exit code other than 0, which the caller asked to be an error.

    Remedy: read ``run.stderr`` and ``run.reasons``, or leave ``check`` off.

    Attributes
    ----------
    exit_code : int
    """

    def __init__(self, message: str, *, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class ReplayError(GuestError, LookupError):
    """A guest makes another call than its recording has.

    Remedy: record it again with ``run.save``, or correct the guest; the message has both calls.
    """
