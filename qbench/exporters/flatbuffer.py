"""Writes `.tflite` models through the schema's objects, so that every number in them is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
from numpy.typing import NDArray
from tensorflow.lite.python import schema_py_generated as schema

OPERATORS: dict[str, int] = {k: v for k, v in vars(schema.BuiltinOperator).items() if not k.startswith("_")}
_OPTIONS: dict[str, int] = {k: v for k, v in vars(schema.BuiltinOptions).items() if not k.startswith("_")}
_TYPES = {
    np.dtype(name.lower()): getattr(schema.TensorType, name)
    for name in ("FLOAT32", "INT32", "UINT8", "INT64", "INT16", "INT8")
}


class ModelBuilder:
    """Collects tensors and operators; a tensor is known by its index."""

    def __init__(self) -> None:
        self._model = schema.ModelT()
        self._model.version = 3
        self._model.buffers = [schema.BufferT()]
        self._model.operatorCodes = []
        self._graph = schema.SubGraphT()
        self._graph.tensors, self._graph.operators = [], []
        self._model.subgraphs = [self._graph]

    def tensor(
        self,
        shape: Sequence[int],
        dtype: str = "int8",
        scale: float | NDArray[Any] | None = None,
        zero_point: int = 0,
        *,
        axis: int = 0,
        name: str | None = None,
    ) -> int:
        """Add an activation; an array of scales makes it per-channel along `axis`."""
        tensor = schema.TensorT()
        tensor.shape = np.array(shape, np.int32)
        tensor.type = _TYPES[np.dtype(dtype)]
        tensor.name = name or f"t{len(self._graph.tensors)}"
        tensor.buffer = 0
        if scale is not None:
            scales = np.atleast_1d(np.asarray(scale, np.float32))
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = scales
            tensor.quantization.zeroPoint = np.full(len(scales), zero_point, np.int64)
            tensor.quantization.quantizedDimension = axis
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def constant(
        self,
        data: NDArray[Any],
        scale: float | NDArray[Any] | None = None,
        zero_point: int = 0,
        *,
        axis: int = 0,
    ) -> int:
        """Add a constant of the array's shape and dtype."""
        index = self.tensor(data.shape, data.dtype.name, scale, zero_point, axis=axis)
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
        self._model.buffers.append(buffer)
        self._graph.tensors[index].buffer = len(self._model.buffers) - 1
        return index

    def operator(
        self,
        name: str,
        inputs: Sequence[int],
        outputs: Sequence[int],
        options: str | None = None,
        *,
        version: int = 1,
        **settings: Any,
    ) -> None:
        """Add an operator; `settings` are the fields of the schema's table `options`."""
        code = schema.OperatorCodeT()
        code.builtinCode = OPERATORS[name]
        code.deprecatedBuiltinCode = min(OPERATORS[name], 127)
        code.version = version
        self._model.operatorCodes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self._model.operatorCodes) - 1
        operator.inputs, operator.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
        if options is not None:
            operator.builtinOptionsType = _OPTIONS[options]
            operator.builtinOptions = getattr(schema, f"{options}T")()
            for field, value in settings.items():
                if not hasattr(operator.builtinOptions, field):
                    raise AttributeError(f"{options} has no field {field}")
                setattr(operator.builtinOptions, field, value)
        self._graph.operators.append(operator)

    def build(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """The file's bytes."""
        self._graph.inputs, self._graph.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
        builder = flatbuffers.Builder(1024)
        builder.Finish(self._model.Pack(builder), b"TFL3")
        return bytes(builder.Output())
