"""Random reductions, sums, products, activations and changes of scale."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import parts
from .builder import ModelBuilder
from .parts import SAMPLES, Draw, Made


def _reduced(shape: tuple[int, ...], axes: set[int], *, keep: bool) -> tuple[int, ...]:
    if keep:
        return tuple(1 if i in axes else d for i, d in enumerate(shape))
    return tuple(d for i, d in enumerate(shape) if i not in axes)


def _reduce(
    rng: Draw, name: str, shape: tuple[int, ...], axes: list[int], *, keep: bool, rescale: bool
) -> Made:
    m = ModelBuilder()
    scale, zero = parts.scale(rng), parts.zero(rng)
    x = m.tensor(shape, scale=scale, zero_point=zero)
    result = _reduced(shape, {a % len(shape) for a in axes}, keep=keep)
    out_scale, out_zero = (parts.other_scale(rng, scale), parts.zero(rng)) if rescale else (scale, zero)
    y = m.tensor(result, scale=out_scale, zero_point=out_zero)
    m.operator(
        name, [x, m.constant(np.array(axes, np.int32))], [y], "ReducerOptions", version=2, keepDims=keep
    )
    return m.build([x], [y]), (parts.codes(rng, shape),)


def _axes(rng: Draw, rank: int) -> list[int]:
    count = int(rng.integers(1, rank + 1))
    chosen = rng.choice(rank, count, replace=False)
    return [int(a) - (rank if rng.random() < 0.2 else 0) for a in chosen]


def mean(rng: Draw) -> Made:
    if rng.random() < 0.5:  # global average pooling, as converters write it
        axes = [1, 2] if rng.random() < 0.8 else [2, 1]
        return _reduce(
            rng, "MEAN", parts.dims(rng, 4, 9), axes, keep=rng.random() < 0.5, rescale=rng.random() < 0.8
        )
    rank = int(rng.integers(1, 5))
    keep, rescale = rng.random() < 0.5, rng.random() < 0.8
    return _reduce(rng, "MEAN", parts.dims(rng, rank, 9), _axes(rng, rank), keep=keep, rescale=rescale)


def reduce_max(rng: Draw) -> Made:
    rank = int(rng.integers(1, 5))
    keep = rng.random() < 0.5
    return _reduce(rng, "REDUCE_MAX", parts.dims(rng, rank), _axes(rng, rank), keep=keep, rescale=False)


def _operands(rng: Draw) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Two shapes: equal, or broadcast against each other."""
    shape = parts.dims(rng, int(rng.integers(1, 5)))
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
    a = m.tensor(shapes[0], scale=first, zero_point=parts.zero(rng))
    constant = rng.random() < 0.2
    codes = parts.codes(rng, shapes[1])
    zero = parts.zero(rng)
    b = m.constant(codes[0], second, zero) if constant else m.tensor(shapes[1], scale=second, zero_point=zero)
    y = m.tensor(np.broadcast_shapes(*shapes), scale=out, zero_point=parts.zero(rng))
    activation = int(rng.integers(0, 4))
    m.operator(name, [a, b], [y], options, version=2, fusedActivationFunction=activation)
    if constant:
        return m.build([a], [y]), (parts.codes(rng, shapes[0]),)
    return m.build([a, b], [y]), (parts.codes(rng, shapes[0]), codes)


def _sum_scales(rng: Draw) -> tuple[float, float, float]:
    first = parts.scale(rng)
    second = parts.other_scale(rng, first)
    return first, second, parts.other_scale(rng, max(first, second))


def _product_scales(rng: Draw) -> tuple[float, float, float]:
    first, second = parts.scale(rng), parts.scale(rng)
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


def _extremum(rng: Draw, name: str) -> Made:
    m = ModelBuilder()
    shapes = _operands(rng)
    scale, zero = parts.scale(rng), parts.zero(rng)
    codes = [parts.codes(rng, shape) for shape in shapes]
    constant = rng.random() < 0.2
    a = m.tensor(shapes[0], scale=scale, zero_point=zero)
    b = (
        m.constant(codes[1][0], scale, zero)
        if constant
        else m.tensor(shapes[1], scale=scale, zero_point=zero)
    )
    y = m.tensor(np.broadcast_shapes(*shapes), scale=scale, zero_point=zero)
    m.operator(name, [a, b], [y], "MaximumMinimumOptions", version=2)
    data = 1 if constant else 2
    return m.build([a, b][:data], [y]), tuple(codes[:data])


def maximum(rng: Draw) -> Made:
    return _extremum(rng, "MAXIMUM")


def minimum(rng: Draw) -> Made:
    return _extremum(rng, "MINIMUM")


def _unary(
    rng: Draw, name: str, options: str | None, scale: float, out: tuple[float, int], **settings: Any
) -> Made:
    m = ModelBuilder()
    shape = (1, 256)
    x = m.tensor(shape, scale=scale, zero_point=parts.zero(rng))
    y = m.tensor(shape, scale=out[0], zero_point=out[1])
    m.operator(name, [x], [y], options, version=1, **settings)
    codes = np.tile(np.arange(-128, 128, dtype=np.int8), (SAMPLES, 1, 1))
    return m.build([x], [y]), (codes,)


def softmax(rng: Draw) -> Made:
    m = ModelBuilder()
    shape = (*parts.dims(rng, int(rng.integers(0, 3)), 5), int(rng.integers(1, 40)))
    beta = float(np.float32(rng.choice([1.0, 1.0, 0.5, 2.0, float(rng.uniform(0.1, 4))])))
    x = m.tensor(shape, scale=parts.scale(rng, 1e-3, 10), zero_point=parts.zero(rng))
    y = m.tensor(shape, scale=1 / 256, zero_point=-128)
    m.operator("SOFTMAX", [x], [y], "SoftmaxOptions", version=2, beta=beta)
    return m.build([x], [y]), (parts.codes(rng, shape),)


def logistic(rng: Draw) -> Made:
    return _unary(rng, "LOGISTIC", None, parts.scale(rng, 1e-3, 2), (1 / 256, -128))


def tanh(rng: Draw) -> Made:
    return _unary(rng, "TANH", None, parts.scale(rng, 1e-3, 2), (1 / 128, 0))


def _rectified(rng: Draw, name: str, options: str | None = None, **settings: Any) -> Made:
    scale = parts.scale(rng)
    return _unary(rng, name, options, scale, (parts.other_scale(rng, scale), parts.zero(rng)), **settings)


def relu(rng: Draw) -> Made:
    return _rectified(rng, "RELU")


def relu6(rng: Draw) -> Made:
    return _rectified(rng, "RELU6")


def leaky_relu(rng: Draw) -> Made:
    alpha = float(np.float32(rng.choice([0.01, 0.1, 0.2, 0.3, float(rng.uniform(-1, 1.5))])))
    return _rectified(rng, "LEAKY_RELU", "LeakyReluOptions", alpha=alpha)


def hard_swish(rng: Draw) -> Made:
    scale = parts.scale(rng, 1e-3, 0.5)
    out = float(np.float32(scale * np.exp(rng.uniform(-2, 2))))
    return _unary(rng, "HARD_SWISH", "HardSwishOptions", scale, (out, parts.zero(rng)))


def quantize_float(rng: Draw) -> Made:
    m = ModelBuilder()
    shape = parts.dims(rng, int(rng.integers(1, 5)))
    dtype = str(rng.choice(["int8", "uint8"]))
    scale = parts.scale(rng)
    x = m.tensor(shape, "float32")
    y = m.tensor(shape, dtype, scale, parts.zero(rng) + (128 if dtype == "uint8" else 0))
    m.operator("QUANTIZE", [x], [y], "QuantizeOptions", version=1)
    values = rng.normal(0, 100 * scale, (SAMPLES, *shape))
    values[1] = scale * (rng.integers(-300, 300, shape) + 0.5)  # ties
    values[2] *= 1e4
    return m.build([x], [y]), (values.astype(np.float32),)


def requantize(rng: Draw) -> Made:
    m = ModelBuilder()
    dtypes = [str(rng.choice(["int8", "uint8"])) for _ in range(2)]
    offsets = [128 if dtype == "uint8" else 0 for dtype in dtypes]
    scale = parts.scale(rng)
    zero = parts.zero(rng)
    same = rng.random() < 0.3
    out_scale, out_zero = (scale, zero) if same else (parts.other_scale(rng, scale), parts.zero(rng))
    x = m.tensor((1, 256), dtypes[0], scale, zero + offsets[0])
    y = m.tensor((1, 256), dtypes[1], out_scale, out_zero + offsets[1])
    m.operator("QUANTIZE", [x], [y], "QuantizeOptions", version=2)
    codes = np.tile(np.arange(256, dtype=np.uint8).view(dtypes[0]), (SAMPLES, 1, 1))
    return m.build([x], [y]), (codes,)


def dequantize(rng: Draw) -> Made:
    m = ModelBuilder()
    dtype = str(rng.choice(["int8", "uint8"]))
    x = m.tensor((1, 256), dtype, parts.scale(rng), parts.zero(rng) + (128 if dtype == "uint8" else 0))
    y = m.tensor((1, 256), "float32")
    m.operator("DEQUANTIZE", [x], [y], "DequantizeOptions", version=2)
    return m.build([x], [y]), (np.tile(np.arange(256, dtype=np.uint8).view(dtype), (SAMPLES, 1, 1)),)
