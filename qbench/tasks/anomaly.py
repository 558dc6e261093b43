"""Anomaly detection by the reconstruction error of an autoencoder."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts.tasks import TaskInfo
from qbench.errors import UserError
from qbench.tasks.base import Array, Task

if TYPE_CHECKING:
    import tensorflow as tf

# What data names the labels 0 and 1 of an anomaly detector if it names none.
CLASSES = ("normal", "anomalous")
# Where no threshold is given: the share of normal inputs whose error it exceeds.
USUAL_QUANTILE = 0.95
# Inputs that such a threshold is taken from, normal and anomalous ones.
FITTED_ON = 2000


def anomaly_task(
    threshold: float | None, errors: NDArray[np.floating[Any]], y: NDArray[np.int64], shape: tuple[int, ...]
) -> TaskInfo:
    """The task of an autoencoder.

    Args:
        threshold: mean squared error above which an input is reported; the 95th percentile of the normal
            inputs among `errors` if None.
        errors: [n] mean squared errors of inputs that the threshold may be taken from.
        y: [n] labels of those; 0 is normal.
        shape: of a reconstruction.

    Raises:
        UserError: there is no normal input, or the threshold is not above zero.
    """
    if threshold is None:
        normal = errors[y == 0]
        if not len(normal):
            raise UserError(
                "the threshold of the anomaly detector is unknown",
                cause="none of the calibration inputs is normal (label 0)",
                hint="give it with --threshold, as a mean squared error",
            )
        threshold = float(np.quantile(normal, USUAL_QUANTILE))
    if not threshold > 0:
        raise UserError(
            f"the threshold {threshold:g} of the anomaly detector is not above zero",
            cause="a mean squared error is compared with it",
            hint="give a mean squared error, as in --threshold 10",
        )
    return TaskInfo(kind="anomaly", threshold=threshold, output_shape=shape)


class Anomaly(Task):
    """Normal or anomalous: label 1 where the mean squared error exceeds the threshold.

    The error is that of MLPerf Tiny's benchmark (Banbury et al., 2021): the mean over all elements of the
    squared difference between output and input, both in the network's own unit; the input as the network took
    it, rounded to its codes.
    """

    def scores(self, outputs: NDArray[Any], real: Callable[[], Array]) -> Array:
        """Rows of threshold and error."""
        error = errors(outputs, real()).astype(np.float32)
        return np.stack([np.full_like(error, self.info.threshold), error], axis=1)

    def traced_scores(self, outputs: tf.Tensor, real: tf.Tensor) -> tf.Tensor:
        """The same in a graph."""
        import tensorflow as tf

        error = tf.reduce_mean(tf.square(outputs - tf.reshape(real, tf.shape(outputs))), axis=1)
        return tf.stack([tf.fill(tf.shape(error), tf.cast(self.info.threshold, error.dtype)), error], axis=1)


def errors(outputs: NDArray[Any], real: Array) -> NDArray[np.float64]:
    """The mean squared error [n] of reconstructions [n, elements] of inputs [n, *shape]."""
    difference = outputs.astype(np.float64) - real.reshape(outputs.shape)
    return np.asarray(np.mean(difference**2, axis=1))
