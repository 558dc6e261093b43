"""What an attack maximizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import tensorflow as tf


def cross_entropy(logits: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Cross-entropy of every sample: [n] float32, for logits [n, classes] and labels [n]."""
    import tensorflow as tf

    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)


def more_harmful(
    logits: NDArray[np.float32], than: NDArray[np.float32], y: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which samples [n] a result harms more: misclassified before classified right, then by higher loss."""
    from scipy.special import log_softmax

    rows = np.arange(len(y))
    fooled, fooled_before = logits.argmax(axis=1) != y, than.argmax(axis=1) != y
    higher = log_softmax(logits, axis=1)[rows, y] < log_softmax(than, axis=1)[rows, y]
    return np.asarray(np.where(fooled == fooled_before, higher, fooled))
