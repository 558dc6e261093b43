"""Square attack: random search over square patches, by scores alone."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from qbench.attacks.base import Adversarials, BoundedAttack, Victims
from qbench.attacks.queries import Draws, QueryAttack, QueryCounter, QuerySettings

Array = NDArray[np.float32]

# The share of elements that a patch covers is halved at these of 10,000 steps (the paper's section 4.1).
_HALVED_AT = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
_SCHEDULE_STEPS = 10_000
_TINY = 1e-12


class SquareSettings(QuerySettings):
    """Of Square."""

    first_share: float = Field(
        0.8, gt=0, le=1, description="of the elements, in the first patch; above 0, to 1"
    )
    restarts: int = Field(1, ge=1, description="searches, at least 1; the budget is each one's")


class _Search(NamedTuple):
    """The samples that are still right; all arrays have their number as first size.

    Attributes:
        rows: their positions in the batch.
        x: clean inputs [m, height, width, channels].
        best: the best perturbed inputs, alike.
        height: of their margins [m].
    """

    rows: NDArray[np.int64]
    x: Array
    best: Array
    height: Array

    def select(self, keep: NDArray[np.bool_]) -> _Search:
        """Some of them."""
        return _Search(self.rows[keep], self.x[keep], self.best[keep], self.height[keep])


class Square(QueryAttack, BoundedAttack):
    """Changes one patch of the perturbation at a time, and keeps what does not lower the margin.

    Andriushchenko, Croce, Flammarion and Hein, "Square Attack: a query-efficient black-box adversarial attack
    via random search", ECCV 2020, algorithms 1 to 3. A change that leaves the margin as it is is kept too:
    the scores of an integer network stand still over many moves, and drifting leads off the plateau.
    Inputs without height and width are taken as a column.
    """

    name = "square"
    targetable = True
    settings_type = SquareSettings
    settings: SquareSettings

    @property
    def restarts(self) -> int:
        """As told."""
        return self.settings.restarts

    def search(self, victims: Victims, eps: float, restart: int) -> Adversarials:
        """Patch by patch, until the sample is misclassified or its queries are spent."""
        asked = QueryCounter(self.score, len(victims))
        shape = victims.x.shape
        rows = np.arange(len(victims))
        draws = self.draws(victims, restart)
        x = victims.x.reshape(len(victims), *_image(shape[1:]))
        best = self._confine(x + self._first(draws, x, eps), x, eps)
        scores = asked(self.as_replayed(best.reshape(shape), victims.x, eps), rows)
        state = _Search(rows, x, best.copy(), self.goal.heights(scores, victims.y))
        state = state.select(~self.goal.met(scores, victims.y))
        for step in range(1, self.allowed):
            if not len(state.rows):
                break
            tried = self._confine(self._change_patch(draws.of(state.rows), state, step, eps), state.x, eps)
            left = victims.select(state.rows)
            seen = self.as_replayed(tried.reshape(left.x.shape), left.x, eps)
            answer, y = asked(seen, state.rows), left.y
            height = self.goal.heights(answer, y)
            taken = (height >= state.height) | self.goal.met(answer, y)
            best[state.rows[taken]], scores[state.rows[taken]] = tried[taken], answer[taken]
            state.best[taken], state.height[taken] = tried[taken], height[taken]
            state = state.select(~self.goal.met(scores[state.rows], y))
        return Adversarials(best.reshape(shape), scores, asked.queries)

    def _side(self, step: int, shape: tuple[int, ...]) -> int:
        """Elements along a patch at a step, for images [height, width, channels]."""
        at = step / self.settings.budget * _SCHEDULE_STEPS
        share = self.settings.first_share / 2 ** sum(at > halved for halved in _HALVED_AT)
        height, width, _ = shape
        along = share * height if width == 1 else math.sqrt(share * height * width)
        return max(1, round(along))

    def _confine(self, x_adv: Array, x: Array, eps: float) -> Array:
        """Into the ball, the domain and, if there is to be one, the grid."""
        domain = self.surrogate.domain
        if self.norm == "linf":
            x_adv = np.clip(x_adv, x - np.float32(eps), x + np.float32(eps))
        return np.clip(x_adv, domain.low, domain.high).astype(np.float32)

    def _first(self, draws: Draws, x: Array, eps: float) -> Array:
        """The perturbation to start from: stripes of plus and minus eps, or tiles of bumps."""
        n, height, width, channels = x.shape
        if self.norm == "linf":
            return np.float32(eps) * draws.signs(0, width * channels).reshape(n, 1, width, channels)
        side = max(1, min(height, width) // 5)
        delta = np.zeros_like(x)
        signs = draws.signs(0, height * width * channels).reshape(x.shape)
        for top in range(0, height - side + 1, side):
            for left in range(0, width - side + 1, side):
                sign = signs[:, top : top + 1, left : left + 1]
                delta[:, top : top + side, left : left + side] = _bump(side, side) * sign
        return _of_length(delta, eps)

    def _change_patch(self, draws: Draws, state: _Search, step: int, eps: float) -> Array:
        """The best inputs with one patch changed."""
        _, height, width, channels = state.x.shape
        side = self._side(step, state.x.shape[1:])
        tall, wide = min(side, height), min(side, width)
        u = draws.uniform(2 * step, 4)
        top, left = _positions(u[:, 0], height, tall), _positions(u[:, 1], width, wide)
        signs = draws.signs(2 * step + 1, channels)[:, None, None, :]
        if self.norm == "linf":
            inside = _inside(top, tall, height)[:, :, None] & _inside(left, wide, width)[:, None, :]
            return np.where(inside[..., None], state.x + np.float32(eps) * signs, state.best)
        other = _positions(u[:, 2], height, tall), _positions(u[:, 3], width, wide)
        return state.x + _move_mass(state.best - state.x, (top, left), other, (tall, wide), signs, eps)


def _image(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """The shape of an input as height, width and channels."""
    if len(shape) == 3:
        return shape[0], shape[1], shape[2]
    return (shape[0], shape[1], 1) if len(shape) == 2 else (int(np.prod(shape)), 1, 1)


def _positions(u: NDArray[np.float64], size: int, window: int) -> NDArray[np.int64]:
    """Where windows begin, [m], for uniform numbers [m]."""
    return (u * (size - window + 1)).astype(np.int64)


def _inside(start: NDArray[np.int64], window: int, size: int) -> NDArray[np.bool_]:
    """[m, size]: which positions a window covers."""
    at = np.arange(size)[None, :]
    return np.asarray((at >= start[:, None]) & (at < start[:, None] + window))


def _bump(tall: int, wide: int) -> Array:
    """[tall, wide, 1], of length 1: two pyramids of opposite sign, one above the other (section 3.3)."""
    upper = tall // 2
    eta = np.concatenate([_pyramid(upper, wide), -_pyramid(tall - upper, wide)])
    eta /= np.linalg.norm(eta) + _TINY
    return np.asarray(eta[..., None], np.float32)


def _pyramid(tall: int, wide: int) -> NDArray[np.float64]:
    """[tall, wide]: nested rectangles, each adding the inverse square of its distance from the middle."""
    eta = np.zeros((tall, wide))
    middle = tall // 2
    for ring in range(max(tall, 1)):
        top, left = max(0, middle - ring), max(0, wide // 2 - ring)
        eta[top : middle + ring + 1, left : wide // 2 + ring + 1] += 1 / (ring + 1) ** 2
    return eta


def _of_length(delta: Array, eps: float) -> Array:
    """Perturbations [n, ...] stretched to the length eps."""
    axes = tuple(range(1, delta.ndim))
    length = np.sqrt(np.square(delta).sum(axis=axes, keepdims=True))
    return np.asarray(delta * (eps / (length + _TINY)), np.float32)


def _move_mass(
    delta: Array,
    first: tuple[NDArray[np.int64], NDArray[np.int64]],
    second: tuple[NDArray[np.int64], NDArray[np.int64]],
    size: tuple[int, int],
    signs: Array,
    eps: float,
) -> Array:
    """Clear the second window, and give its length and what eps leaves over to a bump in the first."""
    changed = delta.copy()
    at_first, at_second = _window(first, size), _window(second, size)
    kept = delta[at_first]
    changed[at_first] = 0  # what both windows hold counts once
    mass = np.square(kept).sum(axis=(1, 2)) + np.square(changed[at_second]).sum(axis=(1, 2))
    unused = np.maximum(eps**2 - np.square(delta).sum(axis=(1, 2, 3)), 0)[:, None] / delta.shape[3]
    lengths = np.sqrt(mass + unused)[:, None, None, :]
    bump = _bump(*size) * signs + kept / (np.linalg.norm(kept, axis=(1, 2), keepdims=True) + _TINY)
    changed[at_second] = 0
    changed[at_first] = bump / (np.linalg.norm(bump, axis=(1, 2), keepdims=True) + _TINY) * lengths
    return _of_length(changed, eps)


def _window(
    start: tuple[NDArray[np.int64], NDArray[np.int64]], size: tuple[int, int]
) -> tuple[NDArray[np.int64], ...]:
    """The index of one window a sample, [m, tall, wide]."""
    rows = start[0][:, None, None] + np.arange(size[0])[None, :, None]
    columns = start[1][:, None, None] + np.arange(size[1])[None, None, :]
    return np.arange(len(start[0]))[:, None, None], rows, columns
