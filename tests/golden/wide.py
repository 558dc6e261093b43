"""The random models with 16-bit activations: those of 8 bits, their activations widened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flatbuffers
import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

from . import parts
from .builder import ModelBuilder
from .parts import Array, Draw, Made

FINER = 256
"""How many codes of 16 bits stand for one of 8."""

_WEIGHTED = {
    schema.BuiltinOperator.CONV_2D,
    schema.BuiltinOperator.DEPTHWISE_CONV_2D,
    schema.BuiltinOperator.FULLY_CONNECTED,
}
_OF_UNIT_SCALE = {
    schema.BuiltinOperator.SOFTMAX,
    schema.BuiltinOperator.LOGISTIC,
    schema.BuiltinOperator.TANH,
}
_UNIT = 1 / 32768
_FINEST = 1e-6
"""Of an output before it is widened; at a much finer scale TFLite cannot state a 6 in 32 bits."""


def widen(made: Made, rng: Draw) -> Made:
    """The same model on int16: scales a 256th, zero points 0, biases of 64 bits, or of 32 where asked.

    Constants of weights stay int8. uint8 stays. Its samples are drawn anew.
    """
    content, samples = made
    model = schema.ModelT.InitFromPackedBuf(content)
    graph = model.subgraphs[0]
    for operator in graph.operators:
        _adapt_operator(model, operator, rng)
    weights = _weights(model)
    for index, tensor in enumerate(graph.tensors):
        if tensor.type == schema.TensorType.INT8 and index not in weights:
            _widen_tensor(model, tensor, rng)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    types = [graph.tensors[i].type for i in graph.inputs]
    drawn = tuple(_samples(t, x, rng) for t, x in zip(types, samples, strict=True))
    return bytes(builder.Output()), drawn


def _weights(model: Any) -> set[int]:
    return {
        int(operator.inputs[1])
        for operator in model.subgraphs[0].operators
        if model.operatorCodes[operator.opcodeIndex].builtinCode in _WEIGHTED
    }


def _samples(kind: int, samples: Array, rng: Draw) -> Array:
    """Codes of 16 bits; of other types what there was."""
    if kind != schema.TensorType.INT16:
        return samples
    drawn = parts.codes(rng, samples.shape[1:], "int16")
    drawn[3] = (drawn[3] * float(np.exp(rng.uniform(-8, 0)))).astype(np.int16)  # few are far from 0
    return drawn


def _widen_tensor(model: Any, tensor: Any, rng: Draw) -> None:
    tensor.type = schema.TensorType.INT16
    _divide_scales(tensor)
    tensor.quantization.zeroPoint = np.zeros(len(tensor.quantization.scale), np.int64)
    buffer = model.buffers[tensor.buffer]
    if buffer.data is not None:
        drawn = parts.codes(rng, tuple(tensor.shape), "int16")[0]
        buffer.data = np.frombuffer(drawn.tobytes(), np.uint8)


def _divide_scales(tensor: Any) -> None:
    if tensor.quantization is None:
        return
    tensor.quantization.scale = (np.asarray(tensor.quantization.scale, np.float32) / FINER).astype(np.float32)


def _adapt_operator(model: Any, operator: Any, rng: Draw) -> None:
    """The options, version, bias and output scale that the operator has with 16 bits."""
    code = model.operatorCodes[operator.opcodeIndex]
    tensors, options = model.subgraphs[0].tensors, operator.builtinOptions
    if hasattr(options, "potScaleInt16"):
        options.potScaleInt16 = False
    if code.builtinCode in _OF_UNIT_SCALE:
        tensors[operator.outputs[0]].quantization.scale = np.array([_UNIT * FINER], np.float32)
    if code.builtinCode not in _WEIGHTED:
        return
    ends = [tensors[i].quantization for i in (*operator.inputs[:2], *operator.outputs)]
    _bound_multiplier(*ends, most=min(100, 256 / _terms(tensors[operator.inputs[1]])))
    if len(operator.inputs) < 3:
        return
    bias = tensors[operator.inputs[2]]
    _divide_scales(bias)
    buffer = model.buffers[bias.buffer]
    values = np.frombuffer(bytes(buffer.data), np.int32)
    if hasattr(options, "quantizedBiasType") and rng.random() < 0.3:
        options.quantizedBiasType = schema.TensorType.INT32
        _keep_in_32_bits(model, operator)
        _bound_multiplier(*ends, most=0.9)
    else:
        bias.type = schema.TensorType.INT64
        wide = values.astype(np.int64) * int(rng.choice([1, FINER]))
        buffer.data = np.frombuffer(wide.tobytes(), np.uint8)


def _bound_multiplier(of_input: Any, of_weights: Any, of_output: Any, *, most: float) -> None:
    """Coarsen the output's scale until no multiplier is above `most`.

    TFLite takes none of 128 or more for a sum of 64 bits, and what a product leaves of 32 is undefined.
    """
    least = float(of_input.scale[0]) * float(np.max(of_weights.scale)) / most
    of_output.scale = np.maximum(np.asarray(of_output.scale, np.float32), np.float32(max(least, _FINEST)))


def _terms(weights: Any) -> int:
    """Products that make a sum, at most."""
    return max(1, int(np.prod(weights.shape)) // int(weights.shape[0]))


def _keep_in_32_bits(model: Any, operator: Any) -> None:
    """Scale weights down so that no sum of products with 16 bits leaves 32: there TFLite's is undefined."""
    tensor = model.subgraphs[0].tensors[operator.inputs[1]]
    buffer = model.buffers[tensor.buffer]
    weights = np.frombuffer(bytes(buffer.data), np.int8).astype(np.int64)
    most = max(1, min(127, (1 << 30) // (32768 * _terms(tensor))))
    buffer.data = np.clip(weights, -most, most).astype(np.int8).view(np.uint8)


def requantize(rng: Draw) -> Made:
    """QUANTIZE from int16; TensorFlow's reference has none to int16 from int8."""
    m = ModelBuilder()
    dtypes = ("int16", str(rng.choice(["int16", "int8"])))
    scale = parts.scale(rng)
    ends = []
    for dtype, real in zip(dtypes, (scale, parts.other_scale(rng, scale)), strict=True):
        finer = FINER if dtype == "int16" else 1
        zero = parts.zero(rng) if dtype == "int8" else 0
        ends.append(m.tensor((1, 256), dtype, real / finer, zero))
    m.operator("QUANTIZE", ends[:1], ends[1:], "QuantizeOptions", version=2)
    return m.build(ends[:1], ends[1:]), (parts.codes(rng, (1, 256), dtypes[0]),)


def widened(generator: Callable[[Draw], Made]) -> Callable[[Draw], Made]:
    """The generator of the same models on int16."""
    return lambda rng: widen(generator(rng), rng)
