"""The numbers of the WASI-NN core-module ABI (``wasi_ephemeral_nn``).

Values are those of the current ``wasi-nn`` specification.  Modules built before 2023 number the
tensor types differently (:class:`Dialect`); :meth:`TensorType.from_wire` distinguishes the two.
"""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

__all__ = [
    "FOREIGN_ENCODINGS",
    "MODULE",
    "PARAMETERS",
    "Dialect",
    "Errno",
    "ExecutionTarget",
    "GraphEncoding",
    "TensorType",
]

MODULE: Final = "wasi_ephemeral_nn"
"""The name of the module that guests import."""

PARAMETERS: Final = {
    "load": 5,
    "load_by_name": 3,
    "init_execution_context": 2,
    "set_input": 3,
    "compute": 1,
    "get_output": 5,
    # WasmEdge's additions.
    "load_by_name_with_config": 5,
    "unload": 1,
    "finalize_execution_context": 1,
    "compute_single": 1,
    "get_output_single": 5,
    "fini_single": 1,
}
"""How many i32 each function takes; each returns an errno."""


FOREIGN_ENCODINGS: Final = {
    6: ("GGML", "GGUF language models: WasmEdge with its plug-in wasi_nn-ggml runs them"),
    7: ("NeuralSpeed", "language models: WasmEdge with its plug-in of that name ran them"),
    9: ("Whisper", "speech recognition: WasmEdge with its plug-in wasi_nn-whisper runs it"),
    10: ("MLX", "models of Apple's MLX: WasmEdge with its plug-in wasi_nn-mlx runs them"),
    11: ("Piper", "speech synthesis: WasmEdge with its plug-in wasi_nn-piper runs it"),
    12: ("ChatTTS", "speech synthesis: WasmEdge with its plug-in wasi_nn-chattts runs it"),
    13: ("OpenVINOGenAI", "generative models: WasmEdge with its plug-in of that name runs them"),
    14: (
        "BitNet",
        "language models of 1.58 bits: WasmEdge with its plug-in of that name runs them",
    ),
}
"""WasmEdge's further encodings: number → name, and what they are for and what runs them."""


class Errno(IntEnum):
    """What a WASI-NN function returns: 0 for success, otherwise why it failed.

    Examples
    --------
    >>> wn.Errno(7)
    <Errno.TOO_LARGE: 7>
    """

    SUCCESS = 0
    INVALID_ARGUMENT = 1
    INVALID_ENCODING = 2
    MISSING_MEMORY = 3
    BUSY = 4
    RUNTIME_ERROR = 5
    UNSUPPORTED_OPERATION = 6
    TOO_LARGE = 7
    NOT_FOUND = 8


class GraphEncoding(IntEnum):
    """The format of a model's bytes, as a guest declares it in ``load``.

    Examples
    --------
    >>> wn.GraphEncoding.OPENVINO.builders
    2
    >>> wn.GraphEncoding.ONNX.builders
    1
    """

    OPENVINO = 0
    ONNX = 1
    TENSORFLOW = 2
    PYTORCH = 3
    TENSORFLOWLITE = 4
    AUTODETECT = 5

    @property
    def builders(self) -> int | None:
        """How many builders ``load`` takes: 2 for OpenVINO IR (xml, bin), else 1.

        ``None`` for ``AUTODETECT``, which takes one or two.
        """
        if self is GraphEncoding.AUTODETECT:
            return None
        return 2 if self is GraphEncoding.OPENVINO else 1


class ExecutionTarget(IntEnum):
    """Where a graph runs.  ``AUTO`` is WasmEdge's addition to the specification.

    Examples
    --------
    >>> wn.ExecutionTarget.TPU.device
    'NPU'
    """

    CPU = 0
    GPU = 1
    TPU = 2
    AUTO = 3

    @property
    def device(self) -> str:
        """OpenVINO's name of the device: OpenVINO calls its accelerator ``NPU``."""
        return "NPU" if self is ExecutionTarget.TPU else self.name


class Dialect(Enum):
    """The two numberings of tensor types in use.  No module states which one it uses."""

    LEGACY = "legacy"
    """Until 2023: f16=0, f32=1, u8=2, i32=3."""
    CURRENT = "current"
    """Since 2023: f16=0, f32=1, f64=2, u8=3, i32=4, i64=5."""


class TensorType(IntEnum):
    """The element type of a tensor; 0 to 5 are the numbers of the current dialect.

    ``I8`` is an extension of this package: WASI-NN has no such type, so no guest can declare it
    and :meth:`from_wire` never returns it.  Models with 8-bit signed inputs or outputs are run
    from Python only.

    Examples
    --------
    >>> wn.TensorType.F32.dtype, wn.TensorType.F32.itemsize, wn.TensorType.F32.suffix
    (dtype('float32'), 4, 'f32')
    >>> wn.TensorType.from_dtype("uint8")
    <TensorType.U8: 3>
    >>> wn.TensorType.parse("f16")
    <TensorType.F16: 0>
    """

    F16 = 0
    F32 = 1
    F64 = 2
    U8 = 3
    I32 = 4
    I64 = 5
    I8 = 6

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """The little-endian NumPy dtype, as wasm lays it out in memory."""
        return _DTYPES[self]

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self.dtype.itemsize

    @property
    def suffix(self) -> str:
        """The short name that ends the stem of a ``.tensor`` file, such as ``f32``."""
        return self.name.lower()

    @property
    def in_wasi_nn(self) -> bool:
        """Whether WASI-NN has this type, so that guests can declare it: all but ``I8``."""
        return self is not TensorType.I8

    @classmethod
    def from_dtype(cls, dtype: DTypeLike) -> TensorType:
        """Return the tensor type of a NumPy dtype.

        Raises
        ------
        ValueError
            If there is no such type.
        """
        little_endian = np.dtype(dtype).newbyteorder("<")
        for member, known in _DTYPES.items():
            if known == little_endian:
                return member
        raise ValueError(
            f"WASI-NN has no tensor type for dtype {np.dtype(dtype).name}; "
            f"convert to one of {', '.join(d.name for d in _DTYPES.values())}"
        )

    @classmethod
    def parse(cls, value: TensorType | str | DTypeLike) -> TensorType:
        """Return the member that *value* means: a member, ``"f32"``, or a NumPy dtype.

        Short names count bits: ``"i8"`` is one byte (NumPy's ``"i8"`` is eight).

        Raises
        ------
        ValueError
            If *value* means none.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, str) and value.upper() in cls.__members__:
            return cls[value.upper()]
        try:
            if value is None:  # NumPy takes None for float64
                raise TypeError
            return cls.from_dtype(value)
        except (TypeError, SyntaxError):  # np.dtype parses text as it would a list of fields
            known = ", ".join(member.suffix for member in cls)
            raise ValueError(
                f"{value!r:.80} is not a tensor type; expected one of {known}"
            ) from None

    @classmethod
    def from_wire(cls, code: int, elements: int, nbytes: int) -> tuple[TensorType, Dialect | None]:
        """Return which type a guest means by *code*, from the size of its data.

        Parameters
        ----------
        code : int
            The number in the guest's tensor record.
        elements : int
            The product of the guest's dimensions.
        nbytes : int
            The length of the guest's data in bytes.

        Returns
        -------
        TensorType, Dialect or None
            The type, never ``I8``, and the dialect that it shows; ``None`` where both dialects
            agree on it.

        Raises
        ------
        ValueError
            If no dialect's type fits *elements* and *nbytes*, or two different ones do.

        Examples
        --------
        >>> wn.TensorType.from_wire(2, elements=12, nbytes=12)
        (<TensorType.U8: 3>, <Dialect.LEGACY: 'legacy'>)
        >>> wn.TensorType.from_wire(2, elements=12, nbytes=96)
        (<TensorType.F64: 2>, <Dialect.CURRENT: 'current'>)
        >>> wn.TensorType.from_wire(1, elements=12, nbytes=48)
        (<TensorType.F32: 1>, None)
        """
        meanings = {d: t for d, types in _WIRE.items() if (t := types.get(code)) is not None}
        if not meanings:
            raise ValueError(f"tensor type {code} is unknown in either dialect; expected 0 to 5")
        fitting = {d: t for d, t in meanings.items() if elements * t.itemsize == nbytes}
        types = set(fitting.values())
        if len(types) == 1:
            found = types.pop()
            shows = None if len(fitting) == len(_WIRE) else next(iter(fitting))
            return found, shows
        readings = " or ".join(f"{t.suffix} ({d.value} dialect)" for d, t in meanings.items())
        if types:
            raise ValueError(
                f"tensor type {code} is ambiguous: {readings} both fit {elements} elements "
                f"in {nbytes} bytes"
            )
        needed = " or ".join(f"{elements * t.itemsize}" for t in dict.fromkeys(meanings.values()))
        raise ValueError(
            f"tensor type {code} means {readings}: {elements} elements take {needed} bytes, "
            f"got {nbytes}"
        )


_DTYPES: dict[TensorType, np.dtype[np.generic]] = {
    TensorType.F16: np.dtype("<f2"),
    TensorType.F32: np.dtype("<f4"),
    TensorType.F64: np.dtype("<f8"),
    TensorType.U8: np.dtype("u1"),
    TensorType.I32: np.dtype("<i4"),
    TensorType.I64: np.dtype("<i8"),
    TensorType.I8: np.dtype("i1"),
}

_WIRE: dict[Dialect, dict[int, TensorType]] = {
    Dialect.LEGACY: {
        0: TensorType.F16,
        1: TensorType.F32,
        2: TensorType.U8,
        3: TensorType.I32,
    },
    Dialect.CURRENT: {member.value: member for member in TensorType if member.in_wasi_nn},
}
