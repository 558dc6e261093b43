"""What a task does with a network's outputs: scores that attacks climb and that replays compare."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts.tasks import TaskInfo

if TYPE_CHECKING:
    import tensorflow as tf

Array = NDArray[np.float32]


class Task:
    """Classification by the highest score: an output is its own row of scores.

    Other tasks derive from this one. Scores are rows [n, classes], and the label is the highest of a row, the
    first of equal ones, whatever the task: so every attack and every figure of labels holds for all of them.
    Only a regression's scores are its values; `rows` compares them with the true ones.

    Args:
        info: as a bundle's header has it.
    """

    def __init__(self, info: TaskInfo) -> None:
        self.info = info

    def scores(self, outputs: NDArray[Any], real: Callable[[], Array]) -> NDArray[Any]:
        """Scores [n, classes] from what an artefact gives.

        Args:
            outputs: [n, elements], dequantized if the artefact gives codes.
            real: gives the inputs [n, *shape] float32 in the network's own unit, as the artefact took them.
        """
        del real
        return outputs

    def rows(self, scores: NDArray[Any], values: Array | None) -> NDArray[Any]:
        """Rows [n, classes] whose highest element is the label, from scores.

        Args:
            scores: as of `scores`, or what a surrogate or oracle gives.
            values: [n, elements] float32, the true values of a regression; None of other tasks.
        """
        del values
        return scores

    def traced_scores(self, outputs: tf.Tensor, real: tf.Tensor) -> tf.Tensor:
        """The same in a graph, from what a surrogate gives: without its final sigmoid, if it has one."""
        del real
        return outputs
