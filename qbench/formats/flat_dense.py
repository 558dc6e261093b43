"""Dense layers as TensorFlow 2.18's kernels compute them right: with an output of two dimensions."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from qbench.errors import UserError
from qbench.formats.tflite_file import has_external_constants, pack_tflite, parse_tflite

_RANK = 2


@lru_cache(maxsize=4)
def with_flat_dense(content: bytes) -> bytes:
    """The file with a RESHAPE behind each dense layer of one scale a unit whose output has more dimensions.

    TensorFlow 2.18's reference kernel takes the second dimension of such an output for its units, and leaves
    most elements as the memory was. Tensors keep their indices; a file without such layers, a damaged one, or
    one with constants behind the flatbuffer comes back as it is.
    """
    try:
        model = parse_tflite(content)
    except UserError:
        return content
    if has_external_constants(model):
        return content
    found = False
    for graph in model.subgraphs or ():
        wrong = [i for i, each in enumerate(graph.operators or ()) if _is_misread(model, graph, each)]
        for index in reversed(wrong):
            _flatten(model, graph, index)
        found = found or bool(wrong)
    return pack_tflite(model) if found else content


def _is_misread(model: Any, graph: Any, operator: Any) -> bool:
    from ai_edge_litert import schema_py_generated as schema

    code = model.operatorCodes[operator.opcodeIndex]
    dense = max(code.builtinCode, code.deprecatedBuiltinCode) == schema.BuiltinOperator.FULLY_CONNECTED
    if not dense or not getattr(operator.builtinOptions, "keepNumDims", False):
        return False
    if operator.inputs is None or len(operator.inputs) < _RANK or operator.outputs is None:
        return False
    ends = (int(operator.inputs[1]), int(operator.outputs[0]))
    if not all(0 <= index < len(graph.tensors) for index in ends):
        return False
    weights, output = (graph.tensors[index] for index in ends)
    scales = None if weights.quantization is None else weights.quantization.scale
    whole = output.shape is not None and len(output.shape) > _RANK and min(output.shape) > 0
    return bool(scales is not None and np.size(scales) > 1 and whole)


def _flatten(model: Any, graph: Any, index: int) -> None:
    """Let operator `index` write a new tensor of two dimensions, and a RESHAPE behind it the old one."""
    from ai_edge_litert import schema_py_generated as schema

    dense = graph.operators[index]
    old = int(dense.outputs[0])
    output = graph.tensors[old]
    units = int(output.shape[-1])
    flat = schema.TensorT()
    flat.type, flat.name, flat.buffer = output.type, f"{index} flat", 0
    flat.quantization = output.quantization
    flat.shape = np.array([int(np.prod(output.shape[:-1])), units], np.int32)
    shape = schema.TensorT()
    shape.type, shape.name, shape.shape = schema.TensorType.INT32, f"{index} shape", [len(output.shape)]
    shape.buffer = len(model.buffers)
    buffer = schema.BufferT()
    stated = np.array([-1, *output.shape[1:]], "<i4")  # whatever batch is asked for
    buffer.data = np.frombuffer(stated.tobytes(), np.uint8)
    model.buffers.append(buffer)
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.RESHAPE
    code.version = 1
    model.operatorCodes.append(code)
    reshape = schema.OperatorT()
    reshape.opcodeIndex = len(model.operatorCodes) - 1
    first = len(graph.tensors)
    graph.tensors.extend([flat, shape])
    dense.outputs = np.array([first], np.int32)
    dense.builtinOptions.keepNumDims = False
    reshape.inputs, reshape.outputs = np.array([first, first + 1], np.int32), np.array([old], np.int32)
    graph.operators.insert(index + 1, reshape)
