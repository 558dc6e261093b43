"""Operators on one tensor, element by element: a table of all codes forward."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qbench.surrogate.lifted import wide
from qbench.surrogate.lifted.fixed_point import Scale, rescale, round_shift
from qbench.surrogate.lifted.gradients import Clamp
from qbench.surrogate.lifted.node import Lowered, Node
from qbench.surrogate.lifted.reader import CODES

if TYPE_CHECKING:
    import tensorflow as tf

Codes = NDArray[np.int64]
_WIDE_STEPS = 1 << 15
_NONE, _RELU, _RELU6 = 0, 1, 3
_CODE_SPAN = 65535  # of the widest codes


def relu(node: Node) -> Lowered:
    """RELU."""
    return _rectify(node, _RELU)


def relu6(node: Node) -> Lowered:
    """RELU6."""
    return _rectify(node, _RELU6)


def _rectify(node: Node, activation: int) -> Lowered:
    node.require_int8_or_int16(node.input(0), node.output)
    ratio = node.input(0).scale / node.output.scale  # in single precision, as TFLite takes it
    return _by_table(node, _rescale(Scale.of(ratio)), lambda x: x * ratio, node.clamp(activation))


def requantize(node: Node) -> Lowered:
    """QUANTIZE of codes to those of another scale."""
    x, y = node.input(0), node.output
    node.require(x.dtype in CODES and x.quantized, f"its input is {x.dtype}, neither float32 nor codes")
    ratio = float(x.scale) / float(y.scale)
    return _by_table(node, _rescale(Scale.of(ratio)), lambda x: x * np.float32(ratio), node.clamp(_NONE))


def leaky_relu(node: Node) -> Lowered:
    """LEAKY_RELU: one scale on each side of the zero point."""
    import tensorflow as tf

    x, y = node.input(0), node.output
    node.require_int8_or_int16(x, y)
    alpha = np.float32(node.option("alpha"))
    below = Scale.of(x.scale * abs(alpha) / y.scale)
    positive = _rescale(Scale.of(x.scale / y.scale))
    negative = _rescale(below.negate() if alpha < 0 else below)
    unit = x.scale / y.scale
    return _by_table(
        node,
        lambda codes: np.where(codes >= 0, positive(codes), negative(codes)),
        lambda x: tf.where(x >= 0, x, alpha * x) * unit,
        node.clamp(_NONE),
    )


def logistic(node: Node) -> Lowered:
    """LOGISTIC: in single precision, rounded to codes of scale 1/256; of int16 by interpolation."""
    import tensorflow as tf

    def sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
        one = np.float32(1)
        with np.errstate(over="ignore"):  # to infinity, as in C
            return one / (one + np.exp(-x.astype(np.float64)).astype(np.float32))

    return _sigmoidal(node, sigmoid, wide.logistic_codes, tf.sigmoid, 256, -128)


def tanh(node: Node) -> Lowered:
    """TANH: in single precision, rounded to codes of scale 1/128; of int16 by interpolation."""
    import tensorflow as tf

    def tangent(x: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.tanh(x.astype(np.float64)).astype(np.float32)

    return _sigmoidal(node, tangent, wide.tanh_codes, tf.tanh, 128, 0)


def _sigmoidal(
    node: Node,
    function: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    wide_codes: Callable[[np.float32], Callable[[Codes], Codes]],
    smooth: Callable[[Any], Any],
    steps: int,
    zero_point: int,
) -> Lowered:
    x, y = node.input(0), node.output
    node.require_int8_or_int16(x, y)
    if x.dtype == "int16":
        node.require(float(y.scale) * _WIDE_STEPS == 1, "its output is not of scale 1/32768")
        real = lambda x_: smooth(x_ * x.scale) * float(_WIDE_STEPS)  # noqa: E731
        return _by_table(node, wide_codes(x.scale), real, node.clamp(_NONE))
    own = float(y.scale) * steps == 1 and y.zero_point == zero_point
    node.require(own, "its output has another scale or zero point than the operator's own")

    def codes_of(codes: Codes) -> NDArray[Any]:
        real = function(x.scale * codes.astype(np.float32)) * np.float32(steps)
        return np.copysign(np.floor(np.abs(real) + 0.5), real)

    return _by_table(node, codes_of, lambda x_: smooth(x_ * x.scale) * float(steps), node.clamp(_NONE))


def hard_swish(node: Node) -> Lowered:
    """HARD_SWISH: x * relu6(x + 3) / 6, in 16-bit fixed point."""
    import tensorflow as tf

    x, y = node.input(0), node.output
    node.require_codes(x, y)
    fine = np.float32(1 / 128) * x.scale
    output, output_shift = _scale_16(fine / y.scale)
    gate, gate_shift = _scale_16(fine / np.float32(3 / 32768))
    node.require(output_shift <= 0, "a scale is out of range")

    def codes_of(codes: Codes) -> Codes:
        inner = codes << 7
        opened = _saturate(inner << (gate_shift - 1)) if gate_shift > 0 else inner
        opened = _high_mul_16(opened, gate)
        opened = _saturate(opened << 1) if gate_shift > 0 else round_shift(opened, -gate_shift)
        opened = (opened + (1 << 15)) >> 1
        product = opened * _high_mul_16(inner, output)
        return round_shift(np.sign(product) * (np.abs(product) >> 15), -output_shift)

    def real(codes: tf.Tensor) -> tf.Tensor:
        value = codes * x.scale
        return value * tf.nn.relu6(value + 3) / (6 * y.scale)

    return _by_table(node, codes_of, real, node.clamp(_NONE))


def _by_table(
    node: Node, codes_of: Callable[[Codes], NDArray[Any]], real: Callable[[Any], Any], clamp: Clamp
) -> Lowered:
    """The operator that maps codes, their zero point subtracted, as `codes_of` does before the clamp."""
    import tensorflow as tf

    x = node.input(0)
    table = codes_of(np.arange(x.low, x.high + 1)).astype(np.float32)

    def exact(codes: tf.Tensor) -> tf.Tensor:
        return tf.gather(tf.constant(table), tf.cast(codes - float(x.low), tf.int32))

    return node.integer_operator(exact, real, clamp)


def _rescale(scale: Scale) -> Callable[[Codes], Codes]:
    """TFLite's requantization of an array."""

    def function(codes: Codes) -> Codes:
        found: Codes = rescale(codes, scale, _CODE_SPAN).numpy()
        return found

    return function


def _scale_16(real: np.float32) -> tuple[int, int]:
    """A 16-bit mantissa and its exponent."""
    scale = Scale.of(real)
    (mantissa,), (exponent,) = scale.mantissas.tolist(), scale.exponents.tolist()
    return min((mantissa + (1 << 15)) >> 16, (1 << 15) - 1), exponent


def _saturate(x: Codes) -> Codes:
    return np.clip(x, -(1 << 15), (1 << 15) - 1)


def _high_mul_16(a: Codes, b: int) -> Codes:
    """A * b / 2^15, to nearest, ties up."""
    return _saturate((a * b + (1 << 14)) >> 15)
