"""Carlini and Wagner's L2 attack."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
from pydantic import Field

from qbench.attacks.base import Settings
from qbench.attacks.compaction import ActiveRows
from qbench.attacks.losses import finite_only
from qbench.attacks.minimum import GradientMinimumNormAttack, Nearest
from qbench.attacks.norms import lengths

if TYPE_CHECKING:
    import tensorflow as tf

# Keeps the inverse of tanh finite where an input lies on the domain's bounds, as in the authors' program.
_INSIDE = 0.999999

# A search is looked at this many times, and given up if it gained less than a share of its loss.
_LOOKS = 10
_LEAST_GAIN = 1e-4

# Adam (Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1).
_BETA_1, _BETA_2, _ADAM_EPSILON = 0.9, 0.999, 1e-8

# Where the clean gradient tells nothing: the authors' own constant and rate.
_USUAL_CONST, _USUAL_RATE = 1e-3, 0.01

# Of what the linearized network tells: the constant, twice what just pays; the first step; the largest rate.
_CONST_SHARE, _RATE_SHARE, _LARGEST_RATE = 2.0, 0.3, 0.1

# A constant that failed is raised by this factor until one works, up to the largest.
_RAISE = 10.0
_LARGEST_CONST = 1e10


class CwSettings(Settings):
    """Of Carlini and Wagner's attack."""

    binary_search_steps: int = Field(3, ge=1, description="constants that are tried, at least 1")
    steps: int = Field(200, ge=1, description="steps of Adam a constant, at least 1")
    learning_rate: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="of Adam, above 0; derived from the clean gradient, and falling, if not given",
    )
    initial_const: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="weight of the margin tried first, above 0; derived from the clean gradient if not given",
    )
    confidence: float = Field(0.0, ge=0, allow_inf_nan=False, description="margin to reach, 0 or more")


class _Problem(NamedTuple):
    """What stays the same in one search, per sample: clean input, label, constant, learning rate."""

    x: tf.Tensor
    y: tf.Tensor
    const: tf.Tensor
    rate: tf.Tensor


class _Progress(NamedTuple):
    """What changes in one search, per sample.

    Attributes:
        w: the point in tanh space.
        mean, square: Adam's moments.
        loss: at the last step.
        reached: whether the margin was reached so far.
        best: the nearest of all searches.
    """

    w: tf.Tensor
    mean: tf.Tensor
    square: tf.Tensor
    loss: tf.Tensor
    reached: tf.Tensor
    best: Nearest


class Cw(GradientMinimumNormAttack):
    """Minimizes |x' - x|^2 + c max(confidence - margin, 0) by Adam; a binary search finds c.

    Carlini and Wagner, "Towards Evaluating the Robustness of Neural Networks", S&P 2017, sections V and VI-A:
    x' runs through tanh space mapped on the domain, c is searched sample by sample, and a search
    that gains nothing over a tenth of its steps is given up, here sample by sample as well. Distances count
    in widths of the domain, so that settings mean the same in every domain.

    With a learning rate and an initial constant the algorithm is the paper's. Its rate of 0.01 makes the
    first step of a CIFAR-10 image some 0.2 long, and ResNet-8's boundary lies at 0.05. So where they are not
    told, each sample gets its own from the network linearized at the clean input: twice the constant from
    which on crossing the boundary pays, and a rate whose first step goes a share of the way, falling
    linearly to zero.
    """

    name = "cw"
    norms = ("l2",)
    targetable = True
    settings_type: ClassVar[type[Settings]] = CwSettings
    settings: CwSettings

    def descend(self, x: tf.Tensor, y: tf.Tensor, clean: Nearest) -> Nearest:
        """One search a constant."""
        import tensorflow as tf

        const, rate = self._scales(x, y)

        def body(
            i: tf.Tensor, low: tf.Tensor, high: tf.Tensor, const: tf.Tensor, best: Nearest
        ) -> tuple[tf.Tensor, ...]:
            reached, best = self._search_with(_Problem(x, y, const, rate), best)
            low, high = tf.where(reached, low, const), tf.where(reached, const, high)
            raised = tf.minimum(_RAISE * const, _LARGEST_CONST)
            return i + 1, low, high, tf.where(tf.math.is_inf(high), raised, (low + high) / 2), best

        unbounded = tf.fill(tf.shape(const), np.float32(np.inf))
        *_, best = tf.while_loop(
            lambda i, *_: i < self.settings.binary_search_steps,
            body,
            (tf.constant(0), tf.zeros_like(const), unbounded, const, clean),
            parallel_iterations=1,
        )
        found: Nearest = best
        return found

    def _scales(self, x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The first constants and Adam's rates, [n] each: as told, or from the network linearized at x."""
        import tensorflow as tf

        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            height = self.goal.margin(self.surrogate.logits(x), y)
        steepness = lengths(finite_only(tape.gradient(height, x)), "l2") * self._width
        distance = (self.settings.confidence - height) / steepness
        usable = tf.math.is_finite(distance) & (distance > 0)
        reach = lengths(1 - tf.square(tf.tanh(self._to_tanh_space(x))), "l2") / 2
        const = tf.where(usable, _CONST_SHARE * 2 * distance / steepness, _USUAL_CONST)
        rate = tf.where(usable, tf.minimum(_RATE_SHARE * distance / reach, _LARGEST_RATE), _USUAL_RATE)
        told = self.settings.initial_const, self.settings.learning_rate
        return tuple(
            derived if value is None else tf.fill(tf.shape(derived), np.float32(value))
            for value, derived in zip(told, (const, rate), strict=True)
        )

    @property
    def _width(self) -> float:
        return self.surrogate.domain.high - self.surrogate.domain.low

    def _to_tanh_space(self, x: tf.Tensor) -> tf.Tensor:
        import tensorflow as tf

        return tf.atanh((2 * (x - self.surrogate.domain.low) / self._width - 1) * _INSIDE)

    def _in_domain(self, bent: tf.Tensor) -> tf.Tensor:
        """What tanh gave, -1 to 1, mapped on the domain."""
        import tensorflow as tf

        domain = self.surrogate.domain
        return tf.clip_by_value(domain.low + (bent + 1) * (self._width / 2), domain.low, domain.high)

    def _search_with(self, problem: _Problem, best: Nearest) -> tuple[tf.Tensor, Nearest]:
        """Adam with one constant a sample: whether the margin was reached [n], and the nearest so far."""
        import tensorflow as tf

        stretch = max(1, self.settings.steps // _LOOKS)

        def body(done: tf.Tensor, active: tf.Tensor, whole: _Progress) -> tuple[tf.Tensor, ...]:
            rows = ActiveRows.of(active)
            before = rows.of_each(whole)
            until = tf.minimum(done + stretch, self.settings.steps)
            after = self._adam(rows.of_each(problem), before, done, until)
            gains = after.loss < (1 - _LEAST_GAIN) * before.loss
            return until, rows.write_back(active, gains), rows.write_back(whole, after)

        w = self._to_tanh_space(problem.x)
        unknown = tf.fill(tf.shape(problem.const), np.float32(np.inf))
        nowhere = tf.zeros_like(unknown, tf.bool)
        *_, found = tf.while_loop(
            lambda done, active, _: (done < self.settings.steps) & tf.reduce_any(active),
            body,
            (tf.constant(0), best.distance > 0, _Progress(w, 0 * w, 0 * w, unknown, nowhere, best)),
            parallel_iterations=1,
        )
        return found.reached, found.best

    def _adam(self, problem: _Problem, progress: _Progress, done: tf.Tensor, until: tf.Tensor) -> _Progress:
        """Steps `done` to `until`; every point that a step starts from is a candidate."""
        import tensorflow as tf

        def body(done: tf.Tensor, now: _Progress) -> tuple[tf.Tensor, _Progress]:
            gradient, loss, reached, best = self._weigh(problem, now)
            mean = _BETA_1 * now.mean + (1 - _BETA_1) * gradient
            square = _BETA_2 * now.square + (1 - _BETA_2) * tf.square(gradient)
            count = tf.cast(done + 1, tf.float32)
            step = mean / (1 - _BETA_1**count)
            step /= tf.sqrt(square / (1 - _BETA_2**count)) + _ADAM_EPSILON
            rate = problem.rate * self._decay(done)
            w = now.w - tf.reshape(rate, [-1] + [1] * (step.shape.rank - 1)) * step
            return done + 1, _Progress(w, mean, square, loss, now.reached | reached, best)

        _, progress = tf.while_loop(
            lambda done, _: done < until, body, (done, progress), parallel_iterations=1
        )
        return progress

    def _decay(self, done: tf.Tensor) -> tf.Tensor | float:
        """The share of the learning rate after some steps."""
        import tensorflow as tf

        if self.settings.learning_rate is not None:
            return 1.0
        return 1 - tf.cast(done, tf.float32) / self.settings.steps

    def _weigh(self, problem: _Problem, now: _Progress) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, Nearest]:
        """At the present point: the gradient, the loss [n], whether the margin is reached [n], the best."""
        import tensorflow as tf

        bent = tf.tanh(now.w)
        x_adv = self._in_domain(bent)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x_adv)
            logits = self.surrogate.logits(x_adv)
            height = self.goal.margin(logits, problem.y)
            lack = problem.const * tf.maximum(self.settings.confidence - height, 0)
        delta = x_adv - problem.x
        distance = lengths(delta, "l2")
        slope = finite_only(tape.gradient(lack, x_adv)) + (2 / self._width**2) * delta
        gradient = slope * ((1 - tf.square(bent)) * (self._width / 2))
        reached = (height > 0) & (height >= self.settings.confidence)
        best = now.best.keep_better(x_adv, logits, distance, reached)
        return gradient, tf.square(distance / self._width) + lack, reached, best
