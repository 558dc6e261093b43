"""What a climb keeps of its iterates, inside the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import tensorflow as tf


def broadcast(values: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    """One value a sample [n], shaped to broadcast against x [n, *shape]."""
    import tensorflow as tf

    return tf.reshape(values, [-1] + [1] * (x.shape.rank - 1))


class Best(NamedTuple):
    """For each sample the best iterate so far: one that fools before others, then the highest loss."""

    x: tf.Tensor
    logits: tf.Tensor
    fooled: tf.Tensor
    loss: tf.Tensor

    def keep_better(self, x: tf.Tensor, logits: tf.Tensor, loss: tf.Tensor, fooled: tf.Tensor) -> Best:
        """The better of this and a new iterate, sample by sample."""
        import tensorflow as tf

        better = (fooled & ~self.fooled) | ((fooled == self.fooled) & (loss > self.loss))
        wide = broadcast(better, x)
        return Best(
            tf.where(wide, x, self.x),
            tf.where(better[:, None], logits, self.logits),
            tf.where(better, fooled, self.fooled),
            tf.where(better, loss, self.loss),
        )
