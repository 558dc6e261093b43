"""Regression: outputs are values, and the error is their distance from the true ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts.tasks import TaskInfo
from qbench.errors import UserError
from qbench.tasks.base import Array, Task

if TYPE_CHECKING:
    import tensorflow as tf

# The labels of a regression: every input's is the first, and a prediction's tells its error.
CLASSES = ("within tolerance", "beyond tolerance")
# Where no tolerance is given: the share of calibration inputs whose error it exceeds.
USUAL_QUANTILE = 0.95


def regression_task(
    tolerance: float | None, found: NDArray[np.floating[Any]], shape: tuple[int, ...]
) -> TaskInfo:
    """The task of a network that gives values.

    Args:
        tolerance: the largest error that counts as right; the 95th percentile of `found` if None.
        found: [n] errors of calibration inputs.
        shape: of an output.

    Raises:
        UserError: the tolerance is negative.
    """
    tolerance = float(np.quantile(found, USUAL_QUANTILE)) if tolerance is None else tolerance
    if tolerance < 0:
        raise UserError(
            f"the tolerance {tolerance:g} is negative",
            cause="a mean absolute error is compared with it",
            hint="give the largest error that counts as right, as in --threshold 0.5",
        )
    return TaskInfo(kind="regression", threshold=tolerance, output_shape=shape)


class Regression(Task):
    """Values; a prediction is right whose mean absolute error does not exceed the tolerance."""

    def rows(self, scores: NDArray[Any], values: Array | None) -> NDArray[Any]:
        """Rows of tolerance and error, for the true values [n, elements]."""
        if values is None:
            raise UserError(
                "the inputs have no values to compare a regression with",
                hint="give data whose y holds the true values, as float32",
            )
        error = absolute_errors(scores, values).astype(np.float32)
        return np.stack([np.full_like(error, self.info.threshold), error], axis=1)


def absolute_errors(outputs: NDArray[Any], values: Array) -> NDArray[np.float64]:
    """The mean absolute error [n] of outputs [n, elements], for the true values alike."""
    difference = outputs.reshape(values.shape).astype(np.float64) - values
    return np.asarray(np.mean(np.abs(difference), axis=1))


def traced_errors(outputs: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """The same in a graph, float32."""
    import tensorflow as tf

    return tf.reduce_mean(tf.abs(outputs - values), axis=1)
