"""ZOO: coordinate descent on the Carlini-Wagner objective, by scores alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from qbench.attacks.adam import Adam
from qbench.attacks.base import Adversarials, Victims
from qbench.attacks.minimum import MinimumNormAttack
from qbench.attacks.queries import Draws, QueryAttack, QueryCounter, QuerySettings
from qbench.surrogate.scoring import are_probabilities

Array = NDArray[np.float32]
Rows = NDArray[np.int64]
Places = tuple[NDArray[np.int64], NDArray[np.int64]]

_LARGEST_CLOUD = 8192
_LARGEST_CONSTANT = 1e10
_EDGE = 1e-6  # keeps the inverse tangent of a bound of the domain finite

# Where no learning rate is told: the rate, and the steps that a constant is worth.
_USUAL_RATE = 0.01
_LEAST_STEPS = 5

# The walk along measured slopes: its first step as a share of the domain's width, doublings, and halvings.
_FIRST_REACH = 0.02
_DOUBLINGS = 9
_HALVINGS = 6


class ZooSettings(QuerySettings):
    """Of ZOO."""

    budget: int = Field(30_000, ge=1, description="queries for each input, at least 1")
    binary_search_steps: int = Field(
        3, ge=1, description="constants tried, at least 1; fewer where the budget ends before"
    )
    steps: int = Field(100, ge=1, description="descent steps a constant, at least 1")
    coordinates: int = Field(128, ge=1, description="elements a step, at least 1; each costs two queries")
    learning_rate: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="of Adam, above 0: the paper's own algorithm; if not given, with a walk along the slopes",
    )
    initial_const: float = Field(0.5, gt=0, allow_inf_nan=False, description="weight of the loss, above 0")
    confidence: float = Field(0.0, ge=0, allow_inf_nan=False, description="margin to reach, 0 or more")
    delta: float = Field(
        1e-2,
        gt=0,
        allow_inf_nan=False,
        description="difference, above 0: in tanh space with a learning rate, else in widths of the domain",
    )


@dataclass
class _Known:
    """What is known of n samples; d is the number of elements.

    Attributes:
        victims: the samples.
        x: [n, d], their clean inputs.
        asked: counts.
        best: the nearest inputs that fool.
        distance: [n], how near; infinite where there is none.
        slopes: [n, d], of the margin along each element, as last measured.
        measured: [n, d], where.
    """

    victims: Victims
    x: Array
    asked: QueryCounter
    best: Adversarials
    distance: NDArray[np.float64]
    slopes: Array
    measured: NDArray[np.bool_]

    def ask(self, x: Array, rows: Rows) -> Array:
        """Scores of inputs [m, d], each asked for the sample that `rows` [m] names."""
        return self.asked(x.reshape(-1, *self.victims.x.shape[1:]), rows)

    def keep(self, x: Array, scores: Array, rows: Rows, fools: NDArray[np.bool_]) -> None:
        """Keep of inputs [m, d], one a sample, those that fool and are nearer."""
        distance = np.linalg.norm((x - self.x[rows]).astype(np.float64), axis=1)
        nearer = fools & (distance < self.distance[rows])
        at = rows[nearer]
        self.best.x[at] = x[nearer].reshape(-1, *self.victims.x.shape[1:])
        self.best.logits[at], self.distance[at] = scores[nearer], distance[nearer]


class _Constants:
    """The weight of the loss against the distance, by binary search: [n]."""

    def __init__(self, count: int, initial: float) -> None:
        self.now = np.full(count, initial)
        self._low, self._high = np.zeros(count), np.full(count, _LARGEST_CONSTANT)

    def update(self, rows: Rows, fooled: NDArray[np.bool_]) -> None:
        """Lower for samples [m] that were fooled, higher for the others."""
        now, low, high = self.now[rows], self._low[rows], self._high[rows]
        self._high[rows] = np.where(fooled, np.minimum(high, now), high)
        self._low[rows] = np.where(fooled, low, np.maximum(low, now))
        low, high = self._low[rows], self._high[rows]
        raised = np.where(low > 0, low * 10, now)
        self.now[rows] = np.where(high < _LARGEST_CONSTANT, (low + high) / 2, raised)


@dataclass
class _Descent:
    """One run of the descent for m samples.

    Attributes:
        rows: their positions.
        constant: [m].
        draws: theirs.
        w: [m, d], the inputs in tanh space.
        moments: of w.
        importance: [m, d], how far elements have moved, by which they are drawn.
    """

    rows: Rows
    constant: NDArray[np.float64]
    draws: Draws
    w: Array
    moments: Adam
    importance: Array


class Zoo(QueryAttack, MinimumNormAttack):
    """Adam on a few elements at a time, with symmetric difference quotients, in tanh space.

    Chen, Zhang, Sharma, Yi and Hsieh, "ZOO: Zeroth Order Optimization Based Black-box Attacks to Deep Neural
    Networks without Training Substitute Models", AISec 2017, algorithm 2, equations 4 to 6, with the log loss
    of section 3.1, importance sampling (section 3.4), and a binary search for the constant. The paper's
    reduced attack space and hierarchy are left out: they are for images larger than those of small devices.

    With a learning rate the algorithm is the paper's. Its descent uses a slope once, and few queries leave
    each element few moves. So without one, and this is ours, elements are measured that were not yet, with
    differences in the domain, and after each constant all slopes together give a direction: along it the
    nearest input that fools is searched by doubling and halving, some 15 queries.
    """

    name = "zoo"
    norms = ("l2",)
    targetable = True
    settings_type = ZooSettings
    settings: ZooSettings

    def nearest(self, victims: Victims) -> Adversarials:
        """A few samples at a time, since each brings a cloud of perturbed inputs."""
        size = max(1, _LARGEST_CLOUD // (2 * self.settings.coordinates))
        parts = [self._search(victims.rows(start, start + size)) for start in range(0, len(victims), size)]
        return Adversarials(
            np.concatenate([part.x for part in parts]),
            np.concatenate([part.logits for part in parts]),
            np.concatenate([part.queries for part in parts]),
        )

    def _search(self, victims: Victims) -> Adversarials:
        known, draws = self._start(victims), self.draws(victims)
        constants = _Constants(len(victims), self.settings.initial_const)
        for search in range(self._searches):
            rows = np.flatnonzero(known.distance > 0)
            if not len(rows):
                break
            w = self._to_tanh(known.x[rows])
            run = _Descent(rows, constants.now[rows], draws.of(rows), w, Adam.over(w), np.ones_like(w))
            fooled = self._descend(known, run, search * self.settings.steps)
            if self._walks:
                self._walk(known, rows)
            constants.update(rows, fooled)
        return known.best

    def _start(self, victims: Victims) -> _Known:
        """The clean inputs, asked for."""
        asked = QueryCounter(self.score, len(victims))
        clean = asked(victims.x, np.arange(len(victims)))
        x = victims.x.reshape(len(victims), -1)
        return _Known(
            victims,
            x,
            asked,
            Adversarials(victims.x.copy(), clean.copy(), asked.queries),
            np.where(self.goal.met(clean, victims.y), 0.0, np.inf),
            np.zeros_like(x),
            np.zeros(x.shape, bool),
        )

    @property
    def _walks(self) -> bool:
        return self.settings.learning_rate is None

    @property
    def _searches(self) -> int:
        """Constants tried."""
        if not self._walks:
            return self.settings.binary_search_steps
        worth = self.allowed // (_LEAST_STEPS * (2 * self.settings.coordinates + 1))
        return max(1, min(self.settings.binary_search_steps, worth))

    @property
    def _share(self) -> int:
        """Queries for the descent with one constant."""
        return (self.allowed - 1) // self._searches - self._walks * (_DOUBLINGS + _HALVINGS)

    @property
    def _count(self) -> int:
        """Elements a step; fewer where the budget would not pay for a step a constant."""
        return max(1, min(self.settings.coordinates, (self._share - 1) // 2))

    def _descend(self, known: _Known, run: _Descent, first: int) -> NDArray[np.bool_]:
        """All steps with one constant a sample; whether it was fooled, [m]."""
        y, rows = known.victims.y[run.rows], run.rows
        fooled = np.zeros(len(rows), bool)
        for step in range(min(self.settings.steps, self._share // (2 * self._count + 1))):
            at = self._choose(known, run, first + step)
            self._move(run, at, self._slopes(known, run, at))
            x_adv = self._from_tanh(run.w)
            scores = known.ask(x_adv, rows)
            wrong = self.goal.met(scores, y) & (self.goal.heights(scores, y) >= self.settings.confidence)
            known.keep(x_adv, scores, rows, wrong)
            fooled |= wrong
        return fooled

    def _choose(self, known: _Known, run: _Descent, step: int) -> Places:
        """Some elements of every sample, by importance; in ours those first that were not measured yet."""
        elements = known.x.shape[1]
        count = min(self._count, elements)
        # The largest of u^(1/p) draws without replacement by weights p (Efraimidis and Spirakis, 2006).
        keys = np.log(run.draws.uniform(step, elements) + 1e-300) / run.importance
        if self._walks:
            keys = np.where(known.measured[run.rows], keys + keys.min(), keys)
        return np.arange(len(keys))[:, None], np.argpartition(-keys, count - 1, axis=1)[:, :count]

    def _slopes(self, known: _Known, run: _Descent, at: Places) -> Array:
        """Of the objective along elements in tanh space, [m, count]; the margin's are noted in `known`."""
        count, x, now = at[1].shape[1], known.x[run.rows], self._from_tanh(run.w)
        inputs = np.repeat(now[:, None], 2 * count, axis=1)
        here = np.square((now - x).astype(np.float64))
        length = np.repeat((here.sum(axis=1, keepdims=True) - here[at])[:, None], 2, axis=1)
        sides = self._sides(now[at], run.w[at])
        for side, changed in enumerate(sides):
            inputs[at[0], side * count + np.arange(count), at[1]] = changed
            length[:, side] += np.square((changed - x[at]).astype(np.float64))
        scores = known.ask(inputs.reshape(-1, x.shape[1]), np.repeat(run.rows, 2 * count))
        margins = self._margins(scores, np.repeat(known.victims.y[run.rows], 2 * count)).reshape(length.shape)
        loss = np.maximum(-margins, -self.settings.confidence)
        objective = length / self._width**2 + run.constant[:, None, None] * loss
        rise = objective[:, 0] - objective[:, 1]
        if not self._walks:
            return np.asarray(rise / (2 * self.settings.delta), np.float32)
        apart = sides[0] - sides[1]
        into = run.rows[:, None], at[1]
        known.slopes[into], known.measured[into] = (margins[:, 0] - margins[:, 1]) / apart, True
        bend = (1 - np.square(np.tanh(run.w[at]))) * (self._width / 2)
        return np.asarray(rise / apart * bend, np.float32)

    def _sides(self, now: Array, w: Array) -> tuple[Array, Array]:
        """Both values of elements [m, count] that a slope is measured between."""
        delta = np.float32(self.settings.delta)
        if not self._walks:
            return self._from_tanh(w + delta), self._from_tanh(w - delta)
        # What an oracle rounds away tells nothing of the slope.
        reach = np.float32(max(self.settings.delta * self._width, self.score.step or 0.0))
        domain = self.surrogate.domain
        return np.clip(now + reach, domain.low, domain.high), np.clip(now - reach, domain.low, domain.high)

    def _move(self, run: _Descent, at: Places, slopes: Array) -> None:
        """One step of Adam down the slopes."""
        rate = self.settings.learning_rate or _USUAL_RATE
        moments = run.moments.of(at)
        moved = moments.step(-slopes, rate)
        run.moments.put(at, moments)
        run.w[at] += moved
        run.importance[at] = 0.5 * run.importance[at] + 0.5 * np.abs(moved) / rate + 1e-3

    def _walk(self, known: _Known, rows: Rows) -> None:
        """From the clean inputs along the slopes, twice as far until it fools, then back by halves."""
        length = np.linalg.norm(known.slopes[rows], axis=1)
        rows, length = rows[length > 0], length[length > 0]
        heading = known.slopes[rows] / length[:, None]
        low, high = np.zeros(len(rows)), np.full(len(rows), np.inf)
        for turn in range(_DOUBLINGS + _HALVINGS):
            doubled = np.maximum(2 * low, _FIRST_REACH * self._width)
            reach = np.where(np.isinf(high), doubled, (low + high) / 2)
            some = np.flatnonzero(np.isfinite(high) | (turn < _DOUBLINGS))
            if not len(some):
                break
            fools = self._try(known, rows[some], reach[some, None] * heading[some])
            high[some] = np.where(fools, reach[some], high[some])
            low[some] = np.where(fools, low[some], reach[some])

    def _try(self, known: _Known, rows: Rows, delta: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether perturbations [m, d] fool; those that do and are nearer are kept."""
        domain, y = self.surrogate.domain, known.victims.y[rows]
        x_adv = np.clip(known.x[rows] + delta, domain.low, domain.high).astype(np.float32)
        scores = known.ask(x_adv, rows)
        fools = self.goal.met(scores, y) & (self.goal.heights(scores, y) >= self.settings.confidence)
        known.keep(x_adv, scores, rows, fools)
        return fools

    def _margins(self, scores: Array, y: NDArray[np.int64]) -> Array:
        """Of log probabilities, [m]: with the sign turned the loss of eq. 4, less its bound."""
        from scipy.special import log_softmax

        if are_probabilities(scores).all():
            logs = np.log(np.maximum(scores, 1e-6))  # the network ends in a softmax
        else:
            logs = log_softmax(scores, axis=1)
        return self.goal.heights(logs.astype(np.float32), y)

    @property
    def _width(self) -> float:
        return self.surrogate.domain.high - self.surrogate.domain.low

    def _to_tanh(self, x: Array) -> Array:
        share = 2 * (x - self.surrogate.domain.low) / self._width - 1
        return np.arctanh(np.clip(share, _EDGE - 1, 1 - _EDGE)).astype(np.float32)

    def _from_tanh(self, w: Array) -> Array:
        return (self.surrogate.domain.low + (np.tanh(w) + 1) / 2 * self._width).astype(np.float32)
