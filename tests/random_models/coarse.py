"""Models whose int8 constants hold few levels, as those of low-bit networks do."""

from __future__ import annotations

import flatbuffers
import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

from .builder import ModelBuilder
from .parts import Array, Draw

_SAME, _RELU = 0, 1


def levels(bits: int) -> Array:
    """[2^bits] int8: the odd integers of DoReFa's weights, as far apart as int8 lets them be."""
    highest = 2**bits - 1
    return (np.arange(-highest, highest + 1, 2) * (127 // highest)).astype(np.int8)


def coarse(model: bytes, bits: int, seed: int = 0) -> bytes:
    """A model with every element of its int8 constants drawn from 2^bits levels."""
    rng = np.random.default_rng([bits, seed])
    unpacked = schema.ModelT.InitFromPackedBuf(model)
    for tensor in unpacked.subgraphs[0].tensors:
        buffer = unpacked.buffers[tensor.buffer]
        if tensor.type == schema.TensorType.INT8 and buffer.data is not None:
            buffer.data = rng.choice(levels(bits), len(buffer.data)).view(np.uint8)
    builder = flatbuffers.Builder(1024)
    builder.Finish(unpacked.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def network(bits: int, seed: int = 0) -> bytes:
    """A small network: [1, 8, 8, 4] int8 to [1, 10] int8.

    Two of its convolutions share their weights, with a depthwise one between them; the zero point of its
    dense layer's weights is not 0; and a constant of few levels is added to the result.
    """
    rng = np.random.default_rng([bits, seed])
    m = ModelBuilder()
    image = m.tensor((1, 8, 8, 4), scale=0.02)
    a, b, c = (m.tensor((1, 8, 8, 4), scale=0.1, zero_point=-3) for _ in range(3))
    flat = m.tensor((1, 256), scale=0.1, zero_point=-3)
    dense, result = m.tensor((1, 10), scale=0.4), m.tensor((1, 10), scale=0.5, zero_point=4)
    shared = m.constant(_draw(rng, bits, (4, 3, 3, 4)), 0.003)
    padding = {"padding": _SAME, "fusedActivationFunction": _RELU}
    steps = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
    m.operator(
        "CONV_2D", [image, shared, _bias(m, rng, 4)], [a], "Conv2DOptions", version=3, **padding, **steps
    )
    depthwise = m.constant(_draw(rng, bits, (1, 3, 3, 4)), rng.uniform(0.002, 0.01, 4), axis=3)
    m.operator(
        *("DEPTHWISE_CONV_2D", [a, depthwise, _bias(m, rng, 4)], [b], "DepthwiseConv2DOptions"),
        **{"version": 3, "depthMultiplier": 1, **padding, **steps},
    )
    m.operator("CONV_2D", [b, shared, _bias(m, rng, 4)], [c], "Conv2DOptions", version=3, **padding, **steps)
    m.operator("RESHAPE", [c, m.constant(np.array([1, 256], np.int32))], [flat], "ReshapeOptions")
    weights = m.constant(_draw(rng, bits, (10, 256)), 0.002, zero_point=5)
    m.operator(
        "FULLY_CONNECTED", [flat, weights, _bias(m, rng, 10)], [dense], "FullyConnectedOptions", version=4
    )
    m.operator(
        "ADD", [dense, m.constant(_draw(rng, bits, (4, 10))[:1], 0.05)], [result], "AddOptions", version=2
    )
    return m.build([image], [result])


def _draw(rng: Draw, bits: int, shape: tuple[int, ...]) -> Array:
    return rng.choice(levels(bits), shape)


def _bias(m: ModelBuilder, rng: Draw, channels: int) -> int:
    return m.constant(rng.integers(-2000, 2000, channels).astype(np.int32))
