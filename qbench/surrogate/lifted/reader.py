"""A `.tflite` file as plain tensors and operators."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.errors import UserError
from qbench.formats.tflite_file import constant_bytes, parse_tflite

# What a tensor of one input may hold: beyond any network for a microcontroller.
MOST_ELEMENTS = 1 << 26

CODES = ("int8", "uint8", "int16")
_TRANSPARENT = {"DEQUANTIZE", "EXPAND_DIMS", "QUANTIZE", "RESHAPE", "SQUEEZE"}
_READ = ("int8", "uint8", "int16", "int32", "int64", "float32", "float64", "bool")


@dataclass(frozen=True)
class GraphTensor:
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
    def reach(self) -> int:
        """What no code exceeds in size, with the zero point subtracted."""
        return max(-self.low, self.high)

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

    tensors: tuple[GraphTensor, ...]
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
            follows = operator.name in _TRANSPARENT and operator.inputs
            operator = self.producers.get(operator.inputs[0]) if follows else None
        return found


def read_graph(content: bytes) -> Graph:
    """Parse a `.tflite` file, and check that its parts refer to each other as they must.

    Raises:
        UserError: it is no such file, or a damaged one; the tensor or operator is named.
    """
    model = parse_tflite(content)
    if not model.subgraphs:
        raise _damage_error("it holds no graph")
    graph = model.subgraphs[0]
    tensors = tuple(_tensor(i, each, model, content) for i, each in enumerate(graph.tensors or ()))
    names = _operator_names(model)
    operators = tuple(_operator(i, each, names, len(tensors)) for i, each in enumerate(graph.operators or ()))
    inputs, outputs = _integers(graph.inputs), _integers(graph.outputs)
    for index in (*inputs, *outputs):
        if not 0 <= index < len(tensors):
            raise _damage_error(f"an end of the graph is tensor {index}, of {len(tensors)}")
    found = Graph(tensors, operators, inputs, outputs)
    _check_order(found)
    return found


def _damage_error(cause: str) -> UserError:
    return UserError("the .tflite file cannot be read", cause=cause, hint="export it again")


def _operator_names(model: Any) -> list[str]:
    """Of the model's operator codes, in their order."""
    from ai_edge_litert import schema_py_generated as schema

    known = {number: name for name, number in vars(schema.BuiltinOperator).items() if name.isupper()}
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes or ()]
    return [known.get(code, str(code)) for code in codes]


def _operator(number: int, operator: Any, names: list[str], tensors: int) -> Operator:
    inputs, outputs = _integers(operator.inputs), _integers(operator.outputs)
    if not 0 <= operator.opcodeIndex < len(names):
        raise _damage_error(f"operator {number} has the code {operator.opcodeIndex}, of {len(names)}")
    name = names[operator.opcodeIndex]
    if (
        not outputs
        or any(not 0 <= i < tensors for i in outputs)
        or any(not -1 <= i < tensors for i in inputs)
    ):
        raise _damage_error(f"operator {number}, {name}, has tensors {inputs} and {outputs}, of {tensors}")
    return Operator(number, name, inputs, outputs, operator.builtinOptions)


def _check_order(graph: Graph) -> None:
    """Refuse operators that read what no operator before them has written, or that write something twice."""
    known = set(graph.inputs) | {i for i, tensor in enumerate(graph.tensors) if tensor.data is not None}
    for operator in graph.operators:
        for index in operator.inputs:
            if index >= 0 and index not in known:
                raise _damage_error(
                    f"operator {operator.index}, {operator.name}, reads the tensor "
                    f"{graph.tensors[index].name!r} before it is written"
                )
        for index in operator.outputs:
            if index in known:
                raise _damage_error(
                    f"operator {operator.index}, {operator.name}, writes the tensor "
                    f"{graph.tensors[index].name!r}, which has a value already"
                )
            known.add(index)


def _integers(values: Any) -> tuple[int, ...]:
    return () if values is None else tuple(int(value) for value in values)


def _tensor(number: int, tensor: Any, model: Any, content: bytes) -> GraphTensor:
    from ai_edge_litert import schema_py_generated as schema

    types = {number: name.lower() for name, number in vars(schema.TensorType).items() if name.isupper()}
    name = tensor.name.decode(errors="replace") if isinstance(tensor.name, bytes) else str(tensor.name or "")
    shape, dtype = _integers(tensor.shape), types.get(tensor.type, str(tensor.type))
    what = f"tensor {number}, {name!r}, {dtype} of shape {shape},"
    if any(size < 0 for size in shape) or math.prod(shape) > MOST_ELEMENTS:
        raise _damage_error(f"{what} cannot be held in memory")
    if not 0 <= tensor.buffer < len(model.buffers or ()):
        raise _damage_error(f"{what} lies in the buffer {tensor.buffer}, of {len(model.buffers or ())}")
    scales, zero_points = _quantization(tensor.quantization, what)
    return GraphTensor(
        name=name,
        shape=shape,
        dtype=dtype,
        scales=scales,
        zero_points=zero_points,
        data=_constant(constant_bytes(content, model.buffers[tensor.buffer]), shape, dtype, what),
    )


def _quantization(quantization: Any, what: str) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Scales and as many zero points, which are 0 where the file leaves them out."""
    stated = None if quantization is None else quantization.scale
    scales = np.array([] if stated is None else stated, np.float32).reshape(-1)
    zeros = None if quantization is None else quantization.zeroPoint
    zero_points = (
        np.zeros(len(scales), np.int64) if zeros is None else np.asarray(zeros, np.int64).reshape(-1)
    )
    if len(zero_points) != len(scales):
        raise _damage_error(f"{what} has {len(scales)} scales and {len(zero_points)} zero points")
    if not (np.isfinite(scales).all() and (scales > 0).all()):
        raise _damage_error(f"{what} has a scale that is not a finite number above 0")
    return scales, zero_points


def _constant(
    stored: NDArray[np.uint8] | None, shape: tuple[int, ...], dtype: str, what: str
) -> NDArray[Any] | None:
    """The array of a constant; None for what operators write, and for types that nothing here reads."""
    if stored is None or dtype not in _READ:
        return None
    if len(stored) != math.prod(shape) * np.dtype(dtype).itemsize:
        raise _damage_error(f"{what} has {len(stored):,} bytes")
    return np.ascontiguousarray(stored).view(dtype).reshape(shape)
