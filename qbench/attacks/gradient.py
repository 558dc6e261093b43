"""Attacks that climb the loss along its gradient, in one compiled graph: FGSM, BIM, MIM, PGD."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from qbench.attacks.base import Adversarials, BoundedAttack, Settings, Victims
from qbench.attacks.iterates import Best
from qbench.attacks.losses import finite_only
from qbench.attacks.norms import confinement, random_points, steepest_step, unit_l1

if TYPE_CHECKING:
    import tensorflow as tf


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
    """Number of PGD steps."""

    steps: int = Field(40, ge=1, description="gradient steps, at least 1")
    restarts: int = Field(1, ge=1, description="random starts, at least 1; the best result counts")


class GradientAttack(BoundedAttack):
    """Projected steepest ascent on the cross-entropy, or towards a target steepest descent on its own.

    What is followed is `losses.soft_margin`, which has the cross-entropy's directions and does not underflow.

    Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks", ICLR 2018, section 2.1.
    Every iterate after the first step is a candidate for the result; the gradient passes score them for
    nothing.
    """

    targetable = True
    regresses = True
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

    def heading(self, gradient: tf.Tensor, previous: tf.Tensor) -> tf.Tensor:
        """Where to step, from the gradient [n, *shape] and the heading of the step before; traced."""
        del previous
        return gradient

    def followed(self, logits: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """What rises with the cross-entropy."""
        return self.goal.loss(logits, y)

    def search(self, victims: Victims, eps: float, restart: int) -> Adversarials:
        """Climb from one start."""
        import tensorflow as tf

        best = Best(
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

    def _climb(self, x: tf.Tensor, y: tf.Tensor, start: tf.Tensor, eps: tf.Tensor, step: tf.Tensor) -> Best:
        """The best iterate of one climb; the steps run inside the graph."""
        import tensorflow as tf

        confined = confinement(x, eps, self.norm, self.surrogate.domain)

        def advance(x_adv: tf.Tensor, heading: tf.Tensor) -> tuple[tf.Tensor, ...]:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(x_adv)
                logits = self.surrogate.logits(x_adv)
                loss = self.followed(logits, y)
            heading = self.heading(finite_only(tape.gradient(loss, x_adv)), heading)
            return confined(x_adv + step * steepest_step(heading, self.norm)), heading, logits, loss

        def body(i: tf.Tensor, x_adv: tf.Tensor, heading: tf.Tensor, best: Best) -> tuple[Any, ...]:
            following, heading, logits, loss = advance(x_adv, heading)
            return (
                i + 1,
                following,
                heading,
                best.keep_better(x_adv, logits, loss, self.goal.reached(logits, y)),
            )

        x_adv, heading, logits, loss = advance(confined(x + start), tf.zeros_like(x))
        # The start is no candidate: whatever the first step leads to is better than a loss of -inf.
        best = Best(x_adv, logits, tf.zeros_like(loss, tf.bool), tf.fill(tf.shape(loss), -np.inf))
        _, x_adv, _, best = tf.while_loop(
            lambda i, *_: i < self.steps, body, (tf.constant(1), x_adv, heading, best), parallel_iterations=1
        )
        logits = self.surrogate.logits(x_adv)
        final: Best = best.keep_better(x_adv, logits, self.followed(logits, y), self.goal.reached(logits, y))
        return final


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


class MimSettings(StepSettings):
    """Of MIM."""

    decay: float = Field(1.0, ge=0, allow_inf_nan=False, description="of the momentum at a step, at least 0")


class Mim(GradientAttack):
    """The momentum iterative method: steps along the decayed sum of all gradients, each of unit L1 length.

    Dong et al., "Boosting Adversarial Attacks with Momentum", CVPR 2018, algorithm 1 and eq. 6 to 8, with
    their 10 steps of eps / 10, decay of 1, and no random start.
    """

    name = "mim"
    settings_type = MimSettings
    settings: MimSettings

    def heading(self, gradient: tf.Tensor, previous: tf.Tensor) -> tf.Tensor:
        """The sum; a gradient of zero adds nothing."""
        return self.settings.decay * previous + unit_l1(gradient)


class Pgd(GradientAttack):
    """Projected gradient descent from a random point of the ball.

    Madry et al., 2018, section 2.1. The default step of 2.5 eps / steps lets a start at one rim reach the
    other, and turn back. In L1 the steps are those of SLIDE: see `norms.steepest_step`.

    To read it from top to bottom: `BoundedAttack.attack_batch` runs every budget and restart and keeps the
    best; `search` takes a random `start` in the ball; `_climb` is the loop: the gradient of `followed`, its
    `steepest_step` in the norm, and `confinement` to the ball and the domain; `Best` keeps the iterate that
    fools, or has the highest loss.
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
