"""The firmware's C runtime as a library for this machine: built when first needed, called by ctypes."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import TensorSpec
from qbench.artifacts.environment import environment
from qbench.errors import EnvironmentLacks, InternalFault, UserError
from qbench.formats.tflite_file import refuse_external_constants
from qbench.places import cache_dir, firmware_digest, firmware_sources, require_programs
from qbench.quant import CODE_TYPES

LIBRARY = "libqbench_host.so"

# TensorType of the TFLite schema.
_DTYPES = {0: "float32", 2: "int32", 3: "uint8", 4: "int64", 7: "int16", 9: "int8"}

_DAMAGED, _UNSUPPORTED = 1, 2


@dataclass(frozen=True)
class HostTensor:
    """An input or output of a model, with its batch dimension; scale 0 when it is not quantized."""

    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int

    @property
    def spec(self) -> TensorSpec:
        """What a manifest says of it; the file's name for it is not known here."""
        integer = self.dtype in CODE_TYPES
        return TensorSpec(
            name="",
            shape=self.shape[1:],
            dtype=cast("Any", self.dtype),
            scale=self.scale if integer else None,
            zero_point=self.zero_point if integer else None,
        )


class _Tensor(ctypes.Structure):
    """`qb_host_tensor` of firmware/host/host.h."""

    _fields_ = (
        ("type", ctypes.c_int32),
        ("rank", ctypes.c_int32),
        ("dims", ctypes.c_int32 * 6),
        ("bytes", ctypes.c_uint32),
        ("scale", ctypes.c_float),
        ("zero_point", ctypes.c_int32),
        ("quantized", ctypes.c_int32),
    )


class _Error(ctypes.Structure):
    """`qb_host_error` of firmware/host/host.h."""

    _fields_ = (
        ("status", ctypes.c_int32),
        ("operator_index", ctypes.c_int32),
        ("builtin_code", ctypes.c_int32),
        ("version", ctypes.c_int32),
        ("operator_name", ctypes.c_char_p),
        ("what", ctypes.c_char_p),
    )


class HostModel:
    """One model opened by the library. Not for use by two threads at once: open one a thread.

    Args:
        model: the bytes of a `.tflite` file.
        library: the shared library; built and cached when not given.

    Attributes:
        inputs, outputs: its tensors.
        arena: bytes of memory that the model needs besides its file, the same on every platform.

    Raises:
        UserError: the file is damaged, or asks for what the runtime does not do; says which operator.
        EnvironmentLacks: its constants lie where the runtime does not look.
    """

    def __init__(self, model: bytes, library: Path | None = None) -> None:
        self._handle: ctypes.c_void_p | None = None
        refuse_external_constants(model, "the .tflite file", "the firmware's runtime")
        self._library = _load(library or built_library())
        error = _Error()
        handle = self._library.qb_host_open(model, len(model), ctypes.byref(error))
        if not handle:
            raise _as_user_error(error)
        self._handle = ctypes.c_void_p(handle)
        self.inputs = self._describe(outputs=False)
        self.outputs = self._describe(outputs=True)
        self.arena: int = self._library.qb_host_arena(self._handle)

    def _describe(self, *, outputs: bool) -> tuple[HostTensor, ...]:
        """The tensors at one end of the model."""
        found = []
        for index in range(self._library.qb_host_count(self._handle, outputs)):
            raw = _Tensor()
            self._library.qb_host_describe(self._handle, outputs, index, ctypes.byref(raw))
            scale = raw.scale if raw.quantized else 0.0
            found.append(HostTensor(tuple(raw.dims[: raw.rank]), _DTYPES[raw.type], scale, raw.zero_point))
        return tuple(found)

    def run(self, *inputs: NDArray[Any]) -> list[NDArray[Any]]:
        """Run a batch of samples; the interpreter lock is released meanwhile.

        Args:
            inputs: one array an input, [n, *shape of the input] in its dtype.

        Returns:
            One array an output, [n, *shape of the output].
        """
        if self._handle is None:
            raise InternalFault("the model was closed")
        count = len(inputs[0])
        held = [np.ascontiguousarray(a, t.dtype) for a, t in zip(inputs, self.inputs, strict=True)]
        for array, tensor in zip(held, self.inputs, strict=True):
            if array.shape != (count, *tensor.shape):
                raise InternalFault(f"an input has shape {array.shape}, not {(count, *tensor.shape)}")
        results = [np.empty((count, *t.shape), t.dtype) for t in self.outputs]
        self._library.qb_host_run(self._handle, count, _addresses(held), _addresses(results))
        return results

    def close(self) -> None:
        """Free the model's memory."""
        if self._handle is not None:
            self._library.qb_host_close(self._handle)
            self._handle = None

    def __del__(self) -> None:
        self.close()


def _addresses(arrays: Sequence[NDArray[Any]]) -> ctypes.Array[ctypes.c_void_p]:
    """A C array of pointers to the arrays' data."""
    return (ctypes.c_void_p * len(arrays))(*(a.ctypes.data for a in arrays))


def _as_user_error(error: _Error) -> UserError:
    """What the library says, in words."""
    what = error.what.decode() if error.what else "no reason given"
    if error.operator_index < 0:
        place = "the model"
    else:
        name = error.operator_name.decode() if error.operator_name else f"code {error.builtin_code}"
        place = f"operator {error.operator_index} ({name} version {error.version})"
    if error.status == _DAMAGED:
        return UserError(f"{place}: the file is damaged", cause=what, hint="export or download it again")
    if error.status == _UNSUPPORTED:
        return UserError(f"{place} cannot run on the firmware's runtime", cause=what)
    return UserError(f"{place} needs more memory than there is", cause=what)


@functools.cache
def _load(path: Path) -> ctypes.CDLL:
    """The library with its prototypes."""
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        raise EnvironmentLacks(f"cannot load {path}", cause=str(error)) from error
    pointer, number = ctypes.c_void_p, ctypes.c_uint32
    prototypes: dict[str, tuple[Any, list[Any]]] = {
        "qb_host_open": (pointer, [ctypes.c_char_p, number, pointer]),
        "qb_host_close": (None, [pointer]),
        "qb_host_arena": (number, [pointer]),
        "qb_host_count": (number, [pointer, ctypes.c_int]),
        "qb_host_describe": (None, [pointer, ctypes.c_int, number, pointer]),
        "qb_host_run": (None, [pointer, number, pointer, pointer]),
        "qb_host_kernels": (ctypes.c_char_p, []),
    }
    for name, (result, arguments) in prototypes.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def kernel_set() -> str:
    """Which kernels the library was built with."""
    said: bytes = _load(built_library()).qb_host_kernels()
    return said.decode("ascii")


def require_tools() -> None:
    """Check that the library can be built here.

    Raises:
        EnvironmentLacks: there is no make or no C compiler.
    """
    require_programs(
        "the runtime 'host', built from C,", {"make": "build-essential", "cc": "build-essential"}
    )


@functools.cache
def built_library() -> Path:
    """The shared library, built into the user's cache when these sources are new to this CPU.

    Raises:
        EnvironmentLacks: no make or no C compiler, or they fail.
    """
    cpu = hashlib.sha256(repr((environment().cpu, environment().cpu_flags)).encode()).hexdigest()
    folder = cache_dir() / f"host-{firmware_digest()[:16]}-{cpu[:8]}"
    if (folder / LIBRARY).is_file():
        return folder / LIBRARY
    require_tools()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as build:
        command = ["make", "-C", str(firmware_sources() / "host"), f"BUILD={build}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode != 0:
            raise EnvironmentLacks(
                "building the runtime 'host' failed",
                cause=(done.stderr.strip().splitlines() or ["make gave no reason"])[-1],
            )
        os.replace(Path(build) / LIBRARY, folder / LIBRARY)  # noqa: PTH105 - atomic, others may build too
    return folder / LIBRARY
