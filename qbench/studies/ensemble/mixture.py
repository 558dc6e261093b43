"""An ensemble as one network with a gradient, so that the ordinary attacks can be turned on the whole."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from qbench.surrogate.base import Surrogate

if TYPE_CHECKING:
    import tensorflow as tf


class Mixture:
    """The members' mean probability, as its logarithm: softmax of these logits is the averaged vote.

    Args:
        members: at least one; all of one domain and the same classes.

    Attributes:
        members: in order.
        name: "mean of" and the members' names.
        domain: theirs.
    """

    def __init__(self, members: Sequence[Surrogate]) -> None:
        self.members = tuple(members)
        self.name = f"mean of {', '.join(sorted({member.name for member in members}))}"
        self.domain = members[0].domain

    def logits(self, x: tf.Tensor) -> tf.Tensor:
        """Scores [n, classes] float32 of inputs [n, *shape] float32 in the domain."""
        import tensorflow as tf

        logs = tf.stack([tf.nn.log_softmax(member.logits(x)) for member in self.members])
        return tf.reduce_logsumexp(logs, axis=0) - math.log(len(self.members))
