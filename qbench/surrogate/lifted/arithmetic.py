"""ADD, SUB, MUL, MAXIMUM and MINIMUM, broadcast; and the changes of scale, QUANTIZE and DEQUANTIZE."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qbench.surrogate.lifted.fixed_point import FLOAT32_EXACT, Scale, rescale
from qbench.surrogate.lifted.node import Lowered, Node, as_float
from qbench.surrogate.lifted.reader import CODES, GraphTensor
from qbench.surrogate.lifted.tables import requantize

if TYPE_CHECKING:
    import tensorflow as tf

_HEADROOM = {"int8": 20, "int16": 15}
"""Bits that TFLite shifts the operands of a sum to the left."""


def add(node: Node) -> Lowered:
    """ADD."""
    return _sum(node, 1)


def sub(node: Node) -> Lowered:
    """SUB."""
    return _sum(node, -1)


def _sum(node: Node, sign: int) -> Lowered:
    """A + sign * b: both operands brought to twice the larger scale, added, and requantized."""
    a, b, y = node.input(0), node.input(1), node.output
    node.require_int8_or_int16(a, b, y)
    node.require(y.dtype == "int8" or not _is_by_powers_of_two(node), "its 16-bit sum is without rescaling")
    headroom = _HEADROOM[y.dtype]
    twice = 2.0 * float(max(a.scale, b.scale))
    output = twice / (float(y.scale) * (1 << headroom))
    node.require(0 < output < 1, "the output's scale is too small for those of the inputs")
    first, second = Scale.of(float(a.scale) / twice), Scale.of(float(b.scale) / twice)
    scales = first, second if sign > 0 else second.negate()
    bound, clamp = max(a.reach, b.reach) << headroom, node.clamp()
    units = np.float32(float(a.scale) / float(y.scale)), np.float32(sign * float(b.scale) / float(y.scale))

    def exact(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
        wide = (_widen(x, scale, bound, headroom) for x, scale in zip((a, b), scales, strict=True))
        return as_float(rescale(sum(wide), Scale.of(output), bound, clamped_at_zero=clamp.low >= 0))

    def real(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
        return a * units[0] + b * units[1]

    return node.integer_operator(exact, real, clamp)


def _is_by_powers_of_two(node: Node) -> bool:
    """Whether TFLite adds int16 in its older way: the option allows it and all scales are powers of two."""
    scales = [float(tensor.scale) for tensor in (node.input(0), node.input(1), node.output)]
    return bool(node.option("potScaleInt16")) and all(np.log2(scale) % 1 == 0 for scale in scales)


def _widen(x: tf.Tensor, scale: Scale, bound: int, headroom: int) -> tf.Tensor:
    """An operand of a sum, brought to the common scale with all its headroom; int64."""
    import tensorflow as tf

    if abs(scale.real[0]) == 0.5:  # the one with the larger scale: nothing to round
        return tf.cast(x, tf.int64) * int(scale.real[0] * (1 << headroom))
    return rescale(x * np.float32(1 << headroom), scale, bound)


def mul(node: Node) -> Lowered:
    """MUL; the product of the scales is taken in single precision, as TFLite does."""
    import tensorflow as tf

    a, b, y = node.input(0), node.input(1), node.output
    node.require_int8_or_int16(a, b, y)
    scale = Scale.of(np.float64(a.scale * b.scale / y.scale))
    unit = np.float32(scale.real[0])
    bound = a.reach * b.reach
    dtype = np.float32 if bound <= FLOAT32_EXACT else np.float64

    def exact(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
        return as_float(rescale(tf.cast(a, dtype) * tf.cast(b, dtype), scale, bound))

    def real(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
        return a * b * unit

    return node.integer_operator(exact, real, node.clamp())


def maximum(node: Node) -> Lowered:
    """MAXIMUM of codes of one scale; the gradient goes to the operand that is chosen."""
    import tensorflow as tf

    _require_extremum(node)
    return lambda a, b: tf.maximum(a, b)


def minimum(node: Node) -> Lowered:
    """MINIMUM, as MAXIMUM."""
    import tensorflow as tf

    _require_extremum(node)
    return lambda a, b: tf.minimum(a, b)


def _require_extremum(node: Node) -> None:
    operands = node.input(0), node.input(1)
    node.require_codes(*operands, node.output)
    node.require_same_grid(*operands)


def quantize(node: Node) -> Lowered:
    """QUANTIZE: float32 to codes, or codes to those of another scale."""
    x, y = node.input(0), node.output
    node.require(y.dtype in CODES and y.quantized, f"its output is {y.dtype}, not int8, uint8 or int16")
    if x.dtype != "float32":
        return requantize(node)
    return node.integer_operator(
        lambda x: nearest_code(x, y), lambda x: x / y.scale, node.clamp(activation=0)
    )


def nearest_code(x: tf.Tensor, tensor: GraphTensor) -> tf.Tensor:
    """X / scale, to nearest, ties away from zero, as C's `roundf`; before any clamp."""
    import tensorflow as tf

    steps = x / tensor.scale
    whole = tf.where(steps < 0, tf.math.ceil(steps), tf.floor(steps))
    return whole + tf.where(tf.abs(steps - whole) >= 0.5, tf.sign(steps), 0.0)


def dequantize(node: Node) -> Lowered:
    """DEQUANTIZE."""
    x = node.input(0)
    node.require(x.dtype in CODES and x.quantized, f"its input is {x.dtype}, not int8, uint8 or int16")
    return lambda codes: codes * x.scale
