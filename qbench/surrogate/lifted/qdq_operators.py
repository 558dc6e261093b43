"""ONNX operators in TensorFlow: QuantizeLinear with a gradient rule, all else as it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from qbench.errors import UserError
from qbench.formats.onnx_file import Codes
from qbench.surrogate.lifted.gradients import Clamp, integer_operator
from qbench.surrogate.lifted.qdq_reader import QdqNode
from qbench.surrogate.lifted.reader import MOST_ELEMENTS
from qbench.surrogate.lifted.windows import with_gaps

if TYPE_CHECKING:
    import tensorflow as tf

Lowered = Callable[..., Any]
"""From all inputs, constants included, to the output."""


def lower(node: QdqNode) -> Lowered:
    """An operator as a TensorFlow function.

    Raises:
        UserError: it is not supported, or not in this form; named with its index.
    """
    node.require(node.kind in _OPERATORS, f"it is not supported; supported are {', '.join(_OPERATORS)}")
    try:
        with np.errstate(over="raise", divide="raise", invalid="raise"):
            function = _OPERATORS[node.kind](node)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise _misfit(node, error) from error
    return _check(node, function)


def _check(node: QdqNode, function: Lowered) -> Lowered:
    """The function; what does not fit, or would fill the memory, is told with the operator's name."""
    import tensorflow as tf

    def compute(*data: Any) -> Any:
        try:
            found = tf.convert_to_tensor(function(*data))
        except (LookupError, TypeError, ValueError, tf.errors.OpError) as error:
            raise _misfit(node, error) from error
        sizes = [] if found.shape.rank is None else [size or 1 for size in found.shape[1:]]
        node.require(math.prod(sizes) <= MOST_ELEMENTS, f"its output of shape {found.shape} is too large")
        return found

    return compute


def _misfit(node: QdqNode, error: Exception) -> UserError:
    said = (str(error).splitlines() or [type(error).__name__])[0]
    return node.refusal(f"its inputs and attributes do not fit each other: {said}")


def _quantize(node: QdqNode) -> Lowered:
    """QuantizeLinear: to the nearest code, ties to even; the zero point is left out."""
    import tensorflow as tf

    codes = _of_activations(node)
    info, zero, unit = np.iinfo(codes.dtype), int(codes.zero_points[0]), codes.scales[0]
    # Quantizers drop a Relu in front whose work the clamp does: with nothing below the zero point it is one.
    floor = 0.0 if zero == info.min else -np.inf
    clamp = Clamp(int(info.min) - zero, int(info.max) - zero, floor=floor)
    rounding = integer_operator(lambda x: tf.round(x / unit), lambda x: x / unit, clamp, node.rule)
    return lambda x, *_: rounding(x)


def _dequantize(node: QdqNode) -> Lowered:
    unit = _of_activations(node).scales[0]
    return lambda codes, *_: codes * unit


def _of_activations(node: QdqNode) -> Codes:
    """The quantization of activations: 8 bits, one scale, a zero point among the codes."""
    codes = node.quantization
    node.require(codes.dtype in ("int8", "uint8"), f"activations of {codes.dtype} are not supported")
    node.require(len(codes.scales) == 1, "activations with several scales are not supported")
    return codes


def _conv(node: QdqNode) -> Lowered:
    """Convolution of [n, channels, height, width], with groups and dilation."""
    import tensorflow as tf

    weights = node.constant(1)
    node.require(weights.ndim == 4, "only images are supported")
    dilations = node.attributes.get("dilations", [1, 1])
    filters = with_gaps(np.transpose(weights, (2, 3, 1, 0)), *dilations)
    groups, strides = node.attributes.get("group", 1), node.attributes.get("strides", [1, 1])
    pad = _padding(node, filters.shape[:2], 0.0)
    bias = node.constant(2) if node.has(2) else np.zeros(weights.shape[0], np.float32)
    depthwise = groups > 1 and filters.shape[2] == 1 and strides[0] == strides[1]

    def convolve(x: tf.Tensor) -> tf.Tensor:
        if depthwise:
            by_channel = filters.reshape(*filters.shape[:2], groups, -1)
            return tf.nn.depthwise_conv2d(x, tf.constant(by_channel), [1, *strides, 1], "VALID")
        parts = zip(tf.split(x, groups, 3), np.split(filters, groups, 3), strict=True)
        done = [tf.nn.conv2d(part, tf.constant(w), strides, "VALID") for part, w in parts]
        return done[0] if groups == 1 else tf.concat(done, 3)

    return lambda x, *_: _images_first(tf.nn.bias_add(convolve(pad(_channels_last(x))), bias))


def _pool(node: QdqNode) -> Lowered:
    """MaxPool, or AveragePool over what the window meets of the image."""
    import tensorflow as tf

    window, strides = node.attributes["kernel_shape"], node.attributes.get("strides", [1, 1])
    plain = not node.attributes.get("ceil_mode", 0) and set(node.attributes.get("dilations", [1])) == {1}
    node.require(len(window) == 2 and plain, "only images, without ceil_mode and dilation, are supported")
    if node.kind == "MaxPool":
        pad = _padding(node, window, -np.inf)
        return lambda x, *_: _images_first(tf.nn.max_pool2d(pad(_channels_last(x)), window, strides, "VALID"))
    pad = _padding(node, window, 0.0)
    whole = bool(node.attributes.get("count_include_pad", 0))

    def average(x: tf.Tensor) -> tf.Tensor:
        image = _channels_last(x)
        sums = tf.nn.avg_pool2d(pad(image), window, strides, "VALID")
        met = tf.nn.avg_pool2d(pad(tf.ones_like(image[:1, :, :, :1])), window, strides, "VALID")
        return _images_first(sums if whole else sums / met)

    return average


def _padding(node: QdqNode, window: Any, value: float) -> Lowered:
    """Padding of [n, height, width, channels], as the node states it or as TensorFlow's SAME has it."""
    import tensorflow as tf

    automatic = node.attributes.get("auto_pad", b"NOTSET").decode()
    node.require(automatic in ("NOTSET", "VALID", "SAME_UPPER"), f"auto_pad {automatic} is not supported")
    node.require(len(window) == 2, "only images are supported")
    strides = node.attributes.get("strides", [1, 1])
    top, left, bottom, right = node.attributes.get("pads", [0, 0, 0, 0])

    def padded(x: tf.Tensor) -> tf.Tensor:
        widths = [(top, bottom), (left, right)]
        if automatic == "SAME_UPPER":
            widths = [_same_upper(*each) for each in zip(x.shape[1:3], window, strides, strict=True)]
        return tf.pad(x, [(0, 0), *widths, (0, 0)], constant_values=value)

    return padded


def _same_upper(size: int, window: int, stride: int) -> tuple[int, int]:
    """How much goes before and behind a dimension, the odd one behind, for ceil(size / stride) windows."""
    missing = max((-(-size // stride) - 1) * stride + window - size, 0)
    return missing // 2, missing - missing // 2


def _channels_last(x: tf.Tensor) -> tf.Tensor:
    import tensorflow as tf

    return tf.transpose(x, [0, 2, 3, 1])


def _images_first(x: tf.Tensor) -> tf.Tensor:
    import tensorflow as tf

    return tf.transpose(x, [0, 3, 1, 2])


def _gemm(node: QdqNode) -> Lowered:
    import tensorflow as tf

    alpha, beta = node.attributes.get("alpha", 1.0), node.attributes.get("beta", 1.0)
    a_turned, b_turned = bool(node.attributes.get("transA", 0)), bool(node.attributes.get("transB", 0))
    node.require(not a_turned, "a transposed first operand is not supported")

    def multiply(a: tf.Tensor, b: Any, c: Any = None) -> tf.Tensor:
        product = tf.matmul(a, b, transpose_b=b_turned) * alpha
        return product if c is None else product + c * np.float32(beta)

    return multiply


def _pad(node: QdqNode) -> Lowered:
    """Pad with a constant; [begin of every axis, end of every axis]."""
    import tensorflow as tf

    mode = node.attributes.get("mode", b"constant").decode()
    node.require(mode == "constant", f"mode {mode} is not supported")
    value = float(node.constant(2)) if node.has(2) else 0.0
    widths = node.constant(1).reshape(2, -1).T
    return lambda x, *_: tf.pad(x, widths, constant_values=value)


def _reshape(node: QdqNode) -> Lowered:
    import tensorflow as tf

    shape = node.constant(1).astype(np.int32).reshape(-1).copy()
    node.require(len(shape) > 0, "a shape without a batch is not supported")
    node.require(not (shape[1:] == 0).any(), "a shape with copied sizes is not supported")

    def reshaped(x: tf.Tensor, *_: Any) -> tf.Tensor:
        sizes = shape.copy()
        if (sizes[1:] == -1).any():  # what is left of one input
            others = int(np.prod(sizes[1:][sizes[1:] != -1]))
            sizes[1:][sizes[1:] == -1] = int(np.prod(x.shape[1:])) // max(others, 1)
        sizes[0] = -1  # the batch, whatever size the file has built in
        return tf.reshape(x, sizes)

    return reshaped


def _flatten(node: QdqNode) -> Lowered:
    import tensorflow as tf

    node.require(node.attributes.get("axis", 1) == 1, "only axis 1 is supported")
    return lambda x: tf.reshape(x, [-1, int(np.prod(x.shape[1:]))])


def _transpose(node: QdqNode) -> Lowered:
    import tensorflow as tf

    return lambda x: tf.transpose(x, node.attributes.get("perm"))


def _squeeze(node: QdqNode) -> Lowered:
    import tensorflow as tf

    axes = node.constant(1).tolist()
    return lambda x, *_: tf.squeeze(x, axes)


def _mean(node: QdqNode) -> Lowered:
    import tensorflow as tf

    if node.kind == "GlobalAveragePool":
        axes = [2, 3]
    elif "axes" in node.attributes:  # until opset 17
        axes = list(node.attributes["axes"])
    else:
        axes = [int(axis) for axis in node.constant(1).reshape(-1)]
    node.require(bool(axes), "a mean over all axes mixes the batch")
    keep = node.kind == "GlobalAveragePool" or bool(node.attributes.get("keepdims", 1))
    return lambda x, *_: tf.reduce_mean(x, axes, keepdims=keep)


def _clip(node: QdqNode) -> Lowered:
    import tensorflow as tf

    low, high = (float(node.constant(i)) if node.has(i) else s * np.inf for i, s in ((1, -1), (2, 1)))
    return lambda x, *_: tf.clip_by_value(x, low, high)


def _by_function(name: str) -> Callable[[QdqNode], Lowered]:
    """An operator that TensorFlow has under a name of its own."""

    def lowered(node: QdqNode) -> Lowered:
        import tensorflow as tf

        function: Lowered = {
            "add": tf.add,
            "subtract": tf.subtract,
            "multiply": tf.multiply,
            "matmul": tf.matmul,
            "relu": tf.nn.relu,
            "leaky_relu": lambda x: tf.nn.leaky_relu(x, node.attributes.get("alpha", 0.01)),
            "sigmoid": tf.sigmoid,
            "tanh": tf.tanh,
            "softmax": lambda x: tf.nn.softmax(x, node.attributes.get("axis", -1)),
            "concat": lambda *parts: tf.concat(parts, node.attributes["axis"]),
            "identity": tf.identity,
        }[name]
        return function

    return lowered


_OPERATORS: dict[str, Callable[[QdqNode], Lowered]] = {
    "Add": _by_function("add"),
    "AveragePool": _pool,
    "Clip": _clip,
    "Concat": _by_function("concat"),
    "Conv": _conv,
    "DequantizeLinear": _dequantize,
    "Flatten": _flatten,
    "Gemm": _gemm,
    "GlobalAveragePool": _mean,
    "Identity": _by_function("identity"),
    "LeakyRelu": _by_function("leaky_relu"),
    "MatMul": _by_function("matmul"),
    "MaxPool": _pool,
    "Mul": _by_function("multiply"),
    "QuantizeLinear": _quantize,
    "ReduceMean": _mean,
    "Relu": _by_function("relu"),
    "Pad": _pad,
    "Reshape": _reshape,
    "Sigmoid": _by_function("sigmoid"),
    "Softmax": _by_function("softmax"),
    "Squeeze": _squeeze,
    "Sub": _by_function("subtract"),
    "Tanh": _by_function("tanh"),
    "Transpose": _transpose,
}
