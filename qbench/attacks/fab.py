"""FAB: the fast adaptive boundary attack, targeted."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from qbench.attacks.base import Settings
from qbench.attacks.compaction import ActiveRows
from qbench.attacks.hyperplane import step_to_plane
from qbench.attacks.losses import finite_only, margin, of_class, top_rivals
from qbench.attacks.minimum import GradientMinimumNormAttack, Nearest
from qbench.attacks.norms import lengths

if TYPE_CHECKING:
    import tensorflow as tf

# Where neither of two projections moves at all, their weights are equal.
_TINY = 1e-8

# The final search, and how far beyond the estimated boundary it aims: a share of what lies beyond.
_FINAL_SEARCH_STEPS, _BEYOND = 3, 0.01


class FabSettings(Settings):
    """Of FAB-T."""

    steps: int = Field(100, ge=1, description="gradient steps a target class, at least 1")
    targets: int = Field(9, ge=1, description="target classes, at least 1: those with the best clean logits")
    alpha_max: float = Field(0.1, ge=0, le=1, description="largest pull towards the clean input, 0 to 1")
    eta: float = Field(1.05, ge=1, allow_inf_nan=False, description="overshoot of a projection, 1 or more")
    beta: float = Field(0.9, ge=0, lt=1, description="share of a perturbation kept after it fooled, below 1")


class FabT(GradientMinimumNormAttack):
    """Walks along the linearized boundary to a target class, pulled towards the clean input.

    Croce and Hein, "Minimally Distorted Adversarial Examples with a Fast Adaptive Boundary Attack", ICML
    2020, algorithm 1 and section 3.4, without random restarts; towards one target class at a time, as in
    Croce and Hein, "Reliable Evaluation of Adversarial Robustness with an Ensemble of Diverse Parameter-free
    Attacks", ICML 2020, section 5. Where a point fooled, the paper steps back by beta and linearizes there,
    which costs another forward pass a step; here the plane found at the point itself serves, one pass a step.
    On ResNet-8 the perturbations are no larger for it.
    """

    name = "fab-t"
    norms = ("linf", "l2")
    settings_type: ClassVar[type[Settings]] = FabSettings
    settings: FabSettings

    def descend(self, x: tf.Tensor, y: tf.Tensor, clean: Nearest) -> Nearest:
        """One search a target class, of what is classified right."""
        import tensorflow as tf

        rows = ActiveRows.of(clean.missing)
        x_part, y_part, start = rows.of_each((x, y, clean))
        targets = top_rivals(start.logits, y_part, self.settings.targets)
        _, found = tf.while_loop(
            lambda i, _: i < targets.shape[1],
            lambda i, best: (i + 1, self._towards(targets[:, i], x_part, y_part, best)),
            (tf.constant(0), start),
            parallel_iterations=1,
        )
        found = self._final_search(found, x_part, y_part, margin(start.logits, y_part))
        return rows.write_back(clean, found)

    def _towards(self, target: tf.Tensor, x: tf.Tensor, y: tf.Tensor, best: Nearest) -> Nearest:
        """The search towards one target class [n]."""
        import tensorflow as tf

        def body(i: tf.Tensor, x_adv: tf.Tensor, best: Nearest) -> tuple[tf.Tensor, tf.Tensor, Nearest]:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(x_adv)
                logits = self.surrogate.logits(x_adv)
                lead = of_class(logits, target) - of_class(logits, y)
            normal = finite_only(tape.gradient(lead, x_adv))
            fools = margin(logits, y) > 0
            best = best.keep_better(x_adv, logits, lengths(x_adv - x, self.norm), fools)
            kept = tf.where(fools, self.settings.beta, 1.0)
            back = x + tf.reshape(kept, [-1] + [1] * (x.shape.rank - 1)) * (x_adv - x)
            rise = tf.reduce_sum(normal * (x_adv - x), axis=axes)
            gaps = ((1 - kept) * rise - lead, rise - lead)
            return i + 1, self._combine(back, x, normal, gaps), best

        axes = list(range(1, x.shape.rank))
        _, x_adv, best = tf.while_loop(
            lambda i, *_: i < self.settings.steps,
            body,
            (tf.constant(0), x, best),
            parallel_iterations=1,
        )
        return self.judge(best, x_adv, x, y)[0]

    def _combine(
        self, x_adv: tf.Tensor, x: tf.Tensor, normal: tf.Tensor, gaps: tuple[tf.Tensor, tf.Tensor]
    ) -> tf.Tensor:
        """The projections of both inputs, overshot, weighted by how near each is to the plane."""
        import tensorflow as tf

        domain = self.surrogate.domain
        own = step_to_plane(x_adv, normal, gaps[0], domain, self.norm)
        clean = step_to_plane(x, normal, gaps[1], domain, self.norm)
        own_size, clean_size = (tf.maximum(lengths(step, self.norm), _TINY) for step in (own, clean))
        alpha = tf.minimum(own_size / (own_size + clean_size), self.settings.alpha_max)
        alpha = tf.reshape(alpha, [-1] + [1] * (x.shape.rank - 1))
        eta = self.settings.eta
        mixed = (1 - alpha) * (x_adv + eta * own) + alpha * (x + eta * clean)
        return tf.clip_by_value(mixed, domain.low, domain.high)

    def _final_search(self, best: Nearest, x: tf.Tensor, y: tf.Tensor, height: tf.Tensor) -> Nearest:
        """Shortens perturbations along their line to where the margin, taken as linear, crosses zero."""
        import tensorflow as tf

        inner, inner_height = x, height
        for _ in range(_FINAL_SEARCH_STEPS):
            outer_height = margin(best.logits, y)
            share = tf.math.divide_no_nan(inner_height, inner_height - outer_height)
            share = tf.reshape(share + _BEYOND * (1 - share), [-1] + [1] * (x.shape.rank - 1))
            between = inner + share * (best.x - inner)
            best, height = self.judge(best, between, x, y)
            right = tf.reshape(height <= 0, [-1] + [1] * (x.shape.rank - 1))
            inner = tf.where(right, between, inner)
            inner_height = tf.where(height <= 0, height, inner_height)
        return best
