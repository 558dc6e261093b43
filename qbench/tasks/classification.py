"""Classification by one score against a threshold."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts.tasks import TaskInfo
from qbench.errors import UserError
from qbench.tasks.base import Array, Task

if TYPE_CHECKING:
    import tensorflow as tf

# Of a probability that a sigmoid gives, and of any other score.
USUAL_PROBABILITY, USUAL_SCORE = 0.5, 0.0


def one_score_task(threshold: float | None, *, sigmoid: bool, name: str) -> TaskInfo:
    """The task of a network with one score, two classes and a threshold.

    Args:
        threshold: that the score of label 1 must exceed; 0.5 for a probability and 0 else, if None.
        sigmoid: whether the score is a probability.
        name: what an error calls the network.

    Raises:
        UserError: no probability can lie on both sides of the threshold.
    """
    usual = USUAL_PROBABILITY if sigmoid else USUAL_SCORE
    found = usual if threshold is None else threshold
    if sigmoid and not 0 < found < 1:
        raise UserError(
            f"the threshold {found:g} decides nothing: {name} ends in a sigmoid, whose output lies "
            "between 0 and 1",
            hint="give a probability, such as --threshold 0.5",
        )
    return TaskInfo(threshold=found, sigmoid=sigmoid, output_shape=(1,))


class OneScore(Task):
    """Two classes from one score: label 1 where it exceeds the threshold."""

    @property
    def threshold(self) -> float:
        """As the header states it."""
        return self.info.threshold or 0.0

    def scores(self, outputs: NDArray[Any], real: Callable[[], Array]) -> Array:
        """Rows of threshold and score."""
        del real
        score = outputs.reshape(len(outputs), 1).astype(np.float32)
        return np.concatenate([np.full_like(score, self.threshold), score], axis=1)

    def traced_scores(self, outputs: tf.Tensor, real: tf.Tensor) -> tf.Tensor:
        """Rows of threshold and score, both before the sigmoid: there no score saturates in float32."""
        import tensorflow as tf

        del real
        bound = self.threshold
        if self.info.sigmoid:
            bound = math.log(bound) - math.log1p(-bound)
        return tf.concat([tf.fill(tf.shape(outputs), tf.cast(bound, outputs.dtype)), outputs], axis=1)
