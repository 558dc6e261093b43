"""Random convolutions, dense layers and poolings."""

from __future__ import annotations

import numpy as np

from . import parts
from .builder import ModelBuilder
from .parts import Array, Draw, Made

SAME = 0
ACTIVATIONS = 4
"""None, RELU, RELU_N1_TO_1 and RELU6, by their codes."""


def _extent(window: int, dilation: int) -> int:
    return (window - 1) * dilation + 1


def _slide(size: int, window: int, stride: int, dilation: int, padding: int) -> int:
    """Output size of a sliding window."""
    if padding == SAME:
        return -(-size // stride)
    return (size - _extent(window, dilation)) // stride + 1


def _window(rng: Draw, *, dilated: bool) -> tuple[int, int, int, int, int, int]:
    """Input size, window, stride, dilation, padding and output size along one axis."""
    while True:
        size, window = int(rng.integers(1, 12)), int(rng.integers(1, 5))
        stride, dilation = int(rng.integers(1, 4)), int(rng.integers(1, 4)) if dilated else 1
        padding = int(rng.integers(0, 2))
        if padding == SAME or size >= _extent(window, dilation):
            return size, window, stride, dilation, padding, _slide(size, window, stride, dilation, padding)


def _image(rng: Draw, *, dilated: bool) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Two axes with one padding."""
    while True:
        rows, columns = _window(rng, dilated=dilated), _window(rng, dilated=dilated)
        if rows[4] == columns[4]:
            return rows, columns


def _weights(rng: Draw, shape: tuple[int, ...]) -> Array:
    weights = rng.integers(-127, 128, shape)
    if rng.random() < 0.2:
        weights = rng.choice([-128, 127], shape)
    return weights.astype(np.int8)


def _output_scale(rng: Draw, unit: float, terms: int) -> float:
    """A scale for a sum of `terms` products of codes in `unit`: fitting, or at one end of the shifts."""
    fitting = unit * np.sqrt(terms) * 74 * 74 / 64
    kind = rng.random()
    if kind < 0.1:
        return float(np.float32(unit * 2.0 ** rng.integers(-4, 3)))
    if kind < 0.2:
        return float(np.float32(fitting * 2.0 ** rng.integers(4, 20)))
    return float(np.float32(fitting * np.exp(rng.uniform(-1.5, 1.5))))


def _weighted(
    rng: Draw,
    m: ModelBuilder,
    weights: Array,
    axis: int,
    input_scale: float,
    terms: int,
    *,
    shared: bool,
    bias: bool,
) -> tuple[list[int], float]:
    """Filter and perhaps bias, and the output scale of an operator with weights."""
    channels = weights.shape[axis]
    scales = np.array([parts.scale(rng) for _ in range(1 if shared else channels)], np.float32)
    if rng.random() < 0.1:
        scales = (scales * 2.0 ** rng.integers(-12, 1, len(scales))).astype(np.float32)
    units = np.float32(input_scale) * scales
    operands = [m.constant(weights, scales if len(scales) > 1 else float(scales[0]), axis=axis)]
    if bias:
        reach = int(rng.choice([1 << 8, 1 << 14, 1 << 22]))
        values = rng.integers(-reach, reach + 1, channels).astype(np.int32)
        operands.append(m.constant(values, units if len(units) > 1 else float(units[0])))
    return operands, _output_scale(rng, float(np.median(units)), terms)


def conv_2d(rng: Draw) -> Made:
    m = ModelBuilder()
    rows, columns = _image(rng, dilated=True)
    groups = int(rng.choice([1, 1, 1, 2, 3]))
    depth, channels = int(rng.integers(1, 9)), groups * int(rng.integers(1, 6))
    shape = (int(rng.integers(1, 3)), rows[0], columns[0], groups * depth)
    scale = parts.scale(rng)
    x = m.tensor(shape, scale=scale, zero_point=parts.zero(rng))
    weights = _weights(rng, (channels, rows[1], columns[1], depth))
    terms = rows[1] * columns[1] * depth
    operands, out_scale = _weighted(rng, m, weights, 0, scale, terms, shared=rng.random() < 0.3, bias=True)
    y = m.tensor((shape[0], rows[5], columns[5], channels), scale=out_scale, zero_point=parts.zero(rng))
    m.operator(
        "CONV_2D",
        [x, *operands],
        [y],
        "Conv2DOptions",
        version=3,
        padding=rows[4],
        strideH=rows[2],
        strideW=columns[2],
        dilationHFactor=rows[3],
        dilationWFactor=columns[3],
        fusedActivationFunction=int(rng.integers(ACTIVATIONS)),
    )
    return m.build([x], [y]), (parts.codes(rng, shape),)


def depthwise_conv_2d(rng: Draw) -> Made:
    m = ModelBuilder()
    rows, columns = _image(rng, dilated=True)
    depth, multiplier = int(rng.integers(1, 45)), int(rng.choice([1, 1, 2, 3]))
    shape = (int(rng.integers(1, 3)), rows[0], columns[0], depth)
    scale = parts.scale(rng)
    x = m.tensor(shape, scale=scale, zero_point=parts.zero(rng))
    weights = _weights(rng, (1, rows[1], columns[1], depth * multiplier))
    terms = rows[1] * columns[1]
    operands, out_scale = _weighted(
        rng, m, weights, 3, scale, terms, shared=rng.random() < 0.3, bias=rng.random() < 0.8
    )
    y = m.tensor(
        (shape[0], rows[5], columns[5], depth * multiplier), scale=out_scale, zero_point=parts.zero(rng)
    )
    m.operator(
        "DEPTHWISE_CONV_2D",
        [x, *operands],
        [y],
        "DepthwiseConv2DOptions",
        version=3,
        padding=rows[4],
        strideH=rows[2],
        strideW=columns[2],
        depthMultiplier=multiplier,
        dilationHFactor=rows[3],
        dilationWFactor=columns[3],
        fusedActivationFunction=int(rng.integers(ACTIVATIONS)),
    )
    return m.build([x], [y]), (parts.codes(rng, shape),)


def _fully_connected(rng: Draw, *, shared: bool) -> Made:
    m = ModelBuilder()
    batches, depth, units = int(rng.integers(1, 4)), int(rng.integers(1, 130)), int(rng.integers(1, 20))
    scale = parts.scale(rng)
    x = m.tensor((batches, depth), scale=scale, zero_point=parts.zero(rng))
    weights = _weights(rng, (units, depth))
    operands, out_scale = _weighted(rng, m, weights, 0, scale, depth, shared=shared, bias=rng.random() < 0.8)
    y = m.tensor((batches, units), scale=out_scale, zero_point=parts.zero(rng))
    activation = int(rng.integers(ACTIVATIONS))
    m.operator(
        "FULLY_CONNECTED",
        [x, *operands],
        [y],
        "FullyConnectedOptions",
        version=4,
        fusedActivationFunction=activation,
    )
    return m.build([x], [y]), (parts.codes(rng, (batches, depth)),)


def fully_connected(rng: Draw) -> Made:
    return _fully_connected(rng, shared=True)


def fully_connected_per_channel(rng: Draw) -> Made:
    return _fully_connected(rng, shared=False)


def _pool(rng: Draw, name: str) -> Made:
    m = ModelBuilder()
    rows, columns = _image(rng, dilated=False)
    depth = int(rng.integers(1, 20))
    shape = (int(rng.integers(1, 3)), rows[0], columns[0], depth)
    scale, zero = parts.scale(rng), parts.zero(rng)
    x = m.tensor(shape, scale=scale, zero_point=zero)
    y = m.tensor((shape[0], rows[5], columns[5], depth), scale=scale, zero_point=zero)
    m.operator(
        name,
        [x],
        [y],
        "Pool2DOptions",
        version=2,
        padding=rows[4],
        strideH=rows[2],
        strideW=columns[2],
        filterHeight=rows[1],
        filterWidth=columns[1],
        fusedActivationFunction=int(rng.integers(ACTIVATIONS)),
    )
    return m.build([x], [y]), (parts.codes(rng, shape),)


def average_pool_2d(rng: Draw) -> Made:
    return _pool(rng, "AVERAGE_POOL_2D")


def max_pool_2d(rng: Draw) -> Made:
    return _pool(rng, "MAX_POOL_2D")
