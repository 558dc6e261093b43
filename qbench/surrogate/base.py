"""What an attack sees of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from qbench.artifacts import Domain

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
