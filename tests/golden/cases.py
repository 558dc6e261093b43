"""Random single-operator models: shapes, strides, paddings, activations, quantization, extremes too.

Every case comes from one seed: `draw(operator, seed)`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .builder import ModelBuilder

Array = NDArray[Any]
Draw = np.random.Generator

SAMPLES = 4
SAME, VALID = 0, 1
NONE, RELU, RELU_N1_TO_1, RELU6 = 0, 1, 2, 3


@dataclass(frozen=True)
class Case:
    """A model, and `SAMPLES` samples for each of its inputs: [SAMPLES, *shape]."""

    operator: str
    seed: int
    model: bytes
    inputs: tuple[Array, ...]


def draw(operator: str, seed: int) -> Case:
    """The case of an operator that a seed stands for."""
    rng = np.random.default_rng([zlib.crc32(operator.encode()), seed])
    model, inputs = GENERATORS[operator](rng)
    return Case(operator, seed, model, inputs)


Made = tuple[bytes, tuple[Array, ...]]


def _codes(rng: Draw, shape: tuple[int, ...], dtype: str = "int8") -> Array:
    """Samples of codes: uniform, the two ends, and one that is mostly at the ends."""
    info = np.iinfo(dtype)
    values = rng.integers(info.min, info.max + 1, (SAMPLES, *shape))
    values[1] = rng.choice([info.min, info.max])
    values[2] = rng.choice([info.min, info.min + 1, 0, info.max - 1, info.max], shape)
    return values.astype(dtype)


def _zero(rng: Draw) -> int:
    """A zero point, often at one end."""
    return int(rng.choice([-128, 127, 0, -1, int(rng.integers(-128, 128))]))


def _scale(rng: Draw, low: float = 1e-3, high: float = 1.0) -> float:
    """A scale, log-uniform; sometimes a power of two, which makes ties."""
    value = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    return float(np.float32(2.0 ** np.round(np.log2(value)) if rng.random() < 0.25 else value))


def _other_scale(rng: Draw, scale: float) -> float:
    """The scale of an output whose input has `scale`: alike, equal, or far away."""
    kind = rng.random()
    if kind < 0.15:
        return scale
    if kind < 0.3:
        return float(np.float32(scale * 2.0 ** rng.integers(-9, 10)))
    return float(np.float32(scale * np.exp(rng.uniform(-2, 2))))


def _dims(rng: Draw, rank: int, most: int = 7) -> tuple[int, ...]:
    return tuple(int(d) for d in rng.integers(1, most + 1, rank))


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
    scales = np.array([_scale(rng) for _ in range(1 if shared else channels)], np.float32)
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
    scale = _scale(rng)
    x = m.tensor(shape, scale=scale, zero_point=_zero(rng))
    weights = _weights(rng, (channels, rows[1], columns[1], depth))
    terms = rows[1] * columns[1] * depth
    operands, out_scale = _weighted(rng, m, weights, 0, scale, terms, shared=rng.random() < 0.3, bias=True)
    y = m.tensor((shape[0], rows[5], columns[5], channels), scale=out_scale, zero_point=_zero(rng))
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
        fusedActivationFunction=int(rng.integers(0, 4)),
    )
    return m.build([x], [y]), (_codes(rng, shape),)


def depthwise_conv_2d(rng: Draw) -> Made:
    m = ModelBuilder()
    rows, columns = _image(rng, dilated=True)
    depth, multiplier = int(rng.integers(1, 45)), int(rng.choice([1, 1, 2, 3]))
    shape = (int(rng.integers(1, 3)), rows[0], columns[0], depth)
    scale = _scale(rng)
    x = m.tensor(shape, scale=scale, zero_point=_zero(rng))
    weights = _weights(rng, (1, rows[1], columns[1], depth * multiplier))
    terms = rows[1] * columns[1]
    operands, out_scale = _weighted(
        rng, m, weights, 3, scale, terms, shared=rng.random() < 0.3, bias=rng.random() < 0.8
    )
    y = m.tensor((shape[0], rows[5], columns[5], depth * multiplier), scale=out_scale, zero_point=_zero(rng))
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
        fusedActivationFunction=int(rng.integers(0, 4)),
    )
    return m.build([x], [y]), (_codes(rng, shape),)


def _fully_connected(rng: Draw, *, shared: bool) -> Made:
    m = ModelBuilder()
    batches, depth, units = int(rng.integers(1, 4)), int(rng.integers(1, 130)), int(rng.integers(1, 20))
    scale = _scale(rng)
    x = m.tensor((batches, depth), scale=scale, zero_point=_zero(rng))
    weights = _weights(rng, (units, depth))
    operands, out_scale = _weighted(rng, m, weights, 0, scale, depth, shared=shared, bias=rng.random() < 0.8)
    y = m.tensor((batches, units), scale=out_scale, zero_point=_zero(rng))
    activation = int(rng.integers(0, 4))
    m.operator(
        "FULLY_CONNECTED",
        [x, *operands],
        [y],
        "FullyConnectedOptions",
        version=4,
        fusedActivationFunction=activation,
    )
    return m.build([x], [y]), (_codes(rng, (batches, depth)),)


def fully_connected(rng: Draw) -> Made:
    return _fully_connected(rng, shared=True)


def fully_connected_per_channel(rng: Draw) -> Made:
    return _fully_connected(rng, shared=False)


def _pool(rng: Draw, name: str) -> Made:
    m = ModelBuilder()
    rows, columns = _image(rng, dilated=False)
    depth = int(rng.integers(1, 20))
    shape = (int(rng.integers(1, 3)), rows[0], columns[0], depth)
    scale, zero = _scale(rng), _zero(rng)
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
        fusedActivationFunction=int(rng.integers(0, 4)),
    )
    return m.build([x], [y]), (_codes(rng, shape),)


def average_pool_2d(rng: Draw) -> Made:
    return _pool(rng, "AVERAGE_POOL_2D")


def max_pool_2d(rng: Draw) -> Made:
    return _pool(rng, "MAX_POOL_2D")


def _reduced(shape: tuple[int, ...], axes: set[int], *, keep: bool) -> tuple[int, ...]:
    if keep:
        return tuple(1 if i in axes else d for i, d in enumerate(shape))
    return tuple(d for i, d in enumerate(shape) if i not in axes)


def _reduce(
    rng: Draw, name: str, shape: tuple[int, ...], axes: list[int], *, keep: bool, rescale: bool
) -> Made:
    m = ModelBuilder()
    scale, zero = _scale(rng), _zero(rng)
    x = m.tensor(shape, scale=scale, zero_point=zero)
    result = _reduced(shape, {a % len(shape) for a in axes}, keep=keep)
    out_scale, out_zero = (_other_scale(rng, scale), _zero(rng)) if rescale else (scale, zero)
    y = m.tensor(result, scale=out_scale, zero_point=out_zero)
    m.operator(
        name, [x, m.constant(np.array(axes, np.int32))], [y], "ReducerOptions", version=2, keepDims=keep
    )
    return m.build([x], [y]), (_codes(rng, shape),)


def _axes(rng: Draw, rank: int) -> list[int]:
    count = int(rng.integers(1, rank + 1))
    chosen = rng.choice(rank, count, replace=False)
    return [int(a) - (rank if rng.random() < 0.2 else 0) for a in chosen]


def mean(rng: Draw) -> Made:
    if rng.random() < 0.5:  # global average pooling, as converters write it
        axes = [1, 2] if rng.random() < 0.8 else [2, 1]
        return _reduce(
            rng, "MEAN", _dims(rng, 4, 9), axes, keep=rng.random() < 0.5, rescale=rng.random() < 0.8
        )
    rank = int(rng.integers(1, 5))
    keep, rescale = rng.random() < 0.5, rng.random() < 0.8
    return _reduce(rng, "MEAN", _dims(rng, rank, 9), _axes(rng, rank), keep=keep, rescale=rescale)


def reduce_max(rng: Draw) -> Made:
    rank = int(rng.integers(1, 5))
    keep = rng.random() < 0.5
    return _reduce(rng, "REDUCE_MAX", _dims(rng, rank), _axes(rng, rank), keep=keep, rescale=False)


def _operands(rng: Draw) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Two shapes: equal, or broadcast against each other."""
    shape = _dims(rng, int(rng.integers(1, 5)))
    if rng.random() < 0.4:
        return shape, shape
    a, b = list(shape), list(shape)
    for i in range(len(shape)):
        which = rng.random()
        if which < 0.3:
            a[i] = 1
        elif which < 0.6:
            b[i] = 1
    cut = int(rng.integers(0, len(shape))) if rng.random() < 0.3 else 0
    return tuple(a), tuple(b[cut:])


def _binary(rng: Draw, name: str, options: str, scales: Callable[[Draw], tuple[float, float, float]]) -> Made:
    m = ModelBuilder()
    shapes = _operands(rng)
    first, second, out = scales(rng)
    a = m.tensor(shapes[0], scale=first, zero_point=_zero(rng))
    constant = rng.random() < 0.2
    codes = _codes(rng, shapes[1])
    zero = _zero(rng)
    b = m.constant(codes[0], second, zero) if constant else m.tensor(shapes[1], scale=second, zero_point=zero)
    y = m.tensor(np.broadcast_shapes(*shapes), scale=out, zero_point=_zero(rng))
    activation = int(rng.integers(0, 4))
    m.operator(name, [a, b], [y], options, version=2, fusedActivationFunction=activation)
    if constant:
        return m.build([a], [y]), (_codes(rng, shapes[0]),)
    return m.build([a, b], [y]), (_codes(rng, shapes[0]), codes)


def _sum_scales(rng: Draw) -> tuple[float, float, float]:
    first = _scale(rng)
    second = _other_scale(rng, first)
    return first, second, _other_scale(rng, max(first, second))


def _product_scales(rng: Draw) -> tuple[float, float, float]:
    first, second = _scale(rng), _scale(rng)
    fitting = first * second * 128
    kind = rng.random()
    spread = 2.0 ** rng.integers(-12, 16) if kind < 0.2 else np.exp(rng.uniform(-2, 2))
    return first, second, float(np.float32(fitting * spread))


def add(rng: Draw) -> Made:
    return _binary(rng, "ADD", "AddOptions", _sum_scales)


def sub(rng: Draw) -> Made:
    return _binary(rng, "SUB", "SubOptions", _sum_scales)


def mul(rng: Draw) -> Made:
    return _binary(rng, "MUL", "MulOptions", _product_scales)


def concatenation(rng: Draw) -> Made:
    m = ModelBuilder()
    shape = _dims(rng, int(rng.integers(1, 5)))
    axis = int(rng.integers(0, len(shape)))
    scale, zero = _scale(rng), _zero(rng)
    shapes = [(*shape[:axis], int(rng.integers(1, 6)), *shape[axis + 1 :]) for _ in range(rng.integers(1, 5))]
    tensors = [m.tensor(s, scale=scale, zero_point=zero) for s in shapes]
    total = (*shape[:axis], sum(s[axis] for s in shapes), *shape[axis + 1 :])
    y = m.tensor(total, scale=scale, zero_point=zero)
    written = axis - len(shape) if rng.random() < 0.3 else axis
    m.operator("CONCATENATION", tensors, [y], "ConcatenationOptions", version=2, axis=written)
    return m.build(tensors, [y]), tuple(_codes(rng, s) for s in shapes)


def _padded(rng: Draw, name: str, options: str, *, with_value: bool) -> Made:
    m = ModelBuilder()
    shape = _dims(rng, int(rng.integers(1, 5)))
    paddings = rng.integers(0, 4, (len(shape), 2)).astype(np.int32 if rng.random() < 0.7 else np.int64)
    scale, zero = _scale(rng), _zero(rng)
    x = m.tensor(shape, scale=scale, zero_point=zero)
    operands = [x, m.constant(paddings)]
    if with_value:
        operands.append(m.constant(rng.integers(-128, 128, (1,)).astype(np.int8), scale, zero))
    result = tuple(int(d + p.sum()) for d, p in zip(shape, paddings, strict=True))
    y = m.tensor(result, scale=scale, zero_point=zero)
    m.operator(name, operands, [y], options, version=2)
    return m.build([x], [y]), (_codes(rng, shape),)


def pad(rng: Draw) -> Made:
    return _padded(rng, "PAD", "PadOptions", with_value=False)


def padv2(rng: Draw) -> Made:
    return _padded(rng, "PADV2", "PadV2Options", with_value=True)


def reshape(rng: Draw) -> Made:
    m = ModelBuilder()
    shape = _dims(rng, int(rng.integers(1, 5)))
    size = int(np.prod(shape))
    first = int(rng.choice([d for d in range(1, size + 1) if size % d == 0]))
    result = (first, size // first)
    wanted = [(first, -1), (-1, size // first), result][int(rng.integers(0, 3))]
    scale, zero = _scale(rng), _zero(rng)
    x = m.tensor(shape, scale=scale, zero_point=zero)
    y = m.tensor(result, scale=scale, zero_point=zero)
    target = m.constant(np.array(wanted, np.int32))
    m.operator("RESHAPE", [x, target], [y], "ReshapeOptions", newShape=np.array(wanted, np.int32))
    return m.build([x], [y]), (_codes(rng, shape),)


def transpose(rng: Draw) -> Made:
    m = ModelBuilder()
    shape = _dims(rng, int(rng.integers(1, 6)), 5)
    order = rng.permutation(len(shape)).astype(np.int32)
    scale, zero = _scale(rng), _zero(rng)
    x = m.tensor(shape, scale=scale, zero_point=zero)
    y = m.tensor([shape[i] for i in order], scale=scale, zero_point=zero)
    m.operator("TRANSPOSE", [x, m.constant(order)], [y], "TransposeOptions", version=2)
    return m.build([x], [y]), (_codes(rng, shape),)


def _unary(
    rng: Draw, name: str, options: str | None, scale: float, out: tuple[float, int], **settings: Any
) -> Made:
    m = ModelBuilder()
    shape = (1, 256)
    x = m.tensor(shape, scale=scale, zero_point=_zero(rng))
    y = m.tensor(shape, scale=out[0], zero_point=out[1])
    m.operator(name, [x], [y], options, version=1, **settings)
    codes = np.tile(np.arange(-128, 128, dtype=np.int8), (SAMPLES, 1, 1))
    return m.build([x], [y]), (codes,)


def softmax(rng: Draw) -> Made:
    m = ModelBuilder()
    shape = (*_dims(rng, int(rng.integers(0, 3)), 5), int(rng.integers(1, 40)))
    beta = float(np.float32(rng.choice([1.0, 1.0, 0.5, 2.0, float(rng.uniform(0.1, 4))])))
    x = m.tensor(shape, scale=_scale(rng, 1e-3, 10), zero_point=_zero(rng))
    y = m.tensor(shape, scale=1 / 256, zero_point=-128)
    m.operator("SOFTMAX", [x], [y], "SoftmaxOptions", version=2, beta=beta)
    return m.build([x], [y]), (_codes(rng, shape),)


def logistic(rng: Draw) -> Made:
    return _unary(rng, "LOGISTIC", None, _scale(rng, 1e-3, 2), (1 / 256, -128))


def tanh(rng: Draw) -> Made:
    return _unary(rng, "TANH", None, _scale(rng, 1e-3, 2), (1 / 128, 0))


def _rectified(rng: Draw, name: str, options: str | None = None, **settings: Any) -> Made:
    scale = _scale(rng)
    return _unary(rng, name, options, scale, (_other_scale(rng, scale), _zero(rng)), **settings)


def relu(rng: Draw) -> Made:
    return _rectified(rng, "RELU")


def relu6(rng: Draw) -> Made:
    return _rectified(rng, "RELU6")


def leaky_relu(rng: Draw) -> Made:
    alpha = float(np.float32(rng.choice([0.01, 0.1, 0.2, 0.3, float(rng.uniform(-1, 1.5))])))
    return _rectified(rng, "LEAKY_RELU", "LeakyReluOptions", alpha=alpha)


def hard_swish(rng: Draw) -> Made:
    scale = _scale(rng, 1e-3, 0.5)
    out = float(np.float32(scale * np.exp(rng.uniform(-2, 2))))
    return _unary(rng, "HARD_SWISH", "HardSwishOptions", scale, (out, _zero(rng)))


def quantize_float(rng: Draw) -> Made:
    m = ModelBuilder()
    shape = _dims(rng, int(rng.integers(1, 5)))
    dtype = str(rng.choice(["int8", "uint8"]))
    scale = _scale(rng)
    x = m.tensor(shape, "float32")
    y = m.tensor(shape, dtype, scale, _zero(rng) + (128 if dtype == "uint8" else 0))
    m.operator("QUANTIZE", [x], [y], "QuantizeOptions", version=1)
    values = rng.normal(0, 100 * scale, (SAMPLES, *shape))
    values[1] = scale * (rng.integers(-300, 300, shape) + 0.5)  # ties
    values[2] *= 1e4
    return m.build([x], [y]), (values.astype(np.float32),)


def requantize(rng: Draw) -> Made:
    m = ModelBuilder()
    dtypes = [str(rng.choice(["int8", "uint8"])) for _ in range(2)]
    offsets = [128 if dtype == "uint8" else 0 for dtype in dtypes]
    scale = _scale(rng)
    zero = _zero(rng)
    same = rng.random() < 0.3
    out_scale, out_zero = (scale, zero) if same else (_other_scale(rng, scale), _zero(rng))
    x = m.tensor((1, 256), dtypes[0], scale, zero + offsets[0])
    y = m.tensor((1, 256), dtypes[1], out_scale, out_zero + offsets[1])
    m.operator("QUANTIZE", [x], [y], "QuantizeOptions", version=2)
    codes = np.tile(np.arange(256, dtype=np.uint8).view(dtypes[0]), (SAMPLES, 1, 1))
    return m.build([x], [y]), (codes,)


def dequantize(rng: Draw) -> Made:
    m = ModelBuilder()
    dtype = str(rng.choice(["int8", "uint8"]))
    x = m.tensor((1, 256), dtype, _scale(rng), _zero(rng) + (128 if dtype == "uint8" else 0))
    y = m.tensor((1, 256), "float32")
    m.operator("DEQUANTIZE", [x], [y], "DequantizeOptions", version=2)
    return m.build([x], [y]), (np.tile(np.arange(256, dtype=np.uint8).view(dtype), (SAMPLES, 1, 1)),)


def _resized(rng: Draw, name: str, options: str) -> Made:
    m = ModelBuilder()
    shape, size = _dims(rng, 4, 9), rng.integers(1, 20, 2).astype(np.int32)
    align, half = [(False, False), (True, False), (False, True)][int(rng.integers(0, 3))]
    scale, zero = _scale(rng), _zero(rng)
    x = m.tensor(shape, scale=scale, zero_point=zero)
    y = m.tensor((shape[0], *size, shape[3]), scale=scale, zero_point=zero)
    m.operator(
        name, [x, m.constant(size)], [y], options, version=3, alignCorners=align, halfPixelCenters=half
    )
    return m.build([x], [y]), (_codes(rng, shape),)


def resize_bilinear(rng: Draw) -> Made:
    return _resized(rng, "RESIZE_BILINEAR", "ResizeBilinearOptions")


def resize_nearest_neighbor(rng: Draw) -> Made:
    return _resized(rng, "RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighborOptions")


def tile(rng: Draw) -> Made:
    m = ModelBuilder()
    shape = _dims(rng, int(rng.integers(1, 5)), 5)
    times = rng.integers(1, 4, len(shape)).astype(np.int32)
    scale, zero = _scale(rng), _zero(rng)
    x = m.tensor(shape, scale=scale, zero_point=zero)
    y = m.tensor([int(d * t) for d, t in zip(shape, times, strict=True)], scale=scale, zero_point=zero)
    m.operator("TILE", [x, m.constant(times)], [y], "TileOptions")
    return m.build([x], [y]), (_codes(rng, shape),)


def strided_slice(rng: Draw) -> Made:
    m = ModelBuilder()
    shape = _dims(rng, int(rng.integers(1, 5)), 9)
    while True:
        masks = [int(rng.integers(0, 1 << len(shape))) if rng.random() < 0.5 else 0 for _ in range(3)]
        begin = rng.integers(-9, 9, len(shape)).astype(np.int32)
        end = rng.integers(-10, 11, len(shape)).astype(np.int32)
        stride = rng.choice([1, 1, 1, 2, 3, -1, -2], len(shape)).astype(np.int32)
        index: list[slice | int] = []
        fits = True
        for i, dim in enumerate(shape):
            if masks[2] >> i & 1:
                fits = fits and -dim <= begin[i] < dim and stride[i] == 1
                index.append(int(begin[i]))
            else:
                low = None if masks[0] >> i & 1 else int(begin[i])
                high = None if masks[1] >> i & 1 else int(end[i])
                index.append(slice(low, high, int(stride[i])))
        if fits and np.empty(shape)[tuple(index)].size:
            break
    scale, zero = _scale(rng), _zero(rng)
    x = m.tensor(shape, scale=scale, zero_point=zero)
    y = m.tensor(np.empty(shape)[tuple(index)].shape, scale=scale, zero_point=zero)
    operands = [x, *(m.constant(a) for a in (begin, end, stride))]
    names = ("beginMask", "endMask", "shrinkAxisMask")
    m.operator(
        "STRIDED_SLICE",
        operands,
        [y],
        "StridedSliceOptions",
        version=2,
        **dict(zip(names, masks, strict=True)),
    )
    return m.build([x], [y]), (_codes(rng, shape),)


def pack(rng: Draw) -> Made:
    m = ModelBuilder()
    shape = _dims(rng, int(rng.integers(0, 4)))
    count, axis = int(rng.integers(1, 5)), int(rng.integers(0, len(shape) + 1))
    scale, zero = _scale(rng), _zero(rng)
    tensors = [m.tensor(shape, scale=scale, zero_point=zero) for _ in range(count)]
    y = m.tensor((*shape[:axis], count, *shape[axis:]), scale=scale, zero_point=zero)
    m.operator("PACK", tensors, [y], "PackOptions", version=2, valuesCount=count, axis=axis)
    return m.build(tensors, [y]), tuple(_codes(rng, shape) for _ in range(count))


def shape_plumbing(rng: Draw) -> Made:
    """SHAPE, STRIDED_SLICE and PACK of integers, feeding a RESHAPE, as converters leave them."""
    m = ModelBuilder()
    shape = _dims(rng, 4)
    scale, zero = _scale(rng), _zero(rng)
    x = m.tensor(shape, scale=scale, zero_point=zero)
    sizes, first, target = m.tensor((4,), "int32"), m.tensor((), "int32"), m.tensor((2,), "int32")
    m.operator("SHAPE", [x], [sizes], "ShapeOptions", outType=2)
    ends = [m.constant(np.array([v], np.int32)) for v in (0, 1, 1)]
    m.operator("STRIDED_SLICE", [sizes, *ends], [first], "StridedSliceOptions", shrinkAxisMask=1)
    rest = m.constant(np.array(int(np.prod(shape[1:])), np.int32))
    m.operator("PACK", [first, rest], [target], "PackOptions", valuesCount=2, axis=0)
    y = m.tensor((shape[0], int(np.prod(shape[1:]))), scale=scale, zero_point=zero)
    m.operator("RESHAPE", [x, target], [y], "ReshapeOptions")
    return m.build([x], [y, target]), (_codes(rng, shape),)


GENERATORS: dict[str, Callable[[Draw], Made]] = {
    f.__name__: f
    for f in (
        conv_2d,
        depthwise_conv_2d,
        fully_connected,
        fully_connected_per_channel,
        average_pool_2d,
        max_pool_2d,
        mean,
        reduce_max,
        add,
        sub,
        mul,
        concatenation,
        pad,
        padv2,
        reshape,
        transpose,
        softmax,
        logistic,
        tanh,
        relu,
        relu6,
        leaky_relu,
        hard_swish,
        quantize_float,
        requantize,
        dequantize,
        resize_bilinear,
        resize_nearest_neighbor,
        tile,
        strided_slice,
        pack,
        shape_plumbing,
    )
}
