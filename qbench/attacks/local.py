"""Local search on a network's own scores, from the best point that another attack has found."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from qbench.attacks.base import Adversarials, BoundedAttack, Victims
from qbench.attacks.queries import Draws, QueryAttack, QueryCounter, QuerySettings
from qbench.quant import Norm

Array = NDArray[np.float32]

# How likely a changed element returns to its clean value: it may be what stands in the way.
_RETURN_SHARE = 0.25
_TINY = 1e-12


class LocalSearchSettings(QuerySettings):
    """Of the local search."""

    restarts: int = Field(1, ge=1, description="searches, at least 1; the budget is each one's")
    largest_share: float = Field(
        0.1, gt=0, le=1, description="largest share of the elements that one change touches; above 0, to 1"
    )


class _Search(NamedTuple):
    """The samples that are still right; all arrays have their number as first size.

    Attributes:
        rows: their positions in the batch.
        best: [m, elements], the best perturbations.
        height: [m], their margins.
    """

    rows: NDArray[np.int64]
    best: Array
    height: Array

    def select(self, keep: NDArray[np.bool_]) -> _Search:
        """Some of them."""
        return _Search(self.rows[keep], self.best[keep], self.height[keep])


class LocalSearch(QueryAttack, BoundedAttack):
    """Changes a few random elements at a time, and keeps what does not lower the margin.

    An element goes to either end of what the ball allows it, or back to its clean value. One change touches
    1 element to a tenth of all, drawn from a log-uniform law, so that every search makes both coarse and fine
    moves. In the spirit of Narodytska and Kasiviswanathan, "Simple Black-Box Adversarial Attacks on Deep
    Neural Networks", CVPR workshop 2017, section 5; the moves are our own. Equal margins are accepted, since
    the scores of an integer network are few.
    """

    name = "local-search"
    norms = ("linf", "l2", "l1")
    targetable = True
    settings_type = LocalSearchSettings
    settings: LocalSearchSettings

    @property
    def restarts(self) -> int:
        """As told."""
        return self.settings.restarts

    def search(self, victims: Victims, eps: float, restart: int) -> Adversarials:
        """From a random corner of the ball."""
        signs = self.draws(victims, restart).signs(0, victims.x[0].size)
        delta = _scaled(signs, eps, self.norm).reshape(victims.x.shape)
        return self.improve(victims, victims.x + delta, eps, restart)

    def improve(self, victims: Victims, start: Array, eps: float, restart: int = 0) -> Adversarials:
        """Search from given points of the ball.

        Args:
            victims: [n], the clean inputs.
            start: [n, *shape] float32; moved into the domain.
            eps: radius of the ball.
            restart: number of the search, for its random draws.
        """
        domain, shape = self.surrogate.domain, victims.x.shape
        asked = QueryCounter(self.score, len(victims))
        clean = victims.x.reshape(len(victims), -1)
        draws = self.draws(victims, restart)
        best = np.clip(start, domain.low, domain.high).astype(np.float32)
        rows = np.arange(len(victims))
        scores = asked(self.as_replayed(best, victims.x, eps), rows)
        state = _Search(rows, best.reshape(clean.shape) - clean, self.goal.heights(scores, victims.y))
        state = state.select(~self.goal.met(scores, victims.y))
        for step in range(1, self.allowed):
            if not len(state.rows):
                break
            left = victims.select(state.rows)
            moved = self._change(draws.of(state.rows), state.best, step, eps)
            tried = np.clip(clean[state.rows] + moved, domain.low, domain.high).reshape(left.x.shape)
            answer = asked(self.as_replayed(tried, left.x, eps), state.rows)
            height = self.goal.heights(answer, left.y)
            taken = (height >= state.height) | self.goal.met(answer, left.y)
            best[state.rows[taken]], scores[state.rows[taken]] = tried[taken], answer[taken]
            state.best[taken], state.height[taken] = moved[taken], height[taken]
            state = state.select(~self.goal.met(scores[state.rows], left.y))
        return Adversarials(best.reshape(shape), scores, asked.queries)

    def _change(self, draws: Draws, delta: Array, step: int, eps: float) -> Array:
        """Perturbations [m, elements] with a few elements changed."""
        elements = delta.shape[1]
        u = draws.uniform(3 * step, 1)
        most = max(1.0, self.settings.largest_share * elements)
        share = most**u / elements
        where = draws.uniform(3 * step + 1, elements)
        touched = (where < share) | (where == where.min(axis=1, keepdims=True))
        to = draws.signs(3 * step + 2, elements)
        back = (where * elements * 997) % 1.0 < _RETURN_SHARE
        to = np.where(back, np.float32(0), to)
        if self.norm == "linf":
            return np.where(touched, np.float32(eps) * to, delta)
        reach = np.abs(delta).max(axis=1, keepdims=True)
        return _scaled(np.where(touched, reach * to, delta), eps, self.norm)


def _scaled(delta: Array, eps: float, norm: Norm) -> Array:
    """Perturbations [n, elements] stretched or shrunk to the size eps."""
    if norm == "linf":
        length = np.abs(delta).max(axis=1, keepdims=True)
    elif norm == "l2":
        length = np.sqrt(np.square(delta).sum(axis=1, keepdims=True))
    else:
        length = np.abs(delta).sum(axis=1, keepdims=True)
    return np.asarray(delta * (eps / (length + _TINY)), np.float32)
