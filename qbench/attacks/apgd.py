"""Auto-PGD: a climb that needs no step size, in one compiled loop; three losses.

Croce and Hein, "Reliable Evaluation of Adversarial Robustness with an Ensemble of Diverse Parameter-free
Attacks", ICML 2020, section 3 and algorithm 1.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from qbench.attacks.base import Adversarials, BoundedAttack, Settings, Victims
from qbench.attacks.iterates import Best, broadcast
from qbench.attacks.losses import dlr, finite_only, soft_margin, targeted_dlr
from qbench.attacks.norms import confinement, random_points, steepest_step
from qbench.errors import UserError

if TYPE_CHECKING:
    import tensorflow as tf

    Objective = Callable[[tf.Tensor], tf.Tensor]

_MOMENTUM = 0.75  # the paper's alpha
_RISING_SHARE = 0.75  # the paper's rho
_SMALLEST_BATCH = 32  # below, a pass costs hardly less


class ApgdSettings(Settings):
    """Of Auto-PGD."""

    steps: int = Field(100, ge=1, description="gradient steps, at least 1")
    restarts: int = Field(
        1, ge=1, description="random starts, at least 1; later ones where all before failed"
    )


class ApgdTargetedSettings(ApgdSettings):
    """Of targeted Auto-PGD."""

    restarts: int = Field(1, ge=1, description="random starts a target, at least 1")
    targets: int = Field(9, ge=1, description="wrong classes to aim at, the likeliest first, at least 1")


def checkpoints(steps: int) -> NDArray[np.int32]:
    """[steps] int32: at a checkpoint the number of steps since the last one, -1 elsewhere; the first is 0.

    Checkpoint j is at ceil(p_j steps), where p_0 = 0, p_1 = 0.22, and each period is 0.03 shorter than the
    one before, but 0.06 at least (section 3.2).
    """
    # Hundredths, since 0.22 + 0.19 + ... in binary would make ceil land one step late.
    at, period, last = 22, 19, 0
    since = np.full(steps, -1, np.int32)
    since[0] = 0
    while (now := math.ceil(at * steps / 100)) < steps:
        if now > last:
            since[now], last = now - last, now
        at, period = at + period, max(period - 3, 6)
    return since


class _State(NamedTuple):
    """Of one climb, before the pass at x. All but the images are [n].

    Attributes:
        x: [n, *shape], where the next gradient is taken.
        previous: [n, *shape], the iterate before.
        step: the step size.
        loss: at the iterate before.
        rises: how often the loss rose since the last checkpoint.
        peak_x: [n, *shape], where the loss was highest.
        peak_gradient: [n, *shape], there.
        peak_loss: there.
        halved: whether the step was halved at the last checkpoint.
        checked_loss: the highest loss at the last checkpoint.
        best: the candidate for the result.
    """

    x: tf.Tensor
    previous: tf.Tensor
    step: tf.Tensor
    loss: tf.Tensor
    rises: tf.Tensor
    peak_x: tf.Tensor
    peak_gradient: tf.Tensor
    peak_loss: tf.Tensor
    halved: tf.Tensor
    checked_loss: tf.Tensor
    best: Best

    @classmethod
    def first(cls, x: tf.Tensor, eps: tf.Tensor, best: Best) -> _State:
        """At the start: a step of 2 eps, and a loss that nothing is a rise from, or a peak to keep."""
        import tensorflow as tf

        each = tf.zeros_like(best.loss)
        return cls(
            x, x, each + 2 * eps, each + np.inf, each, x, x, each - np.inf, each > 0, each - np.inf, best
        )

    def record_pass(self, gradient: tf.Tensor, loss: tf.Tensor) -> _State:
        """After the pass at x."""
        import tensorflow as tf

        higher = loss > self.peak_loss
        wide = broadcast(higher, self.x)
        return self._replace(
            loss=loss,
            rises=self.rises + tf.cast(loss > self.loss, tf.float32),
            peak_x=tf.where(wide, self.x, self.peak_x),
            peak_gradient=tf.where(wide, gradient, self.peak_gradient),
            peak_loss=tf.where(higher, loss, self.peak_loss),
        )

    def check_progress(self, gradient: tf.Tensor, since: tf.Tensor) -> tuple[_State, tf.Tensor]:
        """At a checkpoint: a climb that got stuck halves its step and goes on from its peak."""
        import tensorflow as tf

        rarely_rose = self.rises < _RISING_SHARE * tf.cast(since, tf.float32)
        at_rest = ~self.halved & (self.peak_loss == self.checked_loss)
        stuck = rarely_rose | at_rest
        wide = broadcast(stuck, self.x)
        state = self._replace(
            x=tf.where(wide, self.peak_x, self.x),
            step=tf.where(stuck, self.step / 2, self.step),
            loss=tf.where(stuck, self.peak_loss, self.loss),
            rises=tf.zeros_like(self.rises),
            halved=stuck,
            checked_loss=self.peak_loss,
        )
        return state, tf.where(wide, self.peak_gradient, gradient)


class Apgd(BoundedAttack):
    """Climbs a loss with momentum from a random point; halves the step and returns to the peak when stuck.

    The clean input is the first candidate for the result, and every iterate is one.
    """

    settings_type: ClassVar[type[Settings]] = ApgdSettings
    settings: ApgdSettings
    least_classes: ClassVar[int] = 2

    @abstractmethod
    def objective(self, clean: tf.Tensor, y: tf.Tensor, restart: tf.Tensor) -> Objective:
        """What to climb, logits [n, classes] to losses [n], given the clean inputs' logits; traced."""

    def followed(self, logits: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """The objective of the first climb from these logits."""
        import tensorflow as tf

        return self.objective(tf.stop_gradient(logits), y, tf.constant(0))(logits)

    def climbs(self, classes: int) -> int:
        """How many, for a network of so many classes."""
        del classes
        return self.settings.restarts

    def attack_batch(self, victims: Victims, budgets: Sequence[float]) -> tuple[Adversarials, ...]:
        """The best of all climbs.

        Raises:
            UserError: the loss is not defined for so few classes.
        """
        import tensorflow as tf

        classes = int(self.surrogate.logits(tf.constant(victims.x[:1])).shape[-1])
        if classes < self.least_classes:
            raise UserError(
                f"{self.name} needs {self.least_classes} classes or more; this network has {classes}",
                cause="its loss compares the largest logits (Croce and Hein, 2020, eq. 6 and 7)",
                hint="take apgd-ce, whose loss is defined for two",
            )
        return tuple(self._best_climb(victims, eps, self.climbs(classes)) for eps in budgets)

    def _best_climb(self, victims: Victims, eps: float, climbs: int) -> Adversarials:
        """The first climb for all; each later one for those that none has fooled."""
        best = self.on_grid(self.search(victims, eps, 0), victims, eps)
        for restart in range(1, climbs):
            left = np.flatnonzero(best.logits.argmax(axis=1) == victims.y)
            if not left.size:
                break
            part = victims.select(left)
            # Few sizes, and none for which kernels order their sums as nowhere else.
            part = part.pad(min(len(victims), max(_SMALLEST_BATCH, 1 << (left.size - 1).bit_length())))
            found = self.on_grid(self.search(part, eps, restart), part, eps).first(left.size)
            before = Adversarials(best.x[left], best.logits[left], best.queries[left])
            better = before.better_of(found, victims.y[left], self.goal)
            best.x[left], best.logits[left] = better.x, better.logits
        return best

    def search(self, victims: Victims, eps: float, restart: int) -> Adversarials:
        """Climb from one start."""
        import tensorflow as tf

        keys = ((self.seed, int(index), restart) for index in victims.indices)
        best = Best(
            *self._compiled_climb(
                tf.constant(victims.x),
                tf.constant(victims.y),
                tf.constant(random_points(victims.x.shape[1:], eps, self.norm, keys)),
                tf.constant(eps, tf.float32),
                tf.constant(restart),
            )
        )
        return Adversarials.without_queries(best.x.numpy(), best.logits.numpy())

    @cached_property
    def _since_checkpoint(self) -> NDArray[np.int32]:
        return checkpoints(self.settings.steps)

    @cached_property
    def _compiled_climb(self) -> Any:
        import tensorflow as tf

        return tf.function(self._climb, reduce_retracing=True)

    def _climb(
        self, x: tf.Tensor, y: tf.Tensor, start: tf.Tensor, eps: tf.Tensor, restart: tf.Tensor
    ) -> Best:
        """The best iterate of one climb; the steps run inside the graph."""
        import tensorflow as tf

        clean = self.surrogate.logits(x)
        objective = self.objective(clean, y, restart)
        since = tf.constant(self._since_checkpoint)
        confined = confinement(x, eps, self.norm, self.surrogate.domain)

        def body(i: tf.Tensor, state: _State) -> tuple[tf.Tensor, _State]:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(state.x)
                logits = self.surrogate.logits(state.x)
                loss = objective(logits)
            gradient = finite_only(tape.gradient(loss, state.x))
            best = state.best.keep_better(state.x, logits, loss, self.goal.reached(logits, y))
            state = state.record_pass(gradient, loss)._replace(best=best)
            state, gradient = tf.cond(
                since[i] >= 0, lambda: state.check_progress(gradient, since[i]), lambda: (state, gradient)
            )
            ahead = confined(state.x + broadcast(state.step, x) * steepest_step(gradient, self.norm))
            weight = tf.where(i == 0, 1.0, _MOMENTUM)
            drift = weight * (ahead - state.x) + (1 - weight) * (state.x - state.previous)
            return i + 1, state._replace(x=confined(state.x + drift), previous=state.x)

        best = Best(x, clean, tf.argmax(clean, axis=1) != y, objective(clean))
        first = _State.first(confined(x + start), eps, best)
        _, last = tf.while_loop(
            lambda i, _: i < self.settings.steps, body, (tf.constant(0), first), parallel_iterations=1
        )
        logits = self.surrogate.logits(last.x)
        final: Best = last.best.keep_better(last.x, logits, objective(logits), self.goal.reached(logits, y))
        return final


class ApgdCe(Apgd):
    """Auto-PGD on the cross-entropy, by `losses.soft_margin`. Croce and Hein, ICML 2020, section 3."""

    name = "apgd-ce"

    def objective(self, clean: tf.Tensor, y: tf.Tensor, restart: tf.Tensor) -> Objective:
        """What rises with the cross-entropy."""
        del clean, restart
        return lambda logits: soft_margin(logits, y)


class ApgdDlr(Apgd):
    """Auto-PGD on the difference of logits ratio. Croce and Hein, ICML 2020, section 4."""

    name = "apgd-dlr"
    least_classes = 3

    def objective(self, clean: tf.Tensor, y: tf.Tensor, restart: tf.Tensor) -> Objective:
        """The DLR."""
        del clean, restart
        return lambda logits: dlr(logits, y)


class ApgdTargeted(Apgd):
    """Auto-PGD on the targeted DLR, towards the likeliest wrong classes of the clean input in turn.

    Croce and Hein, ICML 2020, section 4, eq. 7. A network with fewer wrong classes than `targets` has all of
    them tried.
    """

    name = "apgd-t"
    settings_type = ApgdTargetedSettings
    settings: ApgdTargetedSettings
    least_classes = 4

    def climbs(self, classes: int) -> int:
        """One a target and random start."""
        return min(self.settings.targets, classes - 1) * self.settings.restarts

    def objective(self, clean: tf.Tensor, y: tf.Tensor, restart: tf.Tensor) -> Objective:
        """The DLR towards the target whose turn it is."""
        import tensorflow as tf

        true = tf.one_hot(y, clean.shape[-1], on_value=True, off_value=False)
        likeliest = tf.argsort(tf.where(true, -np.inf, clean), axis=1, direction="DESCENDING", stable=True)
        target = likeliest[:, restart // self.settings.restarts]
        return lambda logits: targeted_dlr(logits, y, target)
