"""Attacks that climb the loss along its gradient, in one compiled graph: FGSM, BIM, PGD."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from qbench.attacks.base import Adversarials, BoundedAttack, Settings, Victims
from qbench.attacks.losses import cross_entropy
from qbench.attacks.norms import project, random_points, steepest_step

if TYPE_CHECKING:
    import tensorflow as tf


class _Best(NamedTuple):
    """For each sample the best iterate so far: a misclassified one before others, then the highest loss."""

    x: tf.Tensor
    logits: tf.Tensor
    fooled: tf.Tensor
    loss: tf.Tensor

    def updated(self, x: tf.Tensor, logits: tf.Tensor, loss: tf.Tensor, y: tf.Tensor) -> _Best:
        """The better of this and a new iterate, sample by sample."""
        import tensorflow as tf

        fooled = tf.argmax(logits, axis=1) != y
        better = (fooled & ~self.fooled) | ((fooled == self.fooled) & (loss > self.loss))
        wide = tf.reshape(better, [-1] + [1] * (x.shape.rank - 1))
        return _Best(
            tf.where(wide, x, self.x),
            tf.where(better[:, None], logits, self.logits),
            tf.where(better, fooled, self.fooled),
            tf.where(better, loss, self.loss),
        )


class StepSettings(Settings):
    """Of an attack that takes steps of one size."""

    steps: int = Field(10, ge=1, description="gradient steps, at least 1")
    step_size: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="absolute, above 0; derived from eps and steps if not given",
    )


class PgdSettings(StepSettings):
    """Of PGD."""

    steps: int = Field(40, ge=1, description="gradient steps, at least 1")
    restarts: int = Field(1, ge=1, description="random starts, at least 1; the best result counts")


class GradientAttack(BoundedAttack):
    """Projected steepest ascent on the cross-entropy.

    Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks", ICLR 2018, section 2.1.
    Every iterate after the first step is a candidate for the result; the gradient passes score them for
    nothing.
    """

    settings_type: ClassVar[type[Settings]] = StepSettings
    settings: StepSettings

    @property
    def steps(self) -> int:
        """Gradient steps."""
        return self.settings.steps

    def step_size(self, eps: float) -> float:
        """The length of a step: as told, or derived."""
        return self.settings.step_size or self.derived_step_size(eps)

    def derived_step_size(self, eps: float) -> float:
        """The length of a step where none is given."""
        return eps / self.steps

    def start(self, victims: Victims, eps: float, restart: int) -> NDArray[np.float32]:
        """The perturbation [n, *shape] to start from."""
        del eps, restart
        return np.zeros_like(victims.x)

    def search(self, victims: Victims, eps: float, restart: int) -> Adversarials:
        """Climb from one start."""
        import tensorflow as tf

        best = _Best(
            *self._compiled_climb(
                tf.constant(victims.x),
                tf.constant(victims.y),
                tf.constant(self.start(victims, eps, restart)),
                tf.constant(eps, tf.float32),
                tf.constant(self.step_size(eps), tf.float32),
            )
        )
        return Adversarials.without_queries(best.x.numpy(), best.logits.numpy())

    @cached_property
    def _compiled_climb(self) -> Any:
        import tensorflow as tf

        return tf.function(self._climb)

    def _climb(self, x: tf.Tensor, y: tf.Tensor, start: tf.Tensor, eps: tf.Tensor, step: tf.Tensor) -> _Best:
        """The best iterate of one climb; the steps run inside the graph."""
        import tensorflow as tf

        def advance(x_adv: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(x_adv)
                logits = self.surrogate.logits(x_adv)
                loss = cross_entropy(logits, y)
            direction = steepest_step(tape.gradient(loss, x_adv), self.norm)
            return self._confined(x_adv + step * direction, x, eps), logits, loss

        def body(i: tf.Tensor, x_adv: tf.Tensor, best: _Best) -> tuple[tf.Tensor, tf.Tensor, _Best]:
            following, logits, loss = advance(x_adv)
            return i + 1, following, best.updated(x_adv, logits, loss, y)

        x_adv, logits, loss = advance(self._confined(x + start, x, eps))
        # The start is no candidate: whatever the first step leads to is better than a loss of -inf.
        best = _Best(x_adv, logits, tf.zeros_like(loss, tf.bool), tf.fill(tf.shape(loss), -np.inf))
        _, x_adv, best = tf.while_loop(
            lambda i, *_: i < self.steps, body, (tf.constant(1), x_adv, best), parallel_iterations=1
        )
        logits = self.surrogate.logits(x_adv)
        final: _Best = best.updated(x_adv, logits, cross_entropy(logits, y), y)
        return final

    def _confined(self, x_adv: tf.Tensor, x: tf.Tensor, eps: tf.Tensor) -> tf.Tensor:
        """The nearest point of the ball around x, moved into the domain."""
        import tensorflow as tf

        domain = self.surrogate.domain
        return tf.clip_by_value(x + project(x_adv - x, eps, self.norm), domain.low, domain.high)


class Fgsm(GradientAttack):
    """One step of eps along the sign of the gradient (L2: along the gradient).

    Goodfellow, Shlens and Szegedy, "Explaining and Harnessing Adversarial Examples", ICLR 2015, section 4.
    """

    name = "fgsm"
    settings_type = Settings

    @property
    def steps(self) -> int:
        """One."""
        return 1

    def step_size(self, eps: float) -> float:
        """The whole way."""
        return eps


class Bim(GradientAttack):
    """The iterative FGSM, without a random start.

    Kurakin, Goodfellow and Bengio, "Adversarial Examples in the Physical World", ICLR workshop 2017, section
    2.2. They step by 1/255 whatever eps is; here the default is a fifth of eps, as in Foolbox, which reaches
    the ball's rim in half of the 10 default steps.
    """

    name = "bim"

    def derived_step_size(self, eps: float) -> float:
        """A fifth of eps, or more where fewer than 10 steps could not cross the ball."""
        return max(eps / 5, 2 * eps / self.steps)


class Pgd(GradientAttack):
    """Projected gradient descent from a random point of the ball.

    Madry et al., 2018, section 2.1. The default step of 2.5 eps / steps lets a start at one rim reach the
    other, and turn back. In L1 the steps are those of SLIDE: see `norms.steepest_step`.
    """

    name = "pgd"
    norms = ("linf", "l2", "l1")
    settings_type = PgdSettings
    settings: PgdSettings

    @property
    def restarts(self) -> int:
        """As told."""
        return self.settings.restarts

    def derived_step_size(self, eps: float) -> float:
        """2.5 times what it takes to cross half the ball."""
        return 2.5 * eps / self.steps

    def start(self, victims: Victims, eps: float, restart: int) -> NDArray[np.float32]:
        """A point of the ball."""
        keys = ((self.seed, int(index), restart) for index in victims.indices)
        return random_points(victims.x.shape[1:], eps, self.norm, keys)
