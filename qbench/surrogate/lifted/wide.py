"""16-bit activations, where TFLite's reference kernels compute otherwise than with 8.

Sums have 64 bits; LOGISTIC, TANH and SOFTMAX interpolate in tables.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qbench.surrogate.lifted.fixed_point import Scale, rescale
from qbench.surrogate.lifted.node import Lowered, Node, as_float

if TYPE_CHECKING:
    import tensorflow as tf

Codes = NDArray[np.int64]

LARGEST_SUM = 1 << 47
"""No sum of 64 bits that is rescaled may reach it."""
MOST_SHIFT = 7
"""Of a scale for such sums, by its exponent."""

_UNIT = 1 << 15
_LOWEST, _HIGHEST = -_UNIT, _UNIT - 1
_STEP_BITS = 7
"""Of a 16-bit argument between two samples of a table of 512 steps."""
_REACH = 10.0
"""Below the largest score, from where an exponential of SOFTMAX counts as the least."""
_MOST_CLASSES = 65535
# Of the table of the logistic function.
_SAMPLES, _STEPS_A_UNIT, _SIGMOID_UNIT = 256, 24, 1 << 16
_ARGUMENT_UNIT = 3 * 4096


def rescale_wide(sums: tf.Tensor, scale: Scale) -> tf.Tensor:
    """Sums * scale, the multiplier rounded to 16 bits and the product once, to nearest, ties up.

    Args:
        sums: [..., channels] whole numbers below `LARGEST_SUM` in size, of any dtype that holds them.
        scale: for each channel or for all; exponents of at most `MOST_SHIFT`.

    Returns:
        int64, same shape: what 32 bits keep of it.
    """
    import tensorflow as tf

    multipliers = np.minimum((scale.mantissas + (1 << 15)) >> 16, (1 << 15) - 1)
    right = 15 - scale.exponents
    halves = np.left_shift(np.int64(1), right - 1)
    product = tf.cast(sums, tf.int64) * tf.constant(multipliers) + tf.constant(halves)
    shifted = tf.bitwise.right_shift(product, tf.constant(right))
    return tf.cast(tf.cast(shifted, tf.int32), tf.int64)


def logistic_codes(scale: np.float32) -> Callable[[Codes], Codes]:
    """From int16 codes of a scale to those of their logistic function, in units of 1/32768."""

    def function(codes: Codes) -> Codes:
        x = _arguments(codes, scale, most_doublings=0)
        share = _interpolated(np.abs(x), 9, _HIGHEST << 10)
        return (np.where(x >= 0, share + (1 << 9), (1 << 25) - share + (1 << 9) - 1)) >> 10

    return function


def tanh_codes(scale: np.float32) -> Callable[[Codes], Codes]:
    """From int16 codes of a scale to those of their hyperbolic tangent, 2 logistic(2 x) - 1."""

    def function(codes: Codes) -> Codes:
        x = _arguments(codes, scale, most_doublings=1)
        centred = _interpolated(np.abs(x), 8, (_SIGMOID_UNIT - 1) << 8) - (1 << 23)
        return (np.where(x >= 0, centred + (1 << 7), (1 << 7) - centred - 1)) >> 8

    return function


def _arguments(codes: Codes, scale: np.float32, most_doublings: int) -> Codes:
    """Codes in units of 1 / (3 * 4096).

    Exact for a scale of 1/4096 or a few doublings of it, else by a multiplier of 15 bits.

    Raises:
        ValueError: the scale is too large.
    """
    multiplier, right = float(scale) * _ARGUMENT_UNIT, 0
    doublings = np.log2(float(scale)) + 12
    if doublings in range(most_doublings + 1):
        return codes * (3 << int(doublings))
    while multiplier <= _HIGHEST / 2 and right <= 30:
        multiplier, right = multiplier * 2, right + 1
    if multiplier >= 1 << 16:
        raise ValueError(f"the input's scale {scale:g} is too large")
    half = 1 << right >> 1
    return (codes * int(multiplier) + half) >> right


def _interpolated(size: Codes, bits: int, end: int) -> Codes:
    """The logistic table at a size of so many 2^-bits of a step, in units of 2^-(16 + bits)."""
    table = _sigmoid_table()
    step = np.minimum(size >> bits, _SAMPLES - 2)
    rest = size & ((1 << bits) - 1)
    found = (table[step] << bits) + rest * (table[step + 1] - table[step])
    return np.asarray(np.where(size >> bits >= _SAMPLES - 1, end, found))


@cache
def _sigmoid_table() -> Codes:
    """The logistic function of i / 24 in units of 2^-16.

    Each is moved by half of the error that interpolation makes at a step's midpoint; the last is the end of
    the range.
    """

    def at(steps: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(_SIGMOID_UNIT / (1 + np.exp(-steps / _STEPS_A_UNIT)))

    steps = np.arange(_SAMPLES, dtype=np.float64)
    short = at(steps + 0.5) - (at(steps) + at(steps + 1)) / 2
    table: Codes = np.floor(at(steps) + short / 2 + 0.5).astype(np.int64)
    table[-1] = _SIGMOID_UNIT - 1
    return table


def softmax(node: Node) -> Lowered:
    """SOFTMAX over the last dimension, to codes of scale 1/32768."""
    import tensorflow as tf

    from qbench.surrogate.lifted.softmax import log2

    x, y = node.input(0), node.output
    node.require(float(y.scale) * _UNIT == 1, "its output is not of scale 1/32768")
    node.require(x.shape[-1] <= _MOST_CLASSES, f"it has more than {_MOST_CLASSES} classes")
    unit = float(np.float32(node.option("beta")) * x.scale)  # in single precision, as TFLite takes it
    scale = Scale.of(unit / (_REACH / 65535))
    node.require(int(scale.exponents[0]) < 15, "a scale is out of range")
    distances = rescale(-np.arange(1 << 16), scale, 1 << 16).numpy()
    powers_of = _at(_exponential_table(), distances + _HIGHEST)
    reciprocal_of = _at(_reciprocal_table(), np.arange(_LOWEST, _UNIT))

    def exact(x: tf.Tensor) -> tf.Tensor:
        distance = tf.reduce_max(x, -1, keepdims=True) - x
        powers = tf.gather(tf.constant(powers_of), tf.cast(distance, tf.int32))
        total = tf.reduce_sum(powers, -1, keepdims=True)
        highest = log2(total)
        normal = (tf.bitwise.left_shift(total, 30 - highest) + (1 << 13)) // (1 << 14)
        place = tf.clip_by_value(normal - (1 << 16), 0, (1 << 16) - 1)
        inverse = tf.gather(tf.constant(reciprocal_of), place)
        half = tf.bitwise.left_shift(tf.ones_like(highest), highest - 1)
        return as_float(tf.bitwise.right_shift(powers * inverse + half, highest))

    return node.integer_operator(
        exact, lambda x: float(_UNIT) * tf.nn.softmax(x * np.float32(unit)), node.clamp(activation=0)
    )


def _at(table: Codes, arguments: Codes) -> Codes:
    """A table of 513 samples at 16-bit arguments, interpolated."""
    place = np.clip(arguments, _LOWEST, _HIGHEST) - _LOWEST
    step, rest = place >> _STEP_BITS, place & ((1 << _STEP_BITS) - 1)
    slope = table[step + 1] - table[step]
    return np.asarray(table[step] + ((slope * rest + (1 << _STEP_BITS >> 1)) >> _STEP_BITS))


@cache
def _exponential_table() -> Codes:
    return _sampled(np.exp, _REACH, below_zero=True)


@cache
def _reciprocal_table() -> Codes:
    return _sampled(lambda x: 1 / (1 + x), 1.0, below_zero=False)


def _sampled(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]], span: float, *, below_zero: bool
) -> Codes:
    """513 samples of a function, all but the last moved by half of the error of interpolation at a midpoint.

    Args:
        function: of float64.
        span: of its arguments, which end at 0 or begin there.
        below_zero: whether they end there.

    Returns:
        int64, in units of 2^-15.
    """
    start, step = (-span if below_zero else 0.0), span / 512
    starts = start + np.arange(513) * step
    samples, middles = function(starts) * _UNIT, function(starts + step / 2) * _UNIT
    middle = _rounded((np.roll(samples, -1) + _rounded(samples)) / 2)
    bias = _rounded((middle - _rounded(middles)) / 2)
    bias[-1] = 0
    return np.clip(_rounded(samples) - bias, _LOWEST, _HIGHEST).astype(np.int64)


def _rounded(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """To nearest, ties away from zero."""
    return np.asarray(np.copysign(np.floor(np.abs(x) + 0.5), x))
