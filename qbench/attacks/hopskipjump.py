"""HopSkipJump: along the decision boundary towards the clean input, by labels alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from qbench.attacks.base import Adversarials, Victims
from qbench.attacks.goals import Goal
from qbench.attacks.minimum import MinimumNormAttack
from qbench.attacks.queries import Draws, QueryAttack, QueryCounter, QuerySettings
from qbench.quant import size

Array = NDArray[np.float32]
Rows = NDArray[np.int64]

_LARGEST_CLOUD = 2048  # perturbed inputs that are held at once
_START_TRIES = 50
_HALVINGS = 12  # of a step that leads back to the right label, at most
_FIRST_LOOK = 0.1  # how far the first estimate looks around, as a share of the domain's width


class HopSkipJumpSettings(QuerySettings):
    """Of HopSkipJump."""

    steps: int = Field(64, ge=1, description="jumps, at least 1; fewer where the budget ends before")
    samples: int = Field(
        100, ge=2, description="directions of the first estimate, at least 2; later ones take more"
    )


@dataclass
class _Walk:
    """Where the search is; d is the number of elements.

    Attributes:
        x, y: [n, d] and [n], the clean inputs and their labels.
        at: [n, d], the nearest inputs found that fool; the clean ones where there is none.
        scores: [n, classes], there.
        asked: counts.
        goal: what fools.
        shape: of an input.
        started: [n], whether an input that fools was found.
    """

    x: Array
    y: NDArray[np.int64]
    at: Array
    scores: Array
    asked: QueryCounter
    goal: Goal
    shape: tuple[int, ...]
    started: NDArray[np.bool_]

    def fool(self, tried: Array, rows: Rows) -> NDArray[np.bool_]:
        """Ask for inputs [m, d] of samples [m], and keep those that fool."""
        answer = self.asked(tried.reshape(-1, *self.shape), rows)
        fooled = self.goal.met(answer, self.y[rows])
        self.started[rows[fooled]] = True
        self.at[rows[fooled]], self.scores[rows[fooled]] = tried[fooled], answer[fooled]
        return fooled


class HopSkipJump(QueryAttack, MinimumNormAttack):
    """Estimates the boundary's normal from labels around a point on it, steps along it, and comes back.

    Chen, Jordan and Wainwright, "HopSkipJumpAttack: A Query-Efficient Decision-Based Attack", IEEE S&P 2020,
    algorithm 2. It starts from the first of up to 50 uniform inputs that is misclassified; a network may give
    noise one label. So from an input of another label, or a blank one of lowest or highest values, if that is
    nearer. Towards a target it starts from an input of its label.
    """

    name = "hopskipjump"
    norms = ("l2", "linf")
    targetable = True
    needs_examples = True
    settings_type = HopSkipJumpSettings
    settings: HopSkipJumpSettings

    def nearest(self, victims: Victims) -> Adversarials:
        """The walk, all samples in step."""
        n, shape = len(victims), victims.x.shape[1:]
        asked, draws = QueryCounter(self.score, n), self.draws(victims)
        scores = asked(victims.x, np.arange(n)).copy()
        x = victims.x.reshape(n, -1)
        walk = _Walk(x, victims.y, x.copy(), scores, asked, self.goal, shape, np.zeros(n, bool))
        rows = np.flatnonzero(~self.goal.met(scores, victims.y))
        if self.goal.targeted:
            rows = self._start_from_examples(victims.examples, walk, rows)
        else:
            rows = self._find_starts(walk, draws, rows, victims.examples)
        back = self._bisections(x.shape[1])
        rows = rows[asked.queries[rows] + back <= self.allowed]
        self._approach(walk, rows, back)
        for step in range(1, self.settings.steps + 1):
            samples = int(self.settings.samples * step**0.5)
            rows = rows[asked.queries[rows] + samples + _HALVINGS + back <= self.allowed]
            if not len(rows):
                break
            self._jump(walk, rows, self._normal(walk, draws, rows, step, samples), step)
            self._approach(walk, rows, back)
        return Adversarials(walk.at.reshape(victims.x.shape), walk.scores, asked.queries)

    def _find_starts(self, walk: _Walk, draws: Draws, rows: Rows, examples: Mapping[int, Array]) -> Rows:
        """The samples for which an input that fools was found."""
        self._from_noise(walk, draws, rows)
        domain = self.surrogate.domain
        noise = np.where(walk.started[rows], self._distance(walk, rows), np.inf)
        ends = [np.full(walk.x.shape[1], end, np.float32) for end in (domain.low, domain.high)]
        labels = sorted(examples)
        starts = np.stack([*(examples[label].reshape(-1) for label in labels), *ends])
        of_label = np.array([*labels, -1, -1])
        distances = np.stack([size(start - walk.x[rows], self.norm) for start in starts], axis=1)
        left = np.ones(len(rows), bool)
        for nearest in np.argsort(distances, axis=1, kind="stable").T:
            left &= distances[np.arange(len(rows)), nearest] < noise
            asks = left & (of_label[nearest] != walk.y[rows]) & (walk.asked.queries[rows] < self.allowed)
            if asks.any():
                left[asks] = ~walk.fool(starts[nearest[asks]], rows[asks])
        return np.asarray(rows[walk.started[rows]])

    def _from_noise(self, walk: _Walk, draws: Draws, rows: Rows) -> None:
        """Try uniform inputs, each sample's until one fools."""
        domain, missing = self.surrogate.domain, rows
        for attempt in range(min(_START_TRIES, self.allowed - 1)):
            if not len(missing):
                break
            u = draws.of(missing).uniform(attempt, walk.x.shape[1])
            tried = (domain.low + u * (domain.high - domain.low)).astype(np.float32)
            missing = missing[~walk.fool(tried, missing)]

    def _start_from_examples(self, examples: Mapping[int, Array], walk: _Walk, rows: Rows) -> Rows:
        """The samples for whose target there is an example."""
        rows = rows[np.isin(walk.y[rows], list(examples))] if self.allowed > 1 else rows[:0]
        tried = [examples[label].reshape(-1) for label in walk.y[rows].tolist()]
        return rows[walk.fool(np.stack(tried), rows)] if tried else rows

    def _bisections(self, elements: int) -> int:
        """Queries of one way back to the boundary, to within the paper's theta (section IV-B)."""
        return int(np.ceil(np.log2(elements + 1) * (1.5 if self.norm == "l2" else 2)))

    def _approach(self, walk: _Walk, rows: Rows, bisections: int) -> None:
        """Binary search from adversarial inputs towards the clean ones, along the segment."""
        far, x = walk.at[rows].copy(), walk.x[rows]
        low, high = np.zeros(len(rows)), np.ones(len(rows))
        for _ in range(bisections if len(rows) else 0):
            middle = (low + high) / 2
            wrong = walk.fool(self._between(x, far, middle), rows)
            high, low = np.where(wrong, middle, high), np.where(wrong, low, middle)

    def _between(self, x: Array, far: Array, share: NDArray[np.float64]) -> Array:
        """At a share of the distance [m]: on the line (L2), or in the ball of that radius (Linf)."""
        if self.norm == "l2":
            return (x + share[:, None] * (far - x)).astype(np.float32)
        radius = share[:, None] * np.abs(far - x).max(axis=1, keepdims=True)
        return np.clip(far, x - radius, x + radius).astype(np.float32)

    def _distance(self, walk: _Walk, rows: Rows) -> NDArray[np.float64]:
        order = 2 if self.norm == "l2" else np.inf
        delta = (walk.at[rows] - walk.x[rows]).astype(np.float64)
        return np.asarray(np.linalg.norm(delta, order, axis=1))

    def _normal(self, walk: _Walk, draws: Draws, rows: Rows, step: int, samples: int) -> Array:
        """[m, d]: the boundary's normal, from the labels of random points around (eq. 9 and 16)."""
        size = max(1, _LARGEST_CLOUD // samples)
        parts = [rows[start : start + size] for start in range(0, len(rows), size)]
        return np.concatenate([self._normal_of(walk, draws, part, step, samples) for part in parts])

    def _normal_of(self, walk: _Walk, draws: Draws, rows: Rows, step: int, samples: int) -> Array:
        domain, at = self.surrogate.domain, walk.at[rows][:, None]
        m, d = len(rows), walk.at.shape[1]
        share = self._distance(walk, rows) / d
        look = np.full(m, _FIRST_LOOK * (domain.high - domain.low)) if step == 1 else share
        # What an oracle rounds away tells nothing of the boundary.
        look = np.maximum(look, (self.score.step or 0.0) * d**0.5 / 2).astype(np.float32)
        # One array, changed in place: it is as large as all other work together.
        around = draws.of(rows).normal(_START_TRIES + step, samples * d).reshape(m, samples, d)
        around *= (look[:, None] / np.sqrt(np.einsum("msd,msd->ms", around, around)))[..., None]
        around += at
        np.clip(around, domain.low, domain.high, out=around)
        answer = walk.asked(around.reshape(-1, *walk.shape), np.repeat(rows, samples))
        side = self.goal.met(answer, np.repeat(walk.y[rows], samples)).reshape(m, samples) * 2.0 - 1
        # The mean, taken off, reduces the variance where both sides were seen.
        mean = side.mean(axis=1, keepdims=True)
        centred = np.where(np.abs(mean) == 1, side, side - mean).astype(np.float32)
        around -= at
        normal = np.matmul(centred[:, None], around)[:, 0]
        if self.norm == "linf":
            return np.asarray(np.sign(normal))
        return np.asarray(normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12))

    def _jump(self, walk: _Walk, rows: Rows, normal: Array, step: int) -> None:
        """Along the normal, half as far as often as it takes to fool (section IV-C)."""
        domain, start = self.surrogate.domain, walk.at[rows].copy()
        length = self._distance(walk, rows) / step**0.5
        left = np.arange(len(rows))
        for _ in range(_HALVINGS):
            if not len(left):
                return
            tried = np.clip(start[left] + length[left, None] * normal[left], domain.low, domain.high)
            left = left[~walk.fool(tried.astype(np.float32), rows[left])]
            length[left] /= 2
