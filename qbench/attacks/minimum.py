"""What the attacks share that look for the smallest perturbation, whatever the budget."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from qbench.attacks.base import Adversarials, Attack, Victims
from qbench.attacks.norms import shrunk


class MinimumNormAttack(Attack):
    """Finds the nearest input that fools; one search serves all budgets.

    At a budget, a perturbation that is larger is shrunk into the ball and judged there.
    """

    @abstractmethod
    def nearest(self, victims: Victims) -> Adversarials:
        """The nearest input that fools, of one whole batch; the clean one where none was found."""

    def attacked(self, victims: Victims, budgets: Sequence[float]) -> tuple[Adversarials, ...]:
        """One search, cut to each budget."""
        found = self.nearest(victims)
        return tuple(self.on_grid(self._within(found, victims, eps), victims, eps) for eps in budgets)

    def _within(self, found: Adversarials, victims: Victims, eps: float) -> Adversarials:
        domain = self.surrogate.domain
        delta = shrunk(found.x - victims.x, eps, self.norm)
        x = np.clip(victims.x + delta, domain.low, domain.high).astype(np.float32)
        moved = (x != found.x).reshape(len(x), -1).any(axis=1)
        if not moved.any():
            return found
        logits = found.logits.copy()
        logits[moved] = self.score(x)[moved]
        return Adversarials(x, logits, found.queries)
