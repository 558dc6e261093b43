"""ZOO: coordinate descent on the Carlini-Wagner objective, by scores alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from qbench.attacks.adam import Adam
from qbench.attacks.base import Adversarials, Victims
from qbench.attacks.minimum import MinimumNormAttack
from qbench.attacks.queries import Asked, Draws, QueryAttack, QuerySettings

Array = NDArray[np.float32]

_LARGEST_CLOUD = 8192
_LARGEST_CONSTANT = 1e10
_FIRST_RATE = 0.05
_EDGE = 1e-6  # keeps the inverse tangent of a bound of the domain finite


class ZooSettings(QuerySettings):
    """Of ZOO."""

    budget: int = Field(30_000, ge=1, description="queries for each input, at least 1")
    binary_search_steps: int = Field(3, ge=1, description="constants tried, at least 1")
    steps: int = Field(100, ge=1, description="descent steps a constant, at least 1")
    coordinates: int = Field(128, ge=1, description="elements a step, at least 1; each costs two queries")
    learning_rate: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="of Adam, above 0; if not given 0.05, then a quarter where the last constant fooled, "
        "and twice where it did not",
    )
    initial_const: float = Field(0.5, gt=0, allow_inf_nan=False, description="weight of the loss, above 0")
    confidence: float = Field(0.0, ge=0, allow_inf_nan=False, description="margin to reach, 0 or more")
    delta: float = Field(1e-2, gt=0, allow_inf_nan=False, description="difference in tanh space, above 0")


@dataclass
class _Descent:
    """One run of the descent for m samples; d is the number of elements.

    Attributes:
        w: [m, d], the inputs in tanh space.
        rate: [m, 1], of Adam.
        moments: of w.
        importance: [m, d], how far elements have moved, by which they are drawn.
        scores: [m, classes], at w.
    """

    w: Array
    rate: Array
    moments: Adam
    importance: Array
    scores: Array


class Zoo(QueryAttack, MinimumNormAttack):
    """Adam on a few elements at a time, with symmetric difference quotients, in tanh space.

    Chen, Zhang, Sharma, Yi and Hsieh, "ZOO: Zeroth Order Optimization Based Black-box Attacks to Deep Neural
    Networks without Training Substitute Models", AISec 2017, algorithm 2, equations 4 to 6, with the log loss
    of section 3.1, importance sampling (section 3.4), and a binary search for the constant. The paper's
    reduced attack space and hierarchy are left out: they are for images larger than those of small devices.
    Ours is that the rate falls with the search, if none is given: few queries leave each element few moves,
    which must be long to fool at all, and short to end near.
    """

    name = "zoo"
    norms = ("l2",)
    targetable = True
    settings_type = ZooSettings
    settings: ZooSettings

    def nearest(self, victims: Victims) -> Adversarials:
        """A few samples at a time, since each brings a cloud of perturbed inputs."""
        size = max(1, _LARGEST_CLOUD // (2 * self.settings.coordinates))
        parts = [self._searched(victims.rows(start, start + size)) for start in range(0, len(victims), size)]
        return Adversarials(
            np.concatenate([part.x for part in parts]),
            np.concatenate([part.logits for part in parts]),
            np.concatenate([part.queries for part in parts]),
        )

    def _searched(self, victims: Victims) -> Adversarials:
        asked, draws = Asked(self.score, len(victims)), self.draws(victims)
        clean = asked(victims.x, np.arange(len(victims)))
        best = Adversarials(victims.x.copy(), clean.copy(), asked.queries)
        nearest = np.where(self.goal.met(clean, victims.y), 0.0, np.inf)
        low, high = np.zeros(len(victims)), np.full(len(victims), _LARGEST_CONSTANT)
        constant = np.full(len(victims), self.settings.initial_const)
        rate = np.full(len(victims), self.settings.learning_rate or _FIRST_RATE, np.float32)
        for search in range(self.settings.binary_search_steps):
            rows = np.flatnonzero(nearest > 0)
            if not len(rows):
                break
            fooled = self._descend(
                victims.chosen(rows),
                rows,
                clean[rows],
                constant[rows],
                rate[rows, None],
                draws.of(rows),
                search,
                asked,
                best,
                nearest,
            )
            high[rows] = np.where(fooled, np.minimum(high[rows], constant[rows]), high[rows])
            low[rows] = np.where(fooled, low[rows], np.maximum(low[rows], constant[rows]))
            halved = (low + high) / 2
            if self.settings.learning_rate is None:
                rate[rows] *= np.where(fooled, np.float32(0.25), np.float32(2))
            constant = np.where(high < _LARGEST_CONSTANT, halved, np.where(low > 0, low * 10, constant))
        return best

    def _descend(
        self,
        left: Victims,
        rows: NDArray[np.int64],
        clean: Array,
        constant: NDArray[np.float64],
        rate: Array,
        draws: Draws,
        search: int,
        asked: Asked,
        best: Adversarials,
        nearest: NDArray[np.float64],
    ) -> NDArray[np.bool_]:
        """One constant for each sample; writes finds into `best`, and tells where there were any."""
        x = left.x.reshape(len(left), -1)
        w = self._to_tanh(x)
        run = _Descent(w, rate, Adam.over(w), np.ones_like(w), clean)
        fooled = np.zeros(len(left), bool)
        steps = min(self.settings.steps, self._affordable())
        for step in range(steps):
            self._step(run, left, x, constant, draws, search * self.settings.steps + step, asked, rows)
            x_adv = self._from_tanh(run.w)
            run.scores = asked(x_adv.reshape(left.x.shape), rows)
            height = self.goal.heights(run.scores, left.y)
            wrong = self.goal.met(run.scores, left.y) & (height >= self.settings.confidence)
            fooled |= wrong
            distance = np.linalg.norm((x_adv - x).astype(np.float64), axis=1)
            nearer = wrong & (distance < nearest[rows])
            at = rows[nearer]
            best.x[at] = x_adv[nearer].reshape(-1, *left.x.shape[1:])
            best.logits[at], nearest[at] = run.scores[nearer], distance[nearer]
        return fooled

    def _affordable(self) -> int:
        """Steps a constant that the budget leaves."""
        each = (self.allowed - 1) // self.settings.binary_search_steps
        return each // (2 * self._count() + 1)

    def _count(self) -> int:
        """Elements a step; fewer where the budget would not pay for a step a constant."""
        each = (self.allowed - 1) // self.settings.binary_search_steps
        return max(1, min(self.settings.coordinates, (each - 1) // 2))

    def _step(
        self,
        run: _Descent,
        left: Victims,
        x: Array,
        constant: NDArray[np.float64],
        draws: Draws,
        step: int,
        asked: Asked,
        rows: NDArray[np.int64],
    ) -> None:
        """Change some elements of every sample."""
        n, elements = x.shape
        count = min(self._count(), elements)
        # The largest of u^(1/p) draws without replacement by weights p (Efraimidis and Spirakis, 2006).
        keys = np.log(draws.uniform(step, elements) + 1e-300) / run.importance
        chosen = np.argpartition(-keys, count - 1, axis=1)[:, :count]
        at = (np.arange(n)[:, None], chosen)
        inputs, length = self._cloud(run.w, x, at)
        scores = asked(inputs.reshape(-1, *left.x.shape[1:]), np.repeat(rows, 2 * count))
        loss = self._loss(scores, np.repeat(left.y, 2 * count)).reshape(n, 2, count)
        objective = length + constant[:, None, None] * loss
        slope = ((objective[:, 0] - objective[:, 1]) / (2 * self.settings.delta)).astype(np.float32)
        moments = run.moments.of(at)
        moved = moments.step(-slope, run.rate)
        run.moments.put(at, moments)
        run.w[at] += moved
        run.importance[at] = 0.5 * run.importance[at] + 0.5 * np.abs(moved) / run.rate + 1e-3

    def _cloud(
        self, w: Array, x: Array, at: tuple[NDArray[np.int64], NDArray[np.int64]]
    ) -> tuple[Array, NDArray[np.float64]]:
        """Inputs [n, 2 count, d] with one element changed each; squares of their distances, [n, 2, count]."""
        count, now = at[1].shape[1], self._from_tanh(w)
        inputs = np.repeat(now[:, None], 2 * count, axis=1)
        here = np.square((now - x).astype(np.float64))
        length = np.repeat((here.sum(axis=1, keepdims=True) - here[at])[:, None], 2, axis=1)
        for side, delta in enumerate((self.settings.delta, -self.settings.delta)):
            changed = self._from_tanh(w[at] + np.float32(delta))
            inputs[at[0], side * count + np.arange(count), at[1]] = changed
            length[:, side] += np.square((changed - x[at]).astype(np.float64))
        return inputs, length

    def _loss(self, scores: Array, y: NDArray[np.int64]) -> NDArray[np.float64]:
        """The right class's log probability less the best wrong one's, at least -confidence (eq. 4)."""
        from scipy.special import log_softmax

        if (scores >= 0).all() and np.allclose(scores.sum(axis=1), 1, atol=0.1):
            logs = np.log(np.maximum(scores, 1e-6))  # the network ends in a softmax
        else:
            logs = log_softmax(scores, axis=1)
        return np.asarray(
            np.maximum(-self.goal.heights(logs.astype(np.float32), y), -self.settings.confidence), np.float64
        )

    def _to_tanh(self, x: Array) -> Array:
        domain = self.surrogate.domain
        share = 2 * (x - domain.low) / (domain.high - domain.low) - 1
        return np.arctanh(np.clip(share, _EDGE - 1, 1 - _EDGE)).astype(np.float32)

    def _from_tanh(self, w: Array) -> Array:
        domain = self.surrogate.domain
        return (domain.low + (np.tanh(w) + 1) / 2 * (domain.high - domain.low)).astype(np.float32)
