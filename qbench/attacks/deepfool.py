"""DeepFool: step by step to the nearest boundary of the linearized network."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from qbench.attacks.base import Settings
from qbench.attacks.compaction import ActiveRows
from qbench.attacks.hyperplane import plane_distance, reachable, step_to_plane
from qbench.attacks.losses import finite_only, of_class, top_rivals
from qbench.attacks.minimum import GradientMinimumNormAttack, Nearest

if TYPE_CHECKING:
    import tensorflow as tf


class DeepFoolSettings(Settings):
    """Of DeepFool."""

    steps: int = Field(50, ge=1, description="linearizations, at least 1; most inputs need a few")
    overshoot: float = Field(
        0.02, ge=0, allow_inf_nan=False, description="share of the perturbation that is added, 0 or more"
    )
    candidates: int = Field(
        10,
        ge=2,
        description="classes tried, those with the best clean logits, the true one included; at least 2",
    )


class DeepFool(GradientMinimumNormAttack):
    """Repeats: linearize every candidate class's lead over the true one, step to the nearest boundary.

    Moosavi-Dezfooli, Fawzi and Frossard, "DeepFool: A Simple and Accurate Method to Fool Deep Neural
    Networks", CVPR 2016, algorithm 2; for Linf section 3.3. As in the authors' own program, the next
    linearization is taken where the overshoot leads to. The paper knows no bounds of inputs: here each step
    is the shortest one within the domain, and a boundary outside of it is taken only where all are.

    May not converge near non-smooth points; the result then depends on rounding, and so on the batch size.
    """

    name = "deepfool"
    norms = ("l2", "linf")
    settings_type: ClassVar[type[Settings]] = DeepFoolSettings
    settings: DeepFoolSettings

    def descend(self, x: tf.Tensor, y: tf.Tensor, clean: Nearest) -> Nearest:
        """All steps; a sample that is found takes no more of them."""
        import tensorflow as tf

        rivals = top_rivals(clean.logits, y, self.settings.candidates - 1)

        def body(i: tf.Tensor, total: tf.Tensor, best: Nearest) -> tuple[tf.Tensor, tf.Tensor, Nearest]:
            rows = ActiveRows.of(best.missing)
            x_part, y_part, total_part, best_part = rows.of_each((x, y, total, best))
            here = self._overshoot(x_part, total_part)
            total_part += self._step(here, y_part, rows.of_each(rivals))
            best_part, _ = self.judge(best_part, self._overshoot(x_part, total_part), x_part, y_part)
            return i + 1, *rows.write_back((total, best), (total_part, best_part))

        _, _, best = tf.while_loop(
            lambda i, _, best: (i < self.settings.steps) & tf.reduce_any(best.missing),
            body,
            (tf.constant(0), tf.zeros_like(x), clean),
            parallel_iterations=1,
        )
        found: Nearest = best
        return found

    def _overshoot(self, x: tf.Tensor, total: tf.Tensor) -> tf.Tensor:
        import tensorflow as tf

        domain = self.surrogate.domain
        return tf.clip_by_value(x + (1 + self.settings.overshoot) * total, domain.low, domain.high)

    def _step(self, x: tf.Tensor, y: tf.Tensor, rivals: tf.Tensor) -> tf.Tensor:
        """From x to the nearest of the linearized boundaries [n, *shape]; one backward pass a rival."""
        import tensorflow as tf

        with tf.GradientTape(watch_accessed_variables=False, persistent=True) as tape:
            tape.watch(x)
            logits = self.surrogate.logits(x)
            true = of_class(logits, y)
            leads = [of_class(logits, rival) - true for rival in tf.unstack(rivals, axis=1)]
        shortest, within = tf.fill(tf.shape(true), np.float32(np.inf)), tf.zeros_like(true, tf.bool)
        normal, gap = tf.zeros_like(x), tf.zeros_like(true)
        for lead in leads:
            gradient = finite_only(tape.gradient(lead, x))
            distance = plane_distance(tf.abs(lead), gradient, self.norm)
            inside = reachable(x, gradient, -lead, self.surrogate.domain)
            nearer = (inside & ~within) | ((inside == within) & (distance < shortest))
            within |= inside
            wide = tf.reshape(nearer, [-1] + [1] * (x.shape.rank - 1))
            shortest, gap = tf.where(nearer, distance, shortest), tf.where(nearer, -lead, gap)
            normal = tf.where(wide, gradient, normal)
        return step_to_plane(x, normal, gap, self.surrogate.domain, self.norm)
