"""Attacks that estimate the gradient from scores at random points around an input: SPSA and NES."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from qbench.attacks.adam import Adam
from qbench.attacks.base import Adversarials, BoundedAttack, Victims
from qbench.attacks.norms import shrunk
from qbench.attacks.queries import Asked, Draws, QueryAttack, QuerySettings, heights, misclassified

Array = NDArray[np.float32]

# Perturbed inputs that are held at once.
_LARGEST_CLOUD = 8192


class EstimationSettings(QuerySettings):
    """Of an attack that estimates the gradient."""

    budget: int = Field(30_000, ge=1, description="queries for each input, at least 1")
    steps: int = Field(100, ge=1, description="estimates, at least 1; fewer where the budget ends before")
    samples: int = Field(128, ge=1, description="directions an estimate, at least 1; each costs two queries")
    delta: float = Field(0.01, gt=0, allow_inf_nan=False, description="how far to look along them; above 0")
    learning_rate: float = Field(0.01, gt=0, allow_inf_nan=False, description="length of a step; above 0")


class EstimationAttack(QueryAttack, BoundedAttack):
    """Climbs the margin along an estimate of its gradient, until the sample is misclassified.

    An estimate is the mean over directions v of v (f(x + delta v) - f(x - delta v)) / (2 delta).
    """

    settings: EstimationSettings

    @abstractmethod
    def directions(self, draws: Draws, step: int, count: int) -> Array:
        """Of one estimate: [n, count]."""

    @abstractmethod
    def advanced(self, delta: Array, gradient: Array, memory: Adam) -> Array:
        """The perturbations [n, *shape] after a step up an estimated gradient."""

    def search(self, victims: Victims, eps: float, restart: int) -> Adversarials:
        """A few samples at a time, since each brings a cloud of perturbed inputs."""
        del restart
        size = max(1, _LARGEST_CLOUD // (2 * self.settings.samples))
        parts = [
            self._climbed(victims.rows(start, start + size), eps) for start in range(0, len(victims), size)
        ]
        return Adversarials(
            np.concatenate([part.x for part in parts]),
            np.concatenate([part.logits for part in parts]),
            np.concatenate([part.queries for part in parts]),
        )

    def _climbed(self, victims: Victims, eps: float) -> Adversarials:
        asked = Asked(self.score, len(victims))
        found, scores = victims.x.copy(), asked(victims.x, np.arange(len(victims)))
        best = heights(scores, victims.y)
        delta, memory, draws = np.zeros_like(found), Adam.over(found), self.draws(victims)
        rows = np.flatnonzero(~misclassified(scores, victims.y))
        # An estimate costs two queries a direction, and one more to judge where the step has led.
        steps = min(self.settings.steps, (self.allowed - 1) // (2 * self.settings.samples + 1))
        for step in range(steps):
            if not len(rows):
                break
            left = victims.chosen(rows)
            gradient = self._estimate(left, delta[rows], draws.of(rows), step, asked, rows)
            here = memory.of(rows)
            moved = shrunk(self.advanced(delta[rows], gradient, here), eps, self.norm)
            memory.put(rows, here)
            x_adv = np.clip(left.x + moved, self.surrogate.domain.low, self.surrogate.domain.high)
            delta[rows] = x_adv - left.x
            answer = asked(x_adv, rows)
            height = heights(answer, left.y)
            better = height > best[rows]
            found[rows[better]], scores[rows[better]] = x_adv[better], answer[better]
            best[rows[better]] = height[better]
            rows = rows[~misclassified(answer, left.y)]
        return Adversarials(found, scores, asked.queries)

    def _estimate(
        self,
        left: Victims,
        delta: Array,
        draws: Draws,
        step: int,
        asked: Asked,
        rows: NDArray[np.int64],
    ) -> Array:
        """The margin's gradient at each perturbed input."""
        samples, elements = self.settings.samples, int(np.prod(left.x.shape[1:]))
        v = self.directions(draws, step, samples * elements).reshape(len(left), samples, *left.x.shape[1:])
        middle = (left.x + delta)[:, None]
        both = np.concatenate([middle + self.settings.delta * v, middle - self.settings.delta * v], axis=1)
        both = np.clip(both, self.surrogate.domain.low, self.surrogate.domain.high).astype(np.float32)
        each = 2 * samples
        scores = asked(both.reshape(-1, *left.x.shape[1:]), np.repeat(rows, each))
        height = heights(scores, np.repeat(left.y, each)).reshape(len(left), 2, samples)
        rise = (height[:, 0] - height[:, 1]) / (2 * self.settings.delta)
        return np.asarray(np.einsum("ns,ns...->n...", rise, v) / samples, np.float32)


class Spsa(EstimationAttack):
    """Simultaneous perturbation: directions of plus and minus one, steps by Adam.

    Uesato, O'Donoghue, Kohli and van den Oord, "Adversarial Risk and the Dangers of Evaluating Against Weak
    Attacks", ICML 2018, algorithm 1; its settings are those of Bernhard, Moellic and Dutertre (2019).
    """

    name = "spsa"
    settings_type = EstimationSettings

    def directions(self, draws: Draws, step: int, count: int) -> Array:
        """Rademacher."""
        return draws.signs(step, count)

    def advanced(self, delta: Array, gradient: Array, memory: Adam) -> Array:
        """Adam's step."""
        return delta + memory.step(gradient, self.settings.learning_rate)


class NesSettings(EstimationSettings):
    """Of NES."""

    samples: int = Field(50, ge=1, description="directions an estimate, at least 1; each costs two queries")
    delta: float = Field(0.001, gt=0, allow_inf_nan=False, description="how far to look along them; above 0")


class Nes(EstimationAttack):
    """Natural evolution strategies: Gaussian directions, steps along the sign (L2: the direction).

    Ilyas, Engstrom, Athalye and Lin, "Black-box Adversarial Attacks with Limited Queries and Information",
    ICML 2018, section 2.2, with antithetic sampling.
    """

    name = "nes"
    settings_type = NesSettings

    def directions(self, draws: Draws, step: int, count: int) -> Array:
        """Standard normal."""
        return draws.normal(step, count)

    def advanced(self, delta: Array, gradient: Array, memory: Adam) -> Array:
        """A projected step of fixed length."""
        del memory
        if self.norm == "linf":
            return delta + np.float32(self.settings.learning_rate) * np.sign(gradient)
        length = np.sqrt(np.square(gradient).sum(axis=tuple(range(1, gradient.ndim)), keepdims=True))
        step = np.float32(self.settings.learning_rate) * gradient / np.maximum(length, 1e-12)
        return np.asarray(delta + step)
