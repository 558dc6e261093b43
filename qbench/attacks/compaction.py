"""Batches that shrink as their samples finish, inside a compiled graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    import tensorflow as tf

Tree = TypeVar("Tree")


class ActiveRows(NamedTuple):
    """The rows of a batch that a pass holds: the active ones, in order, and some that have finished.

    Those fill it up to a power of two or the whole batch, because kernels are prepared once a shape, and the
    order of their sums depends on it. What a pass makes of them is dropped.

    Attributes:
        rows: [m] int32, all different.
        count: of the active ones, which come first.
    """

    rows: tf.Tensor
    count: tf.Tensor

    @classmethod
    def of(cls, active: tf.Tensor) -> ActiveRows:
        """From a mask [n]; n is known when the graph is traced."""
        import tensorflow as tf

        batch = int(active.shape[0])
        sizes = [min(2**i, batch) for i in range((batch - 1).bit_length() + 1)]
        count = tf.math.count_nonzero(active, dtype=tf.int32)
        enough = tf.gather(sizes, tf.searchsorted(sizes, [count])[0])
        return cls(tf.argsort(tf.cast(~active, tf.int32), stable=True)[:enough], count)

    def of_each(self, whole: Tree) -> Tree:
        """These rows of each tensor [n, ...] of a structure."""
        import tensorflow as tf

        part: Tree = tf.nest.map_structure(lambda each: tf.gather(each, self.rows), whole)
        return part

    def write_back(self, whole: Tree, part: Tree) -> Tree:
        """Each tensor [n, ...] of a structure with its active rows replaced by those of `part`."""
        import tensorflow as tf

        rows = self.rows[: self.count, None]
        changed: Tree = tf.nest.map_structure(
            lambda old, new: tf.tensor_scatter_nd_update(old, rows, new[: self.count]), whole, part
        )
        return changed
