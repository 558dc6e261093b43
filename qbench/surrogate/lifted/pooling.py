"""AVERAGE_POOL_2D, MAX_POOL_2D, MEAN and REDUCE_MAX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qbench.surrogate.lifted.fixed_point import FLOAT32_EXACT, Scale, rescale
from qbench.surrogate.lifted.node import Lowered, Node, as_float
from qbench.surrogate.lifted.windows import Axis

if TYPE_CHECKING:
    import tensorflow as tf

# A mean gives back its sum exactly when multiplied by so few terms: in float32 of 8 bits, in float64 of 16.
_MOST_TAPS = 1 << 12


def max_pool_2d(node: Node) -> Lowered:
    """MAX_POOL_2D."""
    import tensorflow as tf

    pool = _pool(node, tf.nn.max_pool2d)
    return node.integer_operator(pool, pool, node.clamp())


def average_pool_2d(node: Node) -> Lowered:
    """AVERAGE_POOL_2D: the mean of the codes that the window meets, to nearest, ties away from zero."""
    import tensorflow as tf

    pool = _pool(node, tf.nn.avg_pool2d)
    rows, columns = _axes(node)
    dtype = np.float64 if node.output.dtype == "int16" else np.float32
    taps: NDArray[Any] = np.outer(rows.taps(), columns.taps())[None, :, :, None].astype(dtype)
    node.require(taps.max() <= _MOST_TAPS, f"its window has more than {_MOST_TAPS} elements")
    zero_points, halves = node.output.zero_point * taps, np.floor(taps / 2)

    def exact(x: tf.Tensor) -> tf.Tensor:
        sums = tf.round(pool(tf.cast(x, dtype)) * taps) + zero_points  # of codes as they are stored
        quotient = (sums + tf.where(sums > 0, halves, -halves)) / taps
        whole = tf.where(sums > 0, tf.floor(quotient), tf.math.ceil(quotient))
        return as_float(whole - node.output.zero_point)

    return node.integer_operator(exact, pool, node.clamp())


def mean(node: Node) -> Lowered:
    """MEAN: the sum, divided and rescaled in one multiplication."""
    import tensorflow as tf

    x, y = node.input(0), node.output
    node.require_int8_or_int16(x, y)
    axes, keep = _reduce(node)
    terms = int(np.prod([x.shape[axis] for axis in axes]))
    scale = _divide(Scale.of(np.float64(x.scale) / np.float64(y.scale)), terms)
    bound = x.reach * terms
    dtype = np.float32 if bound <= FLOAT32_EXACT else np.float64
    node.require(bound < 1 << 31, "its sums may overflow 32 bits")
    unit = np.float32(float(x.scale) / float(y.scale))

    def exact(x: tf.Tensor) -> tf.Tensor:
        return as_float(rescale(tf.reduce_sum(tf.cast(x, dtype), axes, keepdims=keep), scale, bound))

    def real(x: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(x, axes, keepdims=keep) * unit

    return node.integer_operator(exact, real, node.clamp(activation=0))


def reduce_max(node: Node) -> Lowered:
    """REDUCE_MAX."""
    import tensorflow as tf

    node.require_same_grid(node.input(0))
    axes, keep = _reduce(node)
    return lambda x: tf.reduce_max(x, axes, keepdims=keep)


def _reduce(node: Node) -> tuple[list[int], bool]:
    rank = len(node.input(0).shape)
    axes = sorted({int(axis) % rank for axis in node.constant(1).reshape(-1)})
    return axes, bool(node.option("keepDims"))


def _divide(scale: Scale, terms: int) -> Scale:
    """A scale over a number of terms, as TFLite folds the division in: the mantissa truncated."""
    (mantissa,), (exponent,) = scale.mantissas.tolist(), scale.exponents.tolist()
    shift = min(terms.bit_length() - 1, 31 + exponent)
    return Scale(np.array([(mantissa << shift) // terms]), np.array([exponent - shift]))


def _axes(node: Node) -> tuple[Axis, Axis]:
    size = node.input(0).shape
    same = node.option("padding") == 0
    rows = Axis.of(size[1], node.option("filterHeight"), node.option("strideH"), same=same)
    columns = Axis.of(size[2], node.option("filterWidth"), node.option("strideW"), same=same)
    return rows, columns


def _pool(node: Node, function: Any) -> Lowered:
    """A pooling of TensorFlow with the node's window."""
    node.require_rank((0, 4))
    node.require_int8_or_int16(node.input(0), node.output)
    node.require_same_grid(node.input(0))
    rows, columns = _axes(node)
    padding = "SAME" if node.option("padding") == 0 else "VALID"
    windows, strides = [rows.window, columns.window], [rows.stride, columns.stride]
    return lambda x: function(x, windows, strides, padding)
