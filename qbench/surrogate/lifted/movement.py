"""Operators that only move codes: gradients pass through them as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qbench.surrogate.lifted.gradients import Clamp
from qbench.surrogate.lifted.node import Lowered, Node

if TYPE_CHECKING:
    import tensorflow as tf

_RESIZE_UNIT = 1024
"""TFLite's weights of neighbours, and positions, are whole numbers of 1/1024."""


def reshape(node: Node) -> Lowered:
    """RESHAPE, EXPAND_DIMS or SQUEEZE, to the shape that the file states for the output."""
    import tensorflow as tf

    shape = list(node.output.shape)
    if node.input(0).shape[:1] == node.output.shape[:1]:
        shape[0] = -1  # the batch
    return lambda x: tf.reshape(x, shape)


def transpose(node: Node) -> Lowered:
    """TRANSPOSE."""
    import tensorflow as tf

    order = node.constant(1).tolist()
    return lambda x: tf.transpose(x, order)


def concatenation(node: Node) -> Lowered:
    """CONCATENATION."""
    import tensorflow as tf

    inputs = [node.input(i) for i in range(len(node.operator.inputs))]
    node.require_same_grid(*inputs)
    node.require(node.option("fusedActivationFunction") == 0, "fused activations are not supported here")
    axis = node.option("axis")
    return lambda *parts: tf.concat(parts, axis)


def pack(node: Node) -> Lowered:
    """PACK."""
    import tensorflow as tf

    node.require_same_grid(*(node.input(i) for i in range(len(node.operator.inputs))))
    axis = node.option("axis")
    return lambda *parts: tf.stack(parts, axis)


def pad(node: Node) -> Lowered:
    """PAD, with the zero point, and PADV2, with a constant."""
    import tensorflow as tf

    node.require_same_grid(node.input(0))
    paddings = node.constant(1).astype(np.int32)
    value = 0.0
    if node.has(2):
        node.require_same_grid(node.input(2))
        value = float(node.constant(2).reshape(-1)[0]) - node.output.zero_point
    return lambda x: tf.pad(x, paddings, constant_values=value)


def tile(node: Node) -> Lowered:
    """TILE."""
    import tensorflow as tf

    multiples = node.constant(1).astype(np.int32)
    return lambda x: tf.tile(x, multiples)


def strided_slice(node: Node) -> Lowered:
    """STRIDED_SLICE."""
    index = slice_index(node)
    return lambda x: x[index]


def slice_index(node: Node) -> tuple[slice | int, ...]:
    """What STRIDED_SLICE takes, as an index; an axis that it takes whole keeps whatever size it has."""
    shape = node.input(0).shape
    begins, ends, strides = (node.constant(i).reshape(-1).tolist() for i in (1, 2, 3))
    begin_mask, end_mask, shrink = (node.option(f"{name}Mask") for name in ("begin", "end", "shrinkAxis"))
    plain = not (node.option("ellipsisMask") or node.option("newAxisMask"))
    node.require(plain and len(begins) == len(shape), "ellipsis and new axes are not supported")
    index: list[slice | int] = []
    for axis, size in enumerate(shape):
        if shrink >> axis & 1:
            index.append(0 if begin_mask >> axis & 1 else int(begins[axis]))
            continue
        begin = None if begin_mask >> axis & 1 else int(begins[axis])
        end = None if end_mask >> axis & 1 else int(ends[axis])
        taken = slice(begin, end, int(strides[axis]))
        whole = taken.indices(size) == (0, size, 1)
        index.append(slice(None) if whole else slice(*_bound(taken, size)))
    return tuple(index)


def _bound(taken: slice, size: int) -> tuple[int, int | None, int]:
    """A slice without bounds outside of the axis, which TensorFlow would not read as Python does."""
    begin, end, stride = taken.indices(size)
    return begin, None if end < 0 else end, stride


def resize_nearest_neighbor(node: Node) -> Lowered:
    """RESIZE_NEAREST_NEIGHBOR, positions in single precision."""
    import tensorflow as tf

    node.require_rank((0, 4))
    node.require_same_grid(node.input(0))
    rows, columns = (_nearest_positions(node, axis) for axis in (1, 2))
    return lambda x: tf.gather(tf.gather(x, rows, axis=1), columns, axis=2)


def resize_bilinear(node: Node) -> Lowered:
    """RESIZE_BILINEAR: whole weights, then one rounding, ties away from zero."""
    import tensorflow as tf

    node.require_rank((0, 4))
    node.require_int8_or_int16(node.input(0), node.output)
    node.require_same_grid(node.input(0))
    rows, columns = (_interpolation(node, axis) for axis in (1, 2))
    unit, zero_point = float(_RESIZE_UNIT**2), node.output.zero_point

    def interpolate(x: tf.Tensor) -> tf.Tensor:
        dtype = x.dtype.as_numpy_dtype
        return tf.einsum("yi,nijc,xj->nyxc", rows.astype(dtype), x, columns.astype(dtype))

    def exact(x: tf.Tensor) -> tf.Tensor:
        codes = interpolate(tf.cast(x, tf.float64) + zero_point) / unit  # exact: under 2^37 before
        rounded = tf.sign(codes) * tf.floor(tf.abs(codes) + 0.5)
        return tf.cast(rounded - zero_point, tf.float32)

    y = node.output
    return node.integer_operator(exact, lambda x: interpolate(x) / unit, Clamp(y.low, y.high))


def _resize(node: Node, axis: int) -> tuple[int, int, bool, bool]:
    """Sizes before and after along an axis, and whether corners, or half pixels, are aligned."""
    before, after = node.input(0).shape[axis], node.output.shape[axis]
    node.require(after > 0 and before * after <= 1 << 24, f"it resizes {before} elements to {after}")
    aligned = bool(node.option("alignCorners"))
    return before, after, aligned, bool(node.option("halfPixelCenters"))


def _nearest_positions(node: Node, axis: int) -> NDArray[np.int32]:
    before, after, aligned, half_pixel = _resize(node, axis)
    spread = aligned and after > 1
    scale = (
        np.float32(before - 1) / np.float32(after - 1) if spread else np.float32(before) / np.float32(after)
    )
    at = (np.arange(after, dtype=np.float32) + np.float32(0.5 if half_pixel else 0)) * scale
    nearest = np.floor(at + np.float32(0.5)) if aligned else np.floor(at)
    positions: NDArray[np.int32] = np.clip(nearest, 0, before - 1).astype(np.int32)
    return positions


def _interpolation(node: Node, axis: int) -> NDArray[Any]:
    """The weights [after, before] of an axis, in units of 1/1024."""
    before, after, aligned, half_pixel = _resize(node, axis)
    spread = aligned and after > 1
    span = after - 1 if spread else after
    scale = (_RESIZE_UNIT * (before - 1 if spread else before) + span // 2) // span
    at = np.arange(after) * scale + (scale // 2 - _RESIZE_UNIT // 2 if half_pixel else 0)
    towards_zero = np.sign(at) * (np.abs(at) // _RESIZE_UNIT)
    reach = at + _RESIZE_UNIT - 1
    low = np.clip(towards_zero, 0, before - 1)
    high = np.clip(np.sign(reach) * (np.abs(reach) // _RESIZE_UNIT), 0, before - 1)
    weight = at - _RESIZE_UNIT * low
    matrix = np.zeros((after, before), np.int64)
    np.add.at(matrix, (np.arange(after), low), _RESIZE_UNIT - weight)
    np.add.at(matrix, (np.arange(after), high), weight)
    return matrix
