"""SOFTMAX in the fixed point of TFLite's reference kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qbench.surrogate.lifted import wide
from qbench.surrogate.lifted.fixed_point import Scale, round_shift
from qbench.surrogate.lifted.node import Lowered, Node, as_float

if TYPE_CHECKING:
    import tensorflow as tf

_INTEGER_BITS = 5
"""Of the exponent."""
_SUM_BITS = 12
"""Integer bits of the sum of exponentials."""
_ONE = (1 << 31) - 1
_MOST_CLASSES = 4095

# exp(-2^k) for k = -2 to 4, and exp(-1/8), in units of 2^-31.
_EXPONENTIALS = tuple(round(np.exp(-(2.0**k)) * 2**31) for k in range(-2, 5))
_EXP_MINUS_EIGHTH = round(np.exp(-0.125) * 2**31)
_THIRD = round(2**31 / 3)


def softmax(node: Node) -> Lowered:
    """SOFTMAX over the last dimension, to codes of scale 1/256, or 1/32768 of int16."""
    import tensorflow as tf

    x, y = node.input(0), node.output
    node.require_int8_or_int16(x, y)
    if x.dtype == "int16":
        return wide.softmax(node)
    node.require(float(y.scale) * 256 == 1 and y.zero_point == -128, "its output is not of scale 1/256")
    node.require(x.shape[-1] <= _MOST_CLASSES, f"it has more than {_MOST_CLASSES} classes")
    unit = float(node.option("beta")) * float(x.scale)
    table = _exponentials(unit)

    def exact(x: tf.Tensor) -> tf.Tensor:
        distance = tf.reduce_max(x, -1, keepdims=True) - x
        powers = tf.gather(tf.constant(table), tf.cast(distance, tf.int32))
        total = tf.reduce_sum((powers + (1 << _SUM_BITS >> 1)) // (1 << _SUM_BITS), -1, keepdims=True)
        headroom = 31 - log2(total)
        inverse = _one_over_one_plus(tf.bitwise.left_shift(total, headroom) - (1 << 31))
        shift = _SUM_BITS - headroom + 31 - 8
        half = tf.bitwise.left_shift(tf.ones_like(shift), shift - 1)
        return as_float(tf.bitwise.right_shift(_high_mul(inverse, powers) + half, shift))

    return node.integer_operator(
        exact, lambda x: 256 * tf.nn.softmax(x * np.float32(unit)), node.clamp(activation=0)
    )


def _exponentials(unit: float) -> NDArray[np.int64]:
    """exp(-unit * d) for d = 0 to 255 in units of 2^-31; 0 where it is too small to count."""
    one = 1 << (31 - _INTEGER_BITS)
    scale = Scale.of(min(unit * one, float(_ONE)))
    (mantissa,), (exponent,) = scale.mantissas.tolist(), scale.exponents.tolist()
    radius = int(((1 << _INTEGER_BITS) - 1) * one / (1 << exponent))
    distances = np.arange(256)
    near = np.minimum(distances, radius)
    powers = _exp_negative(_high_mul(-near << exponent, mantissa))
    return np.where(distances <= radius, powers, 0)


def _exp_negative(x: NDArray[np.int64]) -> NDArray[np.int64]:
    """exp(x) for x <= 0 with 5 integer bits: a series below a quarter, times a power for each bit above."""
    quarter = 1 << (31 - _INTEGER_BITS - 2)
    rest = (x & (quarter - 1)) - quarter
    result = _exp_last_quarter(rest << _INTEGER_BITS)
    for k, power in enumerate(_EXPONENTIALS):
        result = np.where((rest - x) & (quarter << k), _high_mul(result, power), result)
    return np.where(x == 0, _ONE, result)


def _exp_last_quarter(x: NDArray[np.int64]) -> NDArray[np.int64]:
    """exp(x) for x in [-1/4, 0): four terms of the series around -1/8."""
    x = x + (1 << 28)
    x2 = _high_mul(x, x)
    x3, x4 = _high_mul(x2, x), _high_mul(x2, x2)
    cubic = _high_mul(round_shift(x4, 2) + x3, _THIRD)
    series = x + round_shift(cubic + x2, 1)
    found: NDArray[np.int64] = _EXP_MINUS_EIGHTH + _high_mul(series, _EXP_MINUS_EIGHTH)
    return found


def _high_mul(a: Any, b: Any) -> Any:
    """A * b / 2^31, to nearest, ties up; int64."""
    return (a * b + (1 << 30)) // (1 << 31)


def log2(x: tf.Tensor) -> tf.Tensor:
    """The place of the highest bit of positive int64 below 2^53: the exponent of the same float64."""
    import tensorflow as tf

    bits = tf.bitcast(tf.cast(x, tf.float64), tf.int64)
    return tf.bitwise.right_shift(bits, tf.constant(52, tf.int64)) - 1023


def _one_over_one_plus(x: tf.Tensor) -> tf.Tensor:
    """1 / (1 + x) for x in [0, 1), in units of 2^-31: three steps of Newton from 48/17 - 32/17 d."""
    half_denominator = (x + _ONE + 1) // 2
    estimate = round(48 / 17 * 2**29) + _high_mul(half_denominator, round(-32 / 17 * 2**29))
    for _ in range(3):
        error = (1 << 29) - _high_mul(half_denominator, estimate)
        estimate += _shift_left(_high_mul(estimate, error), 2)
    return _shift_left(estimate, 1)


def _shift_left(x: tf.Tensor, bits: int) -> tf.Tensor:
    """X * 2^bits, saturated to 32 bits."""
    import tensorflow as tf

    return tf.clip_by_value(x * (1 << bits), -(1 << 31), _ONE)
