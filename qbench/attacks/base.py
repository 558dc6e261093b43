"""What every attack shares: batches of one size, restarts, the input grid, seeds, the check of the result."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from qbench.attacks.losses import more_harmful
from qbench.attacks.norms import size, snap_to_grid
from qbench.errors import InternalFault, UserError
from qbench.quant import Norm
from qbench.surrogate.base import Surrogate
from qbench.surrogate.scoring import Scorer, check_finite

Grid = Literal["float", "uint8"]

# Float32 addition may leave the ball by this share of its radius plus this share of the domain's width.
_RELATIVE_SLACK = 1e-5
_ABSOLUTE_SLACK = 1e-6


@dataclass(frozen=True)
class Victims:
    """The inputs that an attack starts from.

    Attributes:
        x: [n, *shape] float32 in the domain.
        y: [n] int64, the true labels.
        indices: [n] int64, where they come from; random draws depend on these and on nothing else.
    """

    x: NDArray[np.float32]
    y: NDArray[np.int64]
    indices: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.y)

    def rows(self, start: int, stop: int) -> Victims:
        """A part of them."""
        return Victims(self.x[start:stop], self.y[start:stop], self.indices[start:stop])

    def padded(self, count: int) -> Victims:
        """Repeated up to `count`, so that every batch has the shape that the graph was compiled for."""
        rows = np.arange(count) % len(self)
        return Victims(self.x[rows], self.y[rows], self.indices[rows])


@dataclass(frozen=True)
class Adversarials:
    """What an attack returns: inputs [n, *shape] float32 in the domain, and their logits [n, classes]."""

    x: NDArray[np.float32]
    logits: NDArray[np.float32]

    def first(self, count: int) -> Adversarials:
        """Without what belongs to padding."""
        return Adversarials(self.x[:count], self.logits[:count])

    def better_of(self, other: Adversarials, y: NDArray[np.int64]) -> Adversarials:
        """Sample by sample the one that harms more; this one where they are equal."""
        other_wins = more_harmful(other.logits, self.logits, y)
        wide = other_wins.reshape(-1, *[1] * (self.x.ndim - 1))
        return Adversarials(
            np.where(wide, other.x, self.x), np.where(other_wins[:, None], other.logits, self.logits)
        )


class Attack(ABC):
    """Perturbs inputs within a ball around each. A subclass says how to search.

    Args:
        surrogate: the network to fool.
        norm: of the ball.
        steps: gradient steps; None takes the attack's own number.
        step_size: absolute, in the domain's unit; None derives it from eps and steps.
        restarts: searches from as many random starts; the best result counts.
        grid: "uint8" keeps results on the domain's grid; the domain must have one.
        seed: of all random draws.
        batch: inputs a pass. Kernels order their sums by it, so that results may differ in float rounding:
            on ResNet-8 none did between 32 and 256, and 1 input in 300 did at 7 (the sign of a gradient
            that is all but zero).

    Raises:
        UserError: a setting means nothing to this attack.
    """

    name: ClassVar[str]
    default_steps: ClassVar[int]
    random_start: ClassVar[bool]

    def __init__(
        self,
        surrogate: Surrogate,
        *,
        norm: Norm = "linf",
        steps: int | None = None,
        step_size: float | None = None,
        restarts: int = 1,
        grid: Grid = "float",
        seed: int = 0,
        batch: int = 256,
    ) -> None:
        self.check_settings(steps=steps, step_size=step_size, restarts=restarts)
        self.surrogate, self.norm = surrogate, norm
        self.steps = self.default_steps if steps is None else steps
        self.step_size, self.restarts = step_size, restarts
        self.grid, self.seed, self.batch = grid, seed, batch
        self.score = Scorer(surrogate, batch)

    @classmethod
    def check_settings(cls, *, steps: int | None, step_size: float | None, restarts: int) -> None:
        """Refuse settings that mean nothing to this attack, before anything is loaded.

        Raises:
            UserError: which one, and why.
        """
        if step_size is not None and not (np.isfinite(step_size) and step_size > 0):
            raise UserError(f"step size {step_size:g} is not a positive number")
        if (steps is not None and steps < 1) or restarts < 1:
            raise UserError("steps and restarts must be at least 1")
        if restarts > 1 and not cls.random_start:
            raise UserError(
                f"{cls.name} has no random start: a restart would find the same again",
                hint="use --attack pgd, or leave --restarts away",
            )

    @abstractmethod
    def search(self, victims: Victims, eps: float, restart: int) -> Adversarials:
        """The best perturbation of one whole batch from one start; the subclass keeps to the bounds."""

    def perturb(self, victims: Victims, eps: float) -> Iterator[Adversarials]:
        """Adversarial inputs for all victims, batch by batch, in order.

        Raises:
            UserError: the network gives NaN or infinite scores.
            InternalFault: a result lies outside the ball or the domain.
        """
        for start in range(0, len(victims), self.batch):
            part = victims.rows(start, start + self.batch)
            full = part.padded(self.batch)
            best = self._search_on_grid(full, eps, 0)
            for restart in range(1, self.restarts):
                best = best.better_of(self._search_on_grid(full, eps, restart), full.y)
            result = best.first(len(part))
            self._check(part, result, eps)
            yield result

    def _search_on_grid(self, victims: Victims, eps: float, restart: int) -> Adversarials:
        found = self.search(victims, eps, restart)
        if self.grid == "float":
            return found
        x = snap_to_grid(found.x, victims.x, self.surrogate.domain, eps, self.norm)
        return Adversarials(x, self.score(x))

    def _check(self, victims: Victims, result: Adversarials, eps: float) -> None:
        check_finite(result.logits, self.surrogate.name)
        domain = self.surrogate.domain
        slack = _RELATIVE_SLACK * eps + _ABSOLUTE_SLACK * (domain.high - domain.low)
        largest = size(result.x - victims.x, self.norm).max()
        low, high = np.float32(domain.low), np.float32(domain.high)
        if largest > eps + slack or result.x.min() < low or result.x.max() > high:
            raise InternalFault(f"{self.name} left the ball or the domain: {largest} where eps is {eps}")
