"""Logits of many inputs, in compiled batches of one size."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.errors import UserError
from qbench.quant import Norm
from qbench.surrogate.base import Surrogate
from qbench.surrogate.memory import halve, out_of_memory

# Of a sum of float32 probabilities.
_FLOAT_TOLERANCE = 1e-3


class Scorer:
    """A surrogate as an oracle: called without gradients.

    Args:
        surrogate: the network.
        batch: inputs a pass at most; a shorter one is padded to a power of two, for few graphs to compile.
    """

    step: float | None = None

    def __init__(self, surrogate: Surrogate, batch: int = 256) -> None:
        import tensorflow as tf

        self.batch = batch
        self.name = surrogate.name
        self._logits = tf.function(surrogate.logits)

    def __call__(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits [n, classes] float32 of inputs [n, *shape] float32 in the surrogate's domain.

        Raises:
            UserError: a logit is NaN or infinite.
        """
        scores: list[NDArray[np.float32]] = []
        start = 0
        while start < len(x):
            try:
                scores.append(self._score(x[start : start + self.batch]))
            except out_of_memory() as error:
                self.batch = halve(self.batch, error)
                continue
            start += len(scores[-1])
        logits: NDArray[np.float32] = np.concatenate(scores)
        check_finite(logits, self.name)
        return logits

    def as_replayed(
        self, x_adv: NDArray[np.float32], x: NDArray[np.float32], eps: float, norm: Norm
    ) -> NDArray[np.float32]:
        """As they are: nothing is rounded."""
        del x, eps, norm
        return x_adv

    def _score(self, part: NDArray[np.float32]) -> NDArray[np.float32]:
        """One pass."""
        import tensorflow as tf

        size = min(self.batch, 1 << (len(part) - 1).bit_length())
        padded = part[np.arange(size) % len(part)]
        logits: NDArray[np.float32] = self._logits(tf.constant(padded)).numpy()[: len(part)]
        return logits


def are_probabilities(scores: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    """Which scores [n, classes] look like a softmax's: none negative, with sum 1. An array [n].

    Integer runtimes give probabilities in steps of 1/256, each wrong by half a step at most.
    """
    tolerance = _FLOAT_TOLERANCE + scores.shape[1] / 512
    return np.asarray((scores >= 0).all(axis=1) & (np.abs(scores.sum(axis=1) - 1) <= tolerance))


def check_finite(logits: NDArray[np.float32], network: str) -> None:
    """Refuse logits [n, classes] that no attack can climb.

    Raises:
        UserError: a logit is NaN or infinite.
    """
    bad = int((~np.isfinite(logits)).any(axis=1).sum())
    if bad:
        raise UserError(
            f"the {network} network gives NaN or infinity for {bad} of {len(logits)} inputs",
            cause="weights that are not finite, or inputs far from what it was trained on",
            hint="check its weights, and the --input-range that it was exported with",
        )
