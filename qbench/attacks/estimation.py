"""Attacks that estimate the gradient from scores at random points around an input: SPSA and NES."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from qbench.attacks.adam import Adam
from qbench.attacks.base import Adversarials, BoundedAttack, Victims
from qbench.attacks.norms import shrink
from qbench.attacks.queries import Draws, QueryAttack, QueryCounter, QuerySettings

Array = NDArray[np.float32]

# Perturbed inputs that are held at once.
_LARGEST_CLOUD = 2048


class EstimationSettings(QuerySettings):
    """Of an attack that estimates the gradient."""

    budget: int = Field(15_000, ge=1, description="queries for each input, at least 1")
    steps: int = Field(100, ge=1, description="estimates, at least 1; fewer where the budget ends before")
    samples: int = Field(128, ge=2, multiple_of=2, description="queries an estimate, two a direction; even")
    delta: float = Field(
        0.01,
        gt=0,
        allow_inf_nan=False,
        description="how far to look, in widths of the domain, above 0; a level of the oracle at least",
    )


class EstimationAttack(QueryAttack, BoundedAttack):
    """Climbs the margin along an estimate of its gradient, until the sample is misclassified.

    An estimate is the mean over directions v of v (f(x + delta v) - f(x - delta v)) / (2 delta).
    """

    targetable = True
    regresses = True
    settings: EstimationSettings

    @property
    def width(self) -> float:
        """Of the domain, in its unit."""
        return self.surrogate.domain.high - self.surrogate.domain.low

    @property
    def reach(self) -> np.float32:
        """How far to look: what an oracle rounds away tells nothing of the slope."""
        return np.float32(max(self.settings.delta * self.width, self.score.step or 0.0))

    @abstractmethod
    def directions(self, draws: Draws, step: int, count: int) -> Array:
        """Of one estimate: [n, count]."""

    @abstractmethod
    def step_along(self, delta: Array, gradient: Array, eps: float, memory: Adam) -> Array:
        """The perturbations [n, *shape] after a step up an estimated gradient."""

    def search(self, victims: Victims, eps: float, restart: int) -> Adversarials:
        """A few samples at a time, since each brings a cloud of perturbed inputs."""
        del restart
        size = max(1, _LARGEST_CLOUD // self.settings.samples)
        parts = [
            self._climb(victims.rows(start, start + size), eps) for start in range(0, len(victims), size)
        ]
        return Adversarials(
            np.concatenate([part.x for part in parts]),
            np.concatenate([part.logits for part in parts]),
            np.concatenate([part.queries for part in parts]),
        )

    def _climb(self, victims: Victims, eps: float) -> Adversarials:
        asked = QueryCounter(self.score, len(victims))
        found, scores = victims.x.copy(), asked(victims.x, np.arange(len(victims)))
        best = self.goal.heights(scores, victims.y)
        delta, memory, draws = np.zeros_like(found), Adam.over(found), self.draws(victims)
        rows = np.flatnonzero(~self.goal.met(scores, victims.y))
        # After each estimate one more query judges where the step has led.
        steps = min(self.settings.steps, (self.allowed - 1) // (self.settings.samples + 1))
        for step in range(steps):
            if not len(rows):
                break
            left = victims.select(rows)
            gradient = self._estimate(left, delta[rows], draws.of(rows), step, asked, rows)
            here = memory.of(rows)
            moved = shrink(self.step_along(delta[rows], gradient, eps, here), eps, self.norm)
            memory.put(rows, here)
            x_adv = np.clip(left.x + moved, self.surrogate.domain.low, self.surrogate.domain.high)
            delta[rows] = x_adv - left.x
            answer = asked(self.as_replayed(x_adv, left.x, eps), rows)
            height = self.goal.heights(answer, left.y)
            better = height > best[rows]
            found[rows[better]], scores[rows[better]] = x_adv[better], answer[better]
            best[rows[better]] = height[better]
            rows = rows[~self.goal.met(answer, left.y)]
        return Adversarials(found, scores, asked.queries)

    def _estimate(
        self,
        left: Victims,
        delta: Array,
        draws: Draws,
        step: int,
        asked: QueryCounter,
        rows: NDArray[np.int64],
    ) -> Array:
        """The margin's gradient at each perturbed input."""
        domain, each = self.surrogate.domain, self.settings.samples
        n, count, elements = len(left), each // 2, int(np.prod(left.x.shape[1:]))
        v = self.directions(draws, step, count * elements).reshape(n, count, elements)
        middle = (left.x + delta).reshape(n, 1, elements)
        both = np.empty((n, 2, count, elements), np.float32)
        np.multiply(v, self.reach, out=both[:, 0])
        np.subtract(middle, both[:, 0], out=both[:, 1])
        both[:, 0] += middle
        np.clip(both, domain.low, domain.high, out=both)
        scores = asked(both.reshape(-1, *left.x.shape[1:]), np.repeat(rows, each))
        height = self.goal.heights(scores, np.repeat(left.y, each)).reshape(n, 2, count)
        rise = (height[:, 0] - height[:, 1]) / (2 * self.reach * count)
        return np.asarray(np.matmul(rise[:, None], v).reshape(left.x.shape))


class SpsaSettings(EstimationSettings):
    """Of SPSA."""

    learning_rate: float = Field(
        0.01, gt=0, allow_inf_nan=False, description="of Adam, in widths of the domain, above 0"
    )


class Spsa(EstimationAttack):
    """Simultaneous perturbation: directions of plus and minus one, steps by Adam.

    Uesato, O'Donoghue, Kohli and van den Oord, "Adversarial Risk and the Dangers of Evaluating Against Weak
    Attacks", ICML 2018, algorithm 1; its settings are those of Bernhard, Moellic and Dutertre (2019). Their
    128 samples are evaluations, 64 pairs: CleverHans halves `spsa_samples` (attacks/spsa.py at 05f4b355).
    """

    name = "spsa"
    settings_type = SpsaSettings
    settings: SpsaSettings

    def directions(self, draws: Draws, step: int, count: int) -> Array:
        """Rademacher."""
        return draws.signs(step, count)

    def step_along(self, delta: Array, gradient: Array, eps: float, memory: Adam) -> Array:
        """Adam's step."""
        del eps
        return delta + memory.step(gradient, self.settings.learning_rate * self.width)


class NesSettings(EstimationSettings):
    """Of NES."""

    samples: int = Field(50, ge=2, multiple_of=2, description="queries an estimate, two a direction; even")
    delta: float = Field(
        0.001,
        gt=0,
        allow_inf_nan=False,
        description="how far to look, in widths of the domain, above 0; a level of the oracle at least",
    )
    step_size: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="absolute, above 0; a fifth of eps if not given"
    )


class Nes(EstimationAttack):
    """Natural evolution strategies: Gaussian directions, steps along the sign (L2: the direction).

    Ilyas, Engstrom, Athalye and Lin, "Black-box Adversarial Attacks with Limited Queries and Information",
    ICML 2018, section 2.2, with antithetic sampling.
    """

    name = "nes"
    settings_type = NesSettings
    settings: NesSettings

    def directions(self, draws: Draws, step: int, count: int) -> Array:
        """Standard normal."""
        return draws.normal(step, count)

    def step_along(self, delta: Array, gradient: Array, eps: float, memory: Adam) -> Array:
        """A projected step of fixed length."""
        del memory
        step = np.float32(self.settings.step_size or eps / 5)
        if self.norm == "linf":
            return delta + step * np.sign(gradient)
        length = np.sqrt(np.square(gradient).sum(axis=tuple(range(1, gradient.ndim)), keepdims=True))
        return np.asarray(delta + step * gradient / np.maximum(length, 1e-12))
