"""Attacks that climb the loss along its gradient, in one compiled graph: FGSM, BIM, PGD."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qbench.attacks.base import Adversarials, Attack, Victims
from qbench.attacks.norms import project, random_points, steepest_step

if TYPE_CHECKING:
    import tensorflow as tf


class _Best(NamedTuple):
    """Each sample's best iterate so far: a misclassified one before any other, then the highest loss."""

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


class GradientAttack(Attack):
    """Projected steepest ascent on the cross-entropy.

    Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks", ICLR 2018, section 2.1.
    Every iterate after the first step is a candidate for the result; the gradient passes score them for
    nothing.
    """

    random_start: ClassVar[bool]

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        import tensorflow as tf

        self._climb = tf.function(self._climb_eagerly, reduce_retracing=True)

    def default_step_size(self, eps: float) -> float:
        """The step size where none is given."""
        return eps / self.steps

    def search(self, victims: Victims, eps: float) -> Adversarials:
        """Climb from every start, and keep the best."""
        import tensorflow as tf

        step = self.default_step_size(eps) if self.step_size is None else self.step_size
        x, y = tf.constant(victims.x), tf.constant(victims.y)
        best = None
        for restart in range(self.restarts):
            start = tf.constant(self._start(victims, eps, restart))
            found = _Best(
                *self._climb(x, y, start, tf.constant(eps, tf.float32), tf.constant(step, tf.float32))
            )
            best = found if best is None else best.updated(found.x, found.logits, found.loss, y)
        assert best is not None  # noqa: S101 - restarts is at least 1
        return Adversarials(best.x.numpy(), best.logits.numpy())

    def _start(self, victims: Victims, eps: float, restart: int) -> NDArray[np.float32]:
        """The perturbation to start from."""
        if not self.random_start:
            return np.zeros_like(victims.x)
        keys = ((self.seed, int(index), restart) for index in victims.indices)
        return random_points(victims.x.shape[1:], eps, self.norm, keys)

    def _climb_eagerly(
        self, x: tf.Tensor, y: tf.Tensor, start: tf.Tensor, eps: tf.Tensor, step: tf.Tensor
    ) -> _Best:
        """The best iterate of one climb; traced once, the steps run inside the graph."""
        import tensorflow as tf

        domain = self.surrogate.domain

        def confined(x_adv: tf.Tensor) -> tf.Tensor:
            return tf.clip_by_value(x + project(x_adv - x, eps, self.norm), domain.low, domain.high)

        def advance(x_adv: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(x_adv)
                logits = self.surrogate.logits(x_adv)
                loss = _cross_entropy(logits, y)
            gradient = tape.gradient(loss, x_adv)
            return confined(x_adv + step * steepest_step(gradient, self.norm)), logits, loss

        x_adv, logits, loss = advance(confined(x + start))
        nothing = tf.zeros_like(loss, tf.bool)
        best = _Best(x_adv, logits, nothing, tf.fill(tf.shape(loss), -np.inf))

        def body(i: tf.Tensor, x_adv: tf.Tensor, best: _Best) -> tuple[tf.Tensor, tf.Tensor, _Best]:
            following, logits, loss = advance(x_adv)
            return i + 1, following, best.updated(x_adv, logits, loss, y)

        _, x_adv, best = tf.while_loop(
            lambda i, *_: i < self.steps, body, (tf.constant(1), x_adv, best), parallel_iterations=1
        )
        logits = self.surrogate.logits(x_adv)
        final: _Best = best.updated(x_adv, logits, _cross_entropy(logits, y), y)
        return final


def _cross_entropy(logits: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Cross-entropy of every sample, [n]."""
    import tensorflow as tf

    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)


class Fgsm(GradientAttack):
    """One step of eps along the sign of the gradient (L2: along the gradient).

    Goodfellow, Shlens and Szegedy, "Explaining and Harnessing Adversarial Examples", ICLR 2015, section 4.
    """

    name = "fgsm"
    default_steps = 1
    random_start = False


class Bim(GradientAttack):
    """The iterative FGSM, without a random start.

    Kurakin, Goodfellow and Bengio, "Adversarial Examples in the Physical World", ICLR workshop 2017, section
    2.2. The default step of a fifth of eps reaches the ball's rim in half of the 10 default steps.
    """

    name = "bim"
    default_steps = 10
    random_start = False

    def default_step_size(self, eps: float) -> float:
        """A fifth of eps, or more where fewer steps could not cross the ball."""
        return max(eps / 5, 2 * eps / self.steps)


class Pgd(GradientAttack):
    """Projected gradient descent from a random point of the ball.

    Madry et al., 2018, section 2.1. The default step of 2.5 eps / steps lets a start at one rim reach the
    other, and turn back.
    """

    name = "pgd"
    default_steps = 40
    random_start = True

    def default_step_size(self, eps: float) -> float:
        """2.5 times what it takes to cross half the ball."""
        return 2.5 * eps / self.steps
