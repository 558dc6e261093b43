"""The packed twin of a `.tflite`: constants of few values as codebooks and indices (docs/packing.md)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.errors import UserError, damaged_tflite

IDENTIFIER = b"QBP1"
"""Of a packed file, in place of TFLite's TFL3."""

_TFLITE = b"TFL3"
_INT8, _PACKED_INT8 = 9, 64  # TensorType; the second is qbench's own (firmware/core/packed.h)
_WIDTHS = (1, 2, 4)


@dataclass(frozen=True)
class PackedConstant:
    """One constant that was packed.

    Attributes:
        name: of its tensor.
        bits: of an index.
        values: how many it holds, a byte each before.
        bytes: that it takes now: its codebook and its indices.
    """

    name: str
    bits: int
    values: int
    bytes: int


@dataclass(frozen=True)
class PackedModel:
    """A model with packed constants.

    Attributes:
        content: the file's bytes; the original's if nothing could be packed.
        original_bytes: of the original file.
        constants: what was packed.
    """

    content: bytes
    original_bytes: int
    constants: tuple[PackedConstant, ...]


def pack_weights(tflite: bytes) -> PackedModel:
    """Store every int8 constant of at most 16 distinct values in 1, 2 or 4 bits a value.

    Lossless, and blind to where the values come from: a codebook holds them, whatever they are. Only qbench's
    firmware reads the result; other runtimes refuse it. The same model gives the same bytes.

    Args:
        tflite: the bytes of a `.tflite` file.

    Raises:
        UserError: it is no such file, or a damaged one.
    """
    from ai_edge_litert import schema_py_generated as schema

    if tflite[4:8] != _TFLITE:
        raise UserError("this is no .tflite file", cause="it lacks the format's identifier TFL3")
    try:
        model = schema.ModelT.InitFromPackedBuf(tflite)
        constants = _pack_buffers(model)
    except Exception as error:
        raise damaged_tflite(error) from error
    content = _write(model) if constants else tflite
    return PackedModel(content, len(tflite), constants)


def _pack_buffers(model: Any) -> tuple[PackedConstant, ...]:
    """Pack the model's buffers in place, where that saves bytes, and mark their tensors."""
    users = defaultdict(list)
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            users[tensor.buffer].append(tensor)
    found = []
    for number, tensors in sorted(users.items()):
        data = model.buffers[number].data
        if data is None or any(each.type != _INT8 for each in tensors):
            continue
        packed = _pack(np.asarray(data, np.uint8).view(np.int8))
        if packed is None:
            continue
        for each in tensors:
            each.type = _PACKED_INT8
        model.buffers[number].data = packed
        found.append(PackedConstant(_name(tensors[0]), int(packed[0]), len(data), len(packed)))
    return tuple(found)


def _pack(values: NDArray[np.int8]) -> NDArray[np.uint8] | None:
    """The bits of an index, the codebook, the indices; None if no shorter, or of too many values.

    Args:
        values: [n].
    """
    codebook, indices = np.unique(values, return_inverse=True)
    bits = next((width for width in _WIDTHS if len(codebook) <= 1 << width), None)
    if bits is None:
        return None
    codebook = np.pad(codebook, (0, (1 << bits) - len(codebook)))
    # [n, bits], the lowest bit of an index first, then eight to a byte
    digits = (indices.reshape(-1, 1) >> np.arange(bits)) & 1
    whole = np.packbits(digits.astype(np.uint8), bitorder="little")
    packed = np.concatenate([np.array([bits], np.uint8), codebook.view(np.uint8), whole])
    return packed if len(packed) < len(values) else None


def _write(model: Any) -> bytes:
    """The flatbuffer's bytes."""
    import flatbuffers

    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def _name(tensor: Any) -> str:
    return tensor.name.decode() if isinstance(tensor.name, bytes) else str(tensor.name or "")
