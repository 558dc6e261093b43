"""What an attack sees of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import Domain
from qbench.quant import Norm

if TYPE_CHECKING:
    import tensorflow as tf


class Surrogate(Protocol):
    """A network with a gradient.

    Attributes:
        name: as recorded in an advset, such as "float".
        domain: of the inputs; perturbation budgets are in its unit.
    """

    name: str
    domain: Domain

    def logits(self, x: tf.Tensor) -> tf.Tensor:
        """Scores before softmax, traceable in a `tf.function`.

        Args:
            x: [n, *shape] float32 in the domain.

        Returns:
            [n, classes] float32.
        """
        ...


class Oracle(Protocol):
    """A network that answers and gives away nothing else: a float network, a runtime, a device.

    Attributes:
        name: as recorded in an advset, such as "tflite-ref".
        step: the width of the levels that inputs are rounded to, in the domain's unit; None if they are not.
    """

    name: str
    step: float | None

    def __call__(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores of as many inputs as there are.

        Args:
            x: [n, *shape] float32 in the data's domain.

        Returns:
            [n, classes] float32: logits, or probabilities where the network ends in a softmax.

        Raises:
            UserError: a score is NaN or infinite.
        """
        ...

    def as_replayed(
        self, x_adv: NDArray[np.float32], x: NDArray[np.float32], eps: float, norm: Norm
    ) -> NDArray[np.float32]:
        """What a replay makes of adversarial inputs: rounded, and held to their ball among the levels.

        Asked for these, the network answers what it will answer when the inputs are replayed.

        Args:
            x_adv: [n, *shape] float32 in the domain.
            x: [n, *shape] float32 in the domain, the clean inputs.
            eps: radius of the ball, in the domain's unit; infinite for none.
            norm: of the ball.

        Returns:
            [n, *shape] float32 in the domain; `x_adv` for a network that takes float32.
        """
        ...
