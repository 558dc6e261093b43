"""What every attack shares: batches of one size, bounds, seeds, and the check of what comes out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from qbench.attacks.norms import size
from qbench.errors import InternalFault, UserError
from qbench.quant import Norm
from qbench.surrogate.base import Surrogate

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


class Attack(ABC):
    """Perturbs inputs within a ball around each. A subclass says how to search.

    Args:
        surrogate: the network to fool.
        norm: of the ball.
        steps: gradient steps; None takes the attack's own number.
        step_size: absolute, in the domain's unit; None derives it from eps and steps.
        restarts: searches from as many starts; the best result counts.
        seed: of all random draws.
        batch: inputs a pass; no result depends on it.
    """

    name: ClassVar[str]
    default_steps: ClassVar[int]

    def __init__(
        self,
        surrogate: Surrogate,
        *,
        norm: Norm = "linf",
        steps: int | None = None,
        step_size: float | None = None,
        restarts: int = 1,
        seed: int = 0,
        batch: int = 256,
    ) -> None:
        self.surrogate, self.norm = surrogate, norm
        self.steps = self.default_steps if steps is None else steps
        self.step_size, self.restarts = step_size, restarts
        self.seed, self.batch = seed, batch

    @abstractmethod
    def search(self, victims: Victims, eps: float) -> Adversarials:
        """The best perturbation found for one whole batch."""

    def perturb(self, victims: Victims, eps: float) -> Iterator[Adversarials]:
        """Adversarial inputs for all victims, batch by batch, in order.

        Raises:
            UserError: the network gives NaN or infinite scores.
            InternalFault: a result lies outside the ball or the domain.
        """
        for start in range(0, len(victims), self.batch):
            part = victims.rows(start, start + self.batch)
            found = self.search(part.padded(self.batch), eps)
            result = Adversarials(found.x[: len(part)], found.logits[: len(part)])
            self._check(part, result, eps)
            yield result

    def _check(self, victims: Victims, result: Adversarials, eps: float) -> None:
        finite = np.isfinite(result.logits).all(axis=1)
        if not finite.all():
            raise UserError(
                f"the network gives NaN or infinity for input {victims.indices[finite.argmin()]}",
                cause="weights that are not finite, or inputs far from what it was trained on",
                hint="check the network and its --input-range",
            )
        domain = self.surrogate.domain
        slack = _RELATIVE_SLACK * eps + _ABSOLUTE_SLACK * (domain.high - domain.low)
        largest = size(result.x - victims.x, self.norm).max()
        low, high = np.float32(domain.low), np.float32(domain.high)
        if largest > eps + slack or result.x.min() < low or result.x.max() > high:
            raise InternalFault(f"{self.name} left the ball or the domain: {largest} where eps is {eps}")
