"""CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED: sums of products, requantized a channel at a time.

The sums run in float32 where no partial sum can exceed 2^24, so that they are whole and exact in any order;
else in float64.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qbench.surrogate.lifted.fixed_point import FLOAT32_EXACT, Scale, rescale
from qbench.surrogate.lifted.node import Lowered, Node, as_float
from qbench.surrogate.lifted.wide import LARGEST_SUM, MOST_SHIFT, rescale_wide
from qbench.surrogate.lifted.windows import Axis, pad_image, with_gaps

if TYPE_CHECKING:
    import tensorflow as tf

_ACCUMULATOR = 1 << 31
_INT32 = 2
"""TensorType of the schema."""


@dataclass(frozen=True)
class _Weights:
    """Weights and bias of an operator.

    Attributes:
        codes: int64, output channels last, the zero point subtracted.
        bias: [channels] int64.
        scale: from accumulator to output codes.
        bound: what no partial sum exceeds in size.
        wide: whether sums have 64 bits, and are rescaled as such.
    """

    codes: NDArray[np.int64]
    bias: NDArray[np.int64]
    scale: Scale
    bound: int
    wide: bool


def conv_2d(node: Node) -> Lowered:
    """CONV_2D, with groups and dilation."""
    import tensorflow as tf

    node.require_rank((0, 4), (1, 4))
    filters = np.moveaxis(_codes(node), 0, -1)
    axes = _axes(node, filters.shape[:2])
    groups, rest = divmod(node.input(0).shape[3], filters.shape[2])
    node.require(rest == 0 and filters.shape[3] % groups == 0, "its channels do not fit its weights")
    weights = _weights(node, with_gaps(filters, axes[0].dilation, axes[1].dilation))
    padding = node.option("padding")

    def convolve(x: tf.Tensor, w: tf.Tensor) -> tf.Tensor:
        strides = [axis.stride for axis in axes]
        # TensorFlow has no gradient of grouped convolutions on the CPU.
        parts = [
            tf.nn.conv2d(x_part, w_part, strides, "SAME" if padding == 0 else "VALID")
            for x_part, w_part in zip(tf.split(x, groups, 3), tf.split(w, groups, 3), strict=True)
        ]
        return parts[0] if groups == 1 else tf.concat(parts, 3)

    return _weighted(node, weights, convolve)


def depthwise_conv_2d(node: Node) -> Lowered:
    """DEPTHWISE_CONV_2D, with a multiplier and dilation."""
    import tensorflow as tf

    node.require_rank((0, 4), (1, 4))
    filters = _codes(node)[0]
    axes = _axes(node, filters.shape[:2])
    depth = node.input(0).shape[3]
    node.require(filters.shape[2] % depth == 0, "its channels do not fit its weights")
    weights = _weights(node, with_gaps(filters, axes[0].dilation, axes[1].dilation))
    padding = node.option("padding")
    alike = axes[0].stride == axes[1].stride

    def convolve(x: tf.Tensor, w: tf.Tensor) -> tf.Tensor:
        w = tf.reshape(w, [*w.shape[:2], depth, -1])
        if alike:
            strides = [1, axes[0].stride, axes[1].stride, 1]
            return tf.nn.depthwise_conv2d(x, w, strides, "SAME" if padding == 0 else "VALID")
        # TensorFlow's needs equal strides: take every position, and keep those that are due.
        padded = pad_image(x, axes, 0)
        every = tf.nn.depthwise_conv2d(padded, w, [1, 1, 1, 1], "VALID")
        return every[:, :: axes[0].stride, :: axes[1].stride]

    return _weighted(node, weights, convolve)


def fully_connected(node: Node) -> Lowered:
    """FULLY_CONNECTED, rounded twice as TFLite up to 2.18, TFLite Micro and CMSIS-NN do."""
    import tensorflow as tf

    node.require_rank((1, 2))
    node.require(node.option("weightsFormat") == 0, "shuffled weights are not supported")
    codes = _codes(node).T
    weights = _weights(node, codes)
    shape = [-1, *node.output.shape[1:]]

    def multiply(x: tf.Tensor, w: tf.Tensor) -> tf.Tensor:
        return tf.reshape(tf.matmul(tf.reshape(x, [-1, codes.shape[0]]), w), shape)

    return _weighted(node, weights, multiply)


def _weighted(node: Node, weights: _Weights, product: Callable[[Any, Any], Any]) -> Lowered:
    """The operator whose accumulators are product(x, weights) + bias."""
    import tensorflow as tf

    dtype = np.float32 if weights.bound <= FLOAT32_EXACT else np.float64
    whole, bias = weights.codes.astype(dtype), weights.bias.astype(dtype)
    unit = weights.scale.real
    real_weights = (weights.codes * unit).astype(np.float32)
    real_bias = (weights.bias * unit).astype(np.float32)

    clamp = node.clamp()

    def exact(x: tf.Tensor) -> tf.Tensor:
        sums = tf.nn.bias_add(product(tf.cast(x, dtype), tf.constant(whole)), tf.constant(bias))
        if weights.wide:
            return as_float(rescale_wide(sums, weights.scale))
        return as_float(rescale(sums, weights.scale, weights.bound, clamped_at_zero=clamp.low >= 0))

    def real(x: tf.Tensor) -> tf.Tensor:
        return tf.nn.bias_add(product(x, tf.constant(real_weights)), tf.constant(real_bias))

    return node.integer_operator(exact, real, clamp)


def _codes(node: Node) -> NDArray[np.int64]:
    """The weights as stored, the zero point subtracted."""
    node.require_int8_or_int16(node.input(0), node.output)
    filters = node.input(1)
    zeros = filters.zero_points
    node.require(filters.dtype == "int8" and len(zeros) > 0, "its weights are not int8")
    node.require(len(set(zeros.tolist())) == 1, "its weights have several zero points")
    return node.constant(1).astype(np.int64) - int(zeros[0])


def _weights(node: Node, codes: NDArray[np.int64]) -> _Weights:
    """Weights with output channels last, bias, scale and bound."""
    scales = node.input(1).scales
    channels = codes.shape[-1]
    node.require(len(scales) in (1, channels), "its weights have neither one scale nor one a channel")
    bias = node.constant(2).astype(np.int64) if node.has(2) else np.zeros(channels, np.int64)
    x = node.input(0)
    if node.operator.name == "FULLY_CONNECTED" and len(scales) == 1:
        product = (x.scale * scales).astype(np.float64)  # TFLite's, in single precision here
    else:
        product = np.float64(x.scale) * scales.astype(np.float64)
    least = np.minimum(np.minimum(codes * x.low, codes * x.high), 0)
    most = np.maximum(np.maximum(codes * x.low, codes * x.high), 0)
    axes = tuple(range(codes.ndim - 1))
    bound = int((np.maximum(most.sum(axes), -least.sum(axes)) + np.abs(bias)).max())
    scale = Scale.of(product / np.float64(node.output.scale))
    wide = _sums_wide(node)
    if wide:
        node.require(bound < LARGEST_SUM, "its sums may overflow 47 bits")
        node.require(scale.exponents.max(initial=0) <= MOST_SHIFT, "a scale is out of range")
    else:
        node.require(bound < _ACCUMULATOR, "its sums may overflow 32 bits")
    return _Weights(codes, bias, scale, bound, wide)


def _sums_wide(node: Node) -> bool:
    """Whether an operator sums in 64 bits: those on int16 do, but where their options name biases of 32."""
    if node.input(0).dtype != "int16":
        return False
    stated = getattr(node.operator.options, "quantizedBiasType", 0)
    if node.has(2):
        wanted = "int32" if stated == _INT32 else "int64"
        node.require(node.input(2).dtype == wanted, f"its bias is {node.input(2).dtype}, not {wanted}")
    return bool(stated != _INT32)


def _axes(node: Node, windows: tuple[int, ...]) -> tuple[Axis, Axis]:
    """Rows and columns; the filter as wide as its dilation makes it."""
    size = node.input(0).shape
    rows, columns = (
        Axis.of(
            size[1 + i],
            (windows[i] - 1) * node.option(f"dilation{letter}Factor") + 1,
            node.option(f"stride{letter}"),
            same=node.option("padding") == 0,
            dilation=node.option(f"dilation{letter}Factor"),
        )
        for i, letter in enumerate("HW")
    )
    return rows, columns
