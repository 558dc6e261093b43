"""An attack that searches the input grid itself."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from qbench.attacks.base import Adversarials, BoundedAttack, Settings, Victims
from qbench.attacks.losses import finite_only
from qbench.errors import UserError
from qbench.quant import round_half_away

if TYPE_CHECKING:
    import tensorflow as tf

# A step moves the elements whose promised gain is at least this share of the largest one: 2^-6 in the first
# step after the corner, 2^-1 in the last. On ResNet-8 at one grey level, 20 steps so leave no more than 40
# monotone ones, or 40 steps of a float attack.
_FIRST_SHARE, _LAST_SHARE = -6.0, -1.0
# Budgets such as 3/255 over a grid of 1/255 may fall just short of a whole number of levels.
_TOLERANCE = 1e-5


class LatticeSettings(Settings):
    """Of the search."""

    steps: int = Field(40, ge=1, description="gradient steps, at least 1")
    restarts: int = Field(
        1, ge=1, description="starts, at least 1: one along the gradient, the others random"
    )


class _Point(NamedTuple):
    """For each sample a grid point, its margin and the margin's gradient there."""

    levels: tf.Tensor
    x: tf.Tensor
    logits: tf.Tensor
    margin: tf.Tensor
    gradient: tf.Tensor


class _Grid(NamedTuple):
    """The grid points that may be reached: lowest and highest level of each element; and the clean ones."""

    low: tf.Tensor
    high: tf.Tensor
    clean: tf.Tensor
    x: tf.Tensor


class Lattice(BoundedAttack):
    """Ascent of the margin from grid point to grid point of the Linf ball.

    Each step moves to the far side of the ball those elements whose move promises most (gradient times way):
    first all of them, then fewer and fewer, as in annealing; the best point on the way is the result. A float
    attack that is rounded afterwards is blind to what rounding takes. Our own; one gradient a step.
    """

    name = "lattice"
    norms = ("linf",)
    targetable = True
    settings_type = LatticeSettings
    settings: LatticeSettings

    @property
    def restarts(self) -> int:
        """As told."""
        return self.settings.restarts

    def search(self, victims: Victims, eps: float, restart: int) -> Adversarials:
        """Climb from the clean input, or from a random grid point.

        Raises:
            UserError: inputs of this domain are on no grid.
        """
        import tensorflow as tf

        domain = self.surrogate.domain
        if domain.step is None:
            raise UserError(
                f"lattice searches a grid of inputs, and {domain.name} are continuous",
                hint="use --attack pgd",
            )
        clean = round_half_away((victims.x.astype(np.float64) - domain.low) / domain.step)
        reach = np.floor(eps / domain.step + _TOLERANCE)
        highest = round((domain.high - domain.low) / domain.step)
        low, high = np.clip([clean - reach, clean + reach], 0, highest)
        start = clean if restart == 0 else self._random(victims, low, high, restart)
        arrays = (tf.constant(each, tf.float32) for each in (low, high, clean, victims.x, start))
        best = self._compiled_climb(*arrays, tf.constant(victims.y))
        return Adversarials.without_queries(best[0].numpy(), best[1].numpy())

    def _random(
        self, victims: Victims, low: NDArray[np.float64], high: NDArray[np.float64], restart: int
    ) -> NDArray[np.float64]:
        """A grid point of the ball, uniform, whatever batch it is drawn in."""
        drawn = [
            np.random.default_rng([self.seed, int(index), restart]).uniform(size=victims.x.shape[1:])
            for index in victims.indices
        ]
        return np.minimum(low + np.floor(np.asarray(drawn) * (high - low + 1)), high)

    @cached_property
    def _compiled_climb(self) -> Any:
        import tensorflow as tf

        return tf.function(self._climb)

    def _climb(
        self, low: tf.Tensor, high: tf.Tensor, clean: tf.Tensor, x: tf.Tensor, start: tf.Tensor, y: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Inputs [n, *shape] and logits [n, classes] of the best grid points; the steps run in the graph."""
        import tensorflow as tf

        grid = _Grid(low, high, clean, x)
        first = self._at(start, grid, y)

        def body(i: tf.Tensor, here: _Point, best: _Point) -> tuple[tf.Tensor, _Point, _Point]:
            following = self._at(_move(here, self._share(i), grid), grid, y)
            # What the first step leads to is better than the start, which may be the clean input.
            better = (following.margin > best.margin) | (i == 0)
            pairs = zip(following, best, strict=True)
            return i + 1, following, _Point(*(tf.where(_wide(better, a), a, b) for a, b in pairs))

        _, _, best = tf.while_loop(
            lambda i, *_: i < self.settings.steps, body, (tf.constant(0), first, first), parallel_iterations=1
        )
        return best.x, best.logits

    def _share(self, step: tf.Tensor) -> tf.Tensor:
        """Of the largest gain, what an element's must be to move in a step."""
        import tensorflow as tf

        way = tf.cast(step, tf.float32) / self.settings.steps
        return tf.where(step == 0, 0.0, tf.pow(2.0, _FIRST_SHARE + (_LAST_SHARE - _FIRST_SHARE) * way))

    def _at(self, levels: tf.Tensor, grid: _Grid, y: tf.Tensor) -> _Point:
        """Look at grid points; an element that has not moved keeps the clean input's bits."""
        import tensorflow as tf

        domain = self.surrogate.domain
        value = tf.cast(domain.low + tf.cast(levels, tf.float64) * domain.step, tf.float32)
        x = tf.where(levels == grid.clean, grid.x, tf.clip_by_value(value, domain.low, domain.high))
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            logits = self.surrogate.logits(x)
            height = self.goal.margin(logits, y)
        return _Point(levels, x, logits, height, finite_only(tape.gradient(height, x)))


def _move(point: _Point, share: tf.Tensor, grid: _Grid) -> tf.Tensor:
    """Levels after the moves that promise at least a share of the most that any of the sample does."""
    import tensorflow as tf

    goal = tf.where(point.gradient > 0, grid.high, grid.low)
    gain = point.gradient * (goal - point.levels)
    most = tf.reduce_max(gain, axis=list(range(1, gain.shape.rank)), keepdims=True)
    return tf.where((gain > 0) & (gain >= share * most), goal, point.levels)


def _wide(each: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """One value a sample, shaped to broadcast against a tensor."""
    import tensorflow as tf

    return tf.reshape(each, [-1] + [1] * (like.shape.rank - 1))
