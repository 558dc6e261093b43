"""What an attack is after: any label but the true one, or one label of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from qbench.attacks.losses import margin, soft_margin
from qbench.tasks.regression import absolute_errors, traced_errors

if TYPE_CHECKING:
    import tensorflow as tf

_Real = TypeVar("_Real", "tf.Tensor", NDArray[np.float32])


@dataclass(frozen=True)
class Goal:
    """Away from labels y [n], or towards them: the same functions of y, with the opposite sign.

    Towards a label the loss is that of Kurakin, Goodfellow and Bengio, "Adversarial Machine Learning at
    Scale", ICLR 2017, and the margin the targeted f6 of Carlini and Wagner, S&P 2017, less its bound.
    `loss`, `margin` and `reached` are for graphs, the others for arrays.

    Attributes:
        targeted: towards.
    """

    targeted: bool = False

    def loss(self, logits: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """What rises and falls with the cross-entropy: [n], for logits [n, classes]."""
        return self._sign(soft_margin(logits, y))

    def margin(self, logits: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """The lead of the labels that are wanted over those that are not: [n], positive where reached."""
        return self._sign(margin(logits, y))

    def reached(self, logits: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """Where the label is one that is wanted: [n] bool."""
        import tensorflow as tf

        label = tf.argmax(logits, axis=1)
        return label == y if self.targeted else label != y

    def met(self, scores: NDArray[np.float32], y: NDArray[np.int64]) -> NDArray[np.bool_]:
        """The same of arrays; the first of equal scores counts, as everywhere in qbench."""
        label = scores.argmax(axis=1)
        return np.asarray(label == y if self.targeted else label != y)

    def heights(self, scores: NDArray[np.float32], y: NDArray[np.int64]) -> NDArray[np.float32]:
        """The same as `margin`, of arrays."""
        others = scores.copy()
        rows = np.arange(len(y))
        others[rows, y] = -np.inf
        return np.asarray(self._sign(others.max(axis=1) - scores[rows, y]))

    def more_harmful(
        self, logits: NDArray[np.float32], than: NDArray[np.float32], y: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Which samples [n] a result harms more: where only it reaches the goal, then by higher loss."""
        met, met_before = self.met(logits, y), self.met(than, y)
        loss, loss_before = (self._losses(each, y) for each in (logits, than))
        return np.asarray(np.where(met == met_before, loss > loss_before, met))

    def _losses(self, scores: NDArray[np.float32], y: NDArray[np.int64]) -> NDArray[np.float32]:
        """The same as `loss`, of arrays."""
        from scipy.special import logsumexp

        others = scores.copy()
        rows = np.arange(len(y))
        others[rows, y] = -np.inf
        return np.asarray(self._sign(logsumexp(others, axis=1) - scores[rows, y]))

    def _sign(self, away: _Real) -> _Real:
        return -away if self.targeted else away


@dataclass(frozen=True)
class ErrorGoal(Goal):
    """The largest error of a regression: y [n] are positions among the true values, logits the network's.

    It is never reached, so that a search goes on to its end, and its result is the largest error seen.

    Attributes:
        values: [inputs, elements] float32.
    """

    values: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 1), np.float32))

    def loss(self, logits: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """The mean absolute error [n]."""
        import tensorflow as tf

        return traced_errors(logits, tf.gather(tf.constant(self.values), y))

    def margin(self, logits: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """The same."""
        return self.loss(logits, y)

    def reached(self, logits: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """Nowhere."""
        import tensorflow as tf

        del logits
        return tf.zeros_like(y, tf.bool)

    def met(self, scores: NDArray[np.float32], y: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Nowhere."""
        del scores
        return np.zeros(len(y), bool)

    def heights(self, scores: NDArray[np.float32], y: NDArray[np.int64]) -> NDArray[np.float32]:
        """The mean absolute error [n] of arrays."""
        return absolute_errors(scores, self.values[y]).astype(np.float32)

    def _losses(self, scores: NDArray[np.float32], y: NDArray[np.int64]) -> NDArray[np.float32]:
        """The same."""
        return self.heights(scores, y)
