"""Sliding windows over images, with TFLite's paddings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import tensorflow as tf


# Elements that a window may span, and that it may step by.
_WIDEST = 1 << 14


@dataclass(frozen=True)
class Axis:
    """One axis of a sliding window.

    Attributes:
        size: of the input.
        window: elements that it spans.
        stride: elements between two positions.
        before, after: padding.
        dilation: elements between two of its taps.
    """

    size: int
    window: int
    stride: int
    before: int
    after: int
    dilation: int = 1

    @classmethod
    def of(cls, size: int, window: int, stride: int, *, same: bool, dilation: int = 1) -> Axis:
        """The axis under the padding SAME, which splits in halves and leaves the larger behind, or VALID.

        Raises:
            ValueError: there is no such window.
        """
        if not (0 < window <= _WIDEST and 0 < stride <= _WIDEST and size > 0):
            raise ValueError(f"a window of {window} by steps of {stride} over {size} elements")
        if not same and window > size:
            raise ValueError(f"a window of {window} does not fit into {size} elements")
        positions = -(-size // stride) if same else (size - window) // stride + 1
        padding = max((positions - 1) * stride + window - size, 0) if same else 0
        return cls(size, window, stride, padding // 2, padding - padding // 2, dilation)

    def taps(self) -> NDArray[np.int64]:
        """How many elements the window meets at each position."""
        starts = np.arange(0, self.size + self.before + self.after - self.window + 1, self.stride)
        first = starts - self.before
        met: NDArray[np.int64] = np.minimum(first + self.window, self.size) - np.maximum(first, 0)
        return met


def pad_image(x: tf.Tensor, axes: tuple[Axis, Axis], value: float) -> tf.Tensor:
    """[n, height, width, channels] with the padding of its rows and columns."""
    import tensorflow as tf

    rows, columns = axes
    paddings = [[0, 0], [rows.before, rows.after], [columns.before, columns.after], [0, 0]]
    return tf.pad(x, paddings, constant_values=value)


def with_gaps(filters: NDArray[Any], rows: int, columns: int) -> NDArray[Any]:
    """Filters [height, width, ...] dilated by zeros; TensorFlow has no gradient of dilation on CPUs."""
    if not (0 < rows <= _WIDEST and 0 < columns <= _WIDEST):
        raise ValueError(f"a dilation by {rows} and {columns}")
    height, width = (
        (size - 1) * step + 1 for size, step in zip(filters.shape, (rows, columns), strict=False)
    )
    if height > _WIDEST or width > _WIDEST or height * width * math.prod(filters.shape[2:]) > 1 << 26:
        raise ValueError(f"a filter of {height} by {width} taps")
    wide = np.zeros((height, width, *filters.shape[2:]), filters.dtype)
    wide[::rows, ::columns] = filters
    return wide
