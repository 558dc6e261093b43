"""What the payloads of the device's answers say. The contract is firmware/PROTOCOL.md."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal, cast

import numpy as np

from qbench.artifacts.inputs import TensorSpec
from qbench.text import plain

PROTOCOL_VERSION = 1

_DTYPES: dict[int, Literal["float32", "uint8", "int16", "int8"]] = {
    0: "float32",
    3: "uint8",
    7: "int16",
    9: "int8",
}
_COUNTERS = ("none", "cycles", "instructions", "nanoseconds")
Counter = Literal["none", "cycles", "instructions", "nanoseconds"]


class ErrorCode(IntEnum):
    """Why a device refused a frame."""

    DAMAGED = 1
    OVERSIZE = 2
    VERSION = 3
    NO_SESSION = 4
    LENGTH = 5
    COMMAND = 6
    NO_MODEL = 7
    INFERENCE = 8


class Malformed(ValueError):
    """An undamaged frame whose payload is not what its kind promises."""


@dataclass(frozen=True)
class DeviceInfo:
    """What a device says of itself and its model.

    Attributes:
        boot: differs from boot to boot.
        window: inputs that the device takes without having answered one.
        counter: what `Result.count` counts.
        clock_hz: of the core; 0 if it has none to speak of (an emulator, a process).
        model_sha256: 64 hex digits, computed by the device over the model that it runs.
        arena_used, arena_available: bytes of working memory.
        fault: why the device cannot run its model, or None. Tensors and arena may then mean nothing.
    """

    protocol: int
    boot: int
    window: int
    counter: Counter
    clock_hz: int
    model_sha256: str
    model_bytes: int
    arena_used: int
    arena_available: int
    input: TensorSpec
    output: TensorSpec
    firmware: str
    board: str
    core: str
    kernels: str
    fault: str | None


@dataclass(frozen=True)
class Result:
    """The payload of a RESULT."""

    boot: int
    count: int
    output: bytes


@dataclass(frozen=True)
class Refusal:
    """The payload of an ERROR; `code` is an `ErrorCode`, or a number that this version does not know."""

    boot: int
    code: int
    text: str


def tensor_bytes(tensor: TensorSpec) -> int:
    """Bytes of a tensor, the batch of one."""
    return int(np.prod(tensor.shape, dtype=np.int64)) * np.dtype(tensor.dtype).itemsize


class _Reader:
    """Takes little-endian fields off the front of a payload."""

    def __init__(self, payload: bytes) -> None:
        self._rest = memoryview(payload)

    def take(self, count: int) -> bytes:
        if count > len(self._rest):
            raise Malformed("the payload ends early")
        taken, self._rest = bytes(self._rest[:count]), self._rest[count:]
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def text(self) -> str:
        return plain(self.take(self.number(1)).decode("utf-8", "replace"))

    def tensor(self, name: str) -> TensorSpec:
        code, rank = self.number(1), self.number(1)
        shape = tuple(self.number(4) for _ in range(rank))
        scale, zero_point = struct.unpack("<fi", self.take(8))
        if code not in _DTYPES:
            raise Malformed(f"the {name} tensor has the unknown type {code}")
        if not scale:
            scale = zero_point = None
        batchless = shape[1:] if shape[:1] == (1,) else shape
        return TensorSpec(name=name, shape=batchless, dtype=_DTYPES[code], scale=scale, zero_point=zero_point)

    def rest(self) -> bytes:
        return bytes(self._rest)


def parse_info(payload: bytes) -> DeviceInfo:
    """The payload of an INFO; fields that a later minor revision appends are passed over."""
    reader = _Reader(payload)
    protocol, boot, window = reader.number(1), reader.number(4), reader.number(2)
    if protocol != PROTOCOL_VERSION:
        raise Malformed(f"the device speaks protocol version {protocol}, this qbench {PROTOCOL_VERSION}")
    counter = reader.number(1)
    if counter >= len(_COUNTERS) or window == 0:
        raise Malformed(f"counter kind {counter} or window {window} makes no sense")
    return DeviceInfo(
        protocol=protocol,
        boot=boot,
        window=window,
        counter=cast("Counter", _COUNTERS[counter]),
        clock_hz=reader.number(4),
        model_sha256=reader.take(32).hex(),
        model_bytes=reader.number(4),
        arena_used=reader.number(4),
        arena_available=reader.number(4),
        input=reader.tensor("input"),
        output=reader.tensor("output"),
        firmware=reader.text(),
        board=reader.text(),
        core=reader.text(),
        kernels=reader.text(),
        fault=reader.text() or None,
    )


def parse_result(payload: bytes) -> Result:
    """The payload of a RESULT."""
    reader = _Reader(payload)
    return Result(boot=reader.number(4), count=reader.number(8), output=reader.rest())


def parse_error(payload: bytes) -> Refusal:
    """The payload of an ERROR."""
    reader = _Reader(payload)
    return Refusal(boot=reader.number(4), code=reader.number(1), text=reader.text())


def parse_pong(payload: bytes) -> int:
    """The boot nonce in a PONG."""
    return _Reader(payload).number(4)
