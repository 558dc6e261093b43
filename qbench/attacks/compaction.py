"""Batches that shrink as their samples finish, inside a compiled graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorflow as tf


def rows_first(active: tf.Tensor) -> tf.Tensor:
    """The rows of a batch that a pass must hold: the active ones, in order.

    They are filled up with finished rows, the first ones first, to a power of two or the whole batch: kernels
    are prepared once a shape, and the order of their sums depends on it.

    Args:
        active: [n] bool.

    Returns:
        [m] int32, all different.
    """
    import tensorflow as tf

    batch = int(active.shape[0])
    sizes = [min(2**i, batch) for i in range((batch - 1).bit_length() + 1)]
    enough = tf.searchsorted(sizes, [tf.math.count_nonzero(active, dtype=tf.int32)])[0]
    return tf.argsort(tf.cast(~active, tf.int32), stable=True)[: tf.gather(sizes, enough)]


def replace_rows(whole: tf.Tensor, rows: tf.Tensor, part: tf.Tensor) -> tf.Tensor:
    """A batch [n, ...] with rows [m] replaced by those of `part` [m, ...]."""
    import tensorflow as tf

    return tf.tensor_scatter_nd_update(whole, rows[:, None], part)
