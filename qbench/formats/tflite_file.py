"""A `.tflite` file as the schema's tables, and what tells runtimes apart that cannot all read it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.errors import EnvironmentLacks, UserError, damaged_tflite

_IDENTIFIER = b"TFL3"


def is_tflite(content: bytes) -> bool:
    """Whether a file bears the format's identifier."""
    return content[4:8] == _IDENTIFIER


def parse_tflite(content: bytes) -> Any:
    """The schema's `ModelT` of a file.

    Raises:
        UserError: it is no such file, or a damaged one.
    """
    from ai_edge_litert import schema_py_generated as schema

    if not is_tflite(content):
        raise UserError("this is no .tflite file", cause="it lacks the format's identifier TFL3")
    try:
        return schema.ModelT.InitFromPackedBuf(content)
    except Exception as error:  # the generated reader trusts every offset
        raise damaged_tflite(error) from error


def has_external_constants(model: Any) -> bool:
    """Whether constants lie behind the flatbuffer (`Buffer.offset` and `size`), as of large models."""
    return any(buffer.offset > 1 and buffer.size > 0 for buffer in model.buffers or ())


def refuse_external_constants(content: bytes, name: str, reader: str) -> None:
    """Refuse a file with constants behind the flatbuffer for a runtime that would take them for empty.

    Args:
        content: the file's bytes.
        name: what an error calls the file.
        reader: what an error calls the runtime.

    Raises:
        EnvironmentLacks: there are such constants.
    """
    try:
        external = has_external_constants(parse_tflite(content))
    except UserError:
        return  # its own reader says what is wrong with it
    if external:
        raise EnvironmentLacks(
            f"{reader} does not read the constants of {name}",
            cause="they lie behind the flatbuffer (Buffer.offset), where only TFLite and LiteRT look",
            hint="convert the network again with its constants inside, or use the runtime tflite",
        )


def constant_bytes(content: bytes, buffer: Any) -> NDArray[np.uint8] | None:
    """What a buffer holds, inside the flatbuffer or behind it; None if it is empty.

    Raises:
        UserError: it reaches beyond the end of the file.
    """
    if buffer.data is not None and len(buffer.data) > 0:
        return np.asarray(buffer.data, np.uint8)
    if buffer.offset <= 1 or buffer.size == 0:
        return None
    if buffer.offset + buffer.size > len(content):
        raise UserError(
            "the .tflite file cannot be read",
            cause=f"a constant of {buffer.size:,} bytes from {buffer.offset:,} on lies behind its end",
            hint="check that the file is whole",
        )
    return np.frombuffer(content, np.uint8, buffer.size, buffer.offset)


@lru_cache(maxsize=4)
def prepare(content: bytes) -> bytes:
    """The file as an interpreter may open it: TensorFlow's own operators refused, misstated fields mended.

    A vector that names a quantized dimension which it does not have gets 0: TFLite Micro's `person_detect`
    has such biases. TFLite refuses the file; of a vector the field can say nothing, and TFLite Micro and the
    firmware do not look at it. A damaged file comes back as it is: TFLite's verifier says best what is wrong.

    Raises:
        UserError: it holds operators of TensorFlow, which can do more than compute.
    """
    try:
        model = parse_tflite(content)
    except UserError:
        return content
    _refuse_flex(model)
    tensors = [tensor for graph in model.subgraphs or () for tensor in graph.tensors or ()]
    wrong = [tensor for tensor in tensors if _is_misstated(tensor)]
    if not wrong or has_external_constants(model):
        return content
    for tensor in wrong:
        tensor.quantization.quantizedDimension = 0
    return pack_tflite(model)


def _refuse_flex(model: Any) -> None:
    """Refuse operators that TensorFlow executes: a file of a stranger could write files with them."""
    for code in model.operatorCodes or ():
        name = _text(code.customCode)
        if name.startswith("Flex"):
            raise UserError(
                f"the .tflite file needs TensorFlow's operator {name.removeprefix('Flex')}",
                cause="it was converted with SELECT_TF_OPS; such operators can do more than compute",
                hint="convert it with TFLITE_BUILTINS or TFLITE_BUILTINS_INT8 alone",
            )


def _text(name: Any) -> str:
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name or "")


def _is_misstated(tensor: Any) -> bool:
    """Whether a tensor of one dimension or one scale names another dimension than it has."""
    quantization = tensor.quantization
    if quantization is None or quantization.scale is None:
        return False
    rank = 0 if tensor.shape is None else len(tensor.shape)
    stated = quantization.quantizedDimension
    return bool((np.size(quantization.scale) == 1 or rank == 1) and stated != 0 and not 0 <= stated < rank)


def pack_tflite(model: Any) -> bytes:
    """The file of the schema's `ModelT`."""
    import flatbuffers

    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), _IDENTIFIER)
    return bytes(builder.Output())
