"""A `.tflite` file as plain tensors and operators."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.errors import UserError, damaged_tflite

_IDENTIFIER = b"TFL3"
CODES = ("int8", "uint8")
_TRANSPARENT = {"DEQUANTIZE", "QUANTIZE", "RESHAPE"}


@dataclass(frozen=True)
class Tensor:
    """A tensor of the file.

    Attributes:
        name: as the converter called it.
        shape: with the batch that the file states.
        dtype: NumPy's name of it.
        scales: [1] or [channels] float32; empty where the tensor is not quantized.
        zero_points: int64, as many.
        data: the array of a constant, else None.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scales: NDArray[np.float32]
    zero_points: NDArray[np.int64]
    data: NDArray[Any] | None

    @property
    def quantized(self) -> bool:
        """Whether it holds codes of one scale and zero point: real = scale * (code - zero point)."""
        return self.dtype in CODES and len(self.scales) == 1

    @property
    def scale(self) -> np.float32:
        """Of all codes."""
        scale: np.float32 = self.scales[0]
        return scale

    @property
    def zero_point(self) -> int:
        """Of all codes."""
        return int(self.zero_points[0])

    @property
    def low(self) -> int:
        """The least code, with the zero point subtracted."""
        return int(np.iinfo(self.dtype).min) - self.zero_point

    @property
    def high(self) -> int:
        """The largest code, with the zero point subtracted."""
        return int(np.iinfo(self.dtype).max) - self.zero_point


@dataclass(frozen=True)
class Operator:
    """An operator of the file.

    Attributes:
        index: its place in the file.
        name: as in the schema, such as CONV_2D.
        inputs, outputs: tensor indices; -1 stands for an operand that is left out.
        options: the schema's table, or None.
    """

    index: int
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Any


@dataclass(frozen=True)
class Graph:
    """The first subgraph of a file; operators stand in the order in which they run."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    @cached_property
    def producers(self) -> dict[int, Operator]:
        """The operator behind each tensor that is neither input nor constant."""
        return {index: operator for operator in self.operators for index in operator.outputs}

    def behind(self, index: int) -> list[Operator]:
        """The operators behind a tensor, the last first: changes of shape and scale, and what feeds them."""
        found = []
        operator = self.producers.get(index)
        while operator is not None:
            found.append(operator)
            operator = self.producers.get(operator.inputs[0]) if operator.name in _TRANSPARENT else None
        return found


def is_tflite(content: bytes) -> bool:
    """Whether a file bears the format's identifier."""
    return content[4:8] == _IDENTIFIER


def read_graph(content: bytes) -> Graph:
    """Parse a `.tflite` file.

    Raises:
        UserError: it is no such file, or a damaged one.
    """
    from ai_edge_litert import schema_py_generated as schema

    if not is_tflite(content):
        raise UserError("this is no .tflite file", cause="it lacks the format's identifier TFL3")
    try:
        model = schema.ModelT.InitFromPackedBuf(content)
        graph = model.subgraphs[0]
        names = {number: name for name, number in vars(schema.BuiltinOperator).items() if name.isupper()}
        types = {number: name.lower() for name, number in vars(schema.TensorType).items() if name.isupper()}
        codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
        return Graph(
            tuple(_tensor(tensor, types[tensor.type], model.buffers) for tensor in graph.tensors),
            tuple(
                Operator(
                    number,
                    names.get(codes[operator.opcodeIndex], str(codes[operator.opcodeIndex])),
                    _integers(operator.inputs),
                    _integers(operator.outputs),
                    operator.builtinOptions,
                )
                for number, operator in enumerate(graph.operators)
            ),
            _integers(graph.inputs),
            _integers(graph.outputs),
        )
    except Exception as error:
        raise damaged_tflite(error) from error


def _integers(values: Any) -> tuple[int, ...]:
    return () if values is None else tuple(int(value) for value in values)


def _tensor(tensor: Any, dtype: str, buffers: list[Any]) -> Tensor:
    shape = _integers(tensor.shape)
    quantization = tensor.quantization
    scales = None if quantization is None else quantization.scale
    zero_points = None if quantization is None else quantization.zeroPoint
    stored = buffers[tensor.buffer].data
    known = stored is not None and len(stored) > 0 and dtype not in ("string", "int4")
    return Tensor(
        name=(tensor.name or b"").decode() if isinstance(tensor.name, bytes) else str(tensor.name),
        shape=shape,
        dtype=dtype,
        scales=np.array([] if scales is None else scales, np.float32),
        zero_points=np.array([] if zero_points is None else zero_points, np.int64),
        data=np.asarray(stored, np.uint8).view(dtype).reshape(shape) if known else None,
    )
