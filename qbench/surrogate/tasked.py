"""A surrogate whose scores are those of its network's task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qbench.artifacts import Preprocessing
from qbench.surrogate.base import Surrogate
from qbench.tasks import Task

if TYPE_CHECKING:
    import tensorflow as tf


class TaskSurrogate:
    """A network, followed by what its task makes of an output.

    Args:
        network: gives outputs [n, elements], without a final sigmoid.
        preprocessing: from the domain to the network's own unit.
        task: makes scores [n, classes] of them.
    """

    def __init__(self, network: Surrogate, preprocessing: Preprocessing, task: Task) -> None:
        self.name, self.domain = network.name, network.domain
        self._network, self._preprocessing, self._task = network, preprocessing, task

    def logits(self, x: tf.Tensor) -> tf.Tensor:
        """Scores [n, classes] float32 of inputs [n, *shape] float32 in the domain."""
        return self._task.traced_scores(self._network.logits(x), self._preprocessing.traced(x))
