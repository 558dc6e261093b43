"""What the attacks share that look for the smallest perturbation, whatever the budget."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from qbench.attacks.base import Adversarials, Attack, Victims
from qbench.attacks.norms import differ, lengths, shrink

if TYPE_CHECKING:
    import tensorflow as tf


class MinimumNormAttack(Attack):
    """Finds the nearest input that fools; one search serves all budgets.

    At a budget, a perturbation that is larger is shrunk into the ball and judged there.
    """

    @abstractmethod
    def nearest(self, victims: Victims) -> Adversarials:
        """The nearest input that fools, of one whole batch; the clean one where none was found."""

    def attack_batch(self, victims: Victims, budgets: Sequence[float]) -> tuple[Adversarials, ...]:
        """One search, cut to each budget."""
        found = self.nearest(victims)
        return tuple(self.on_grid(self._within(found, victims, eps), victims, eps) for eps in budgets)

    def _within(self, found: Adversarials, victims: Victims, eps: float) -> Adversarials:
        domain = self.surrogate.domain
        delta = found.x - victims.x
        shorter = shrink(delta, eps, self.norm)
        x = found.x.copy()  # to the bit where it is inside: a sum could round an element between two levels
        outside = differ(shorter, delta)
        x[outside] = np.clip(victims.x[outside] + shorter[outside], domain.low, domain.high)
        seen = self.as_replayed(x, victims.x, eps)
        moved = differ(seen, self.as_replayed(found.x, victims.x, np.inf))  # the search knows of no ball
        if not moved.any():
            return Adversarials(x, found.logits, found.queries)
        logits = found.logits.copy()
        logits[moved] = self.score(seen[moved])
        return Adversarials(x, logits, found.queries + (moved & self.asks))


class Nearest(NamedTuple):
    """For each sample the nearest input that fools so far.

    Attributes:
        x: [n, *shape]; the clean input where none is found yet.
        logits: [n, classes], what the network says of them.
        distance: [n] from the clean input; infinite where none is found yet.
    """

    x: tf.Tensor
    logits: tf.Tensor
    distance: tf.Tensor

    @classmethod
    def before(cls, x: tf.Tensor, logits: tf.Tensor, fools: tf.Tensor) -> Nearest:
        """Of clean inputs, some of which may fool already, [n] bool: nothing is nearer than those."""
        import tensorflow as tf

        return cls(x, logits, tf.where(fools, 0.0, np.inf))

    @property
    def missing(self) -> tf.Tensor:
        """Where none is found yet: [n] bool."""
        import tensorflow as tf

        return tf.math.is_inf(self.distance)

    def keep_better(self, x: tf.Tensor, logits: tf.Tensor, distance: tf.Tensor, fools: tf.Tensor) -> Nearest:
        """With inputs [n, *shape] taken where they fool and are nearer."""
        import tensorflow as tf

        # Rows are copied, since selecting element by element costs five times as much.
        rows = tf.where(fools & (distance < self.distance))
        return Nearest(
            *(
                tf.tensor_scatter_nd_update(old, rows, tf.gather_nd(new, rows))
                for old, new in zip(self, (x, logits, distance), strict=True)
            )
        )


class GradientMinimumNormAttack(MinimumNormAttack):
    """Searches by the surrogate's gradient, in one compiled graph."""

    @abstractmethod
    def descend(self, x: tf.Tensor, y: tf.Tensor, clean: Nearest) -> Nearest:
        """The search, traced once.

        Args:
            x: [n, *shape] float32, clean inputs.
            y: [n] int64, their labels.
            clean: what is known of them.
        """

    def nearest(self, victims: Victims) -> Adversarials:
        """One search."""
        import tensorflow as tf

        best = Nearest(*self._compiled_search(tf.constant(victims.x), tf.constant(victims.y)))
        return Adversarials.without_queries(best.x.numpy(), best.logits.numpy())

    @cached_property
    def _compiled_search(self) -> Any:
        import tensorflow as tf

        return tf.function(self._search)

    def _search(self, x: tf.Tensor, y: tf.Tensor) -> Nearest:
        logits = self.surrogate.logits(x)
        return self.descend(x, y, Nearest.before(x, logits, self.goal.reached(logits, y)))

    def judge(self, best: Nearest, x_adv: tf.Tensor, x: tf.Tensor, y: tf.Tensor) -> tuple[Nearest, tf.Tensor]:
        """The nearest input after one more was scored, and the margins [n] of that one."""
        logits = self.surrogate.logits(x_adv)
        height = self.goal.margin(logits, y)
        return best.keep_better(x_adv, logits, lengths(x_adv - x, self.norm), height > 0), height
