"""Ensembles: several attacks one after the other, each on the inputs that no earlier one broke."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from qbench.attacks.apgd import ApgdCe, ApgdDlr, ApgdTargeted
from qbench.attacks.base import Adversarials, Attack, BoundedAttack, Settings, Victims
from qbench.attacks.fab import FabT
from qbench.attacks.lattice import Lattice
from qbench.attacks.square import Square

# Random starts of APGD where no targeted one tries every wrong class in turn.
_STARTS = 5
_SMALLEST_BATCH = 16  # below, a pass costs hardly less


class EnsembleSettings(Settings):
    """Of an ensemble, whose members keep to their standard settings but for these."""

    steps: int = Field(100, ge=1, description="gradient steps of each member, at least 1")
    budget: int = Field(5000, ge=1, description="queries of Square for each input, at least 1")


class Ensemble(BoundedAttack):
    """Worst case over several attacks, sample by sample.

    A member that follows the surrogate's gradient is judged, like every member, by the network under attack.
    """

    settings_type: ClassVar[type[Settings]] = EnsembleSettings
    settings: EnsembleSettings

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._members: list[Attack] = []

    def fill_batch(self, part: Victims) -> Victims:
        """As it is: each member pads what is left for it."""
        return part

    def on_grid(self, found: Adversarials, victims: Victims, eps: float) -> Adversarials:
        """As it is: the members have put it there."""
        del victims, eps
        return found

    @abstractmethod
    def members(self, classes: int) -> Mapping[type[Attack], Mapping[str, Any]]:
        """The attacks in their order, each with its settings, for a network of so many classes."""

    def _build_members(self, classes: int) -> list[Attack]:
        shared: dict[str, Any] = {
            "norm": self.norm,
            "grid": self.grid,
            "seed": self.seed,
            "batch": self.batch,
        }
        return [
            kind(self.surrogate, self.score if kind.asks else None, **shared, **settings)
            for kind, settings in self.members(classes).items()
        ]

    def search(self, victims: Victims, eps: float, restart: int) -> Adversarials:
        """Break what can be broken, and leave the rest as the last member left it."""
        del restart
        logits = self.score(victims.x)
        best = Adversarials(victims.x.copy(), logits.copy(), np.ones(len(victims), np.int64))
        self._members = self._members or self._build_members(logits.shape[1])
        for member in self._members:
            rows = np.flatnonzero(best.logits.argmax(axis=1) == victims.y)
            if not len(rows):
                break
            found = self._judge(member, victims.select(rows), eps)
            best.x[rows], best.logits[rows] = found.x, found.logits
            best.queries[rows] += found.queries
        return best

    def _judge(self, member: Attack, left: Victims, eps: float) -> Adversarials:
        """What a member finds, and what the network under attack says of it."""
        size = max(_SMALLEST_BATCH, 1 << (len(left) - 1).bit_length())
        part = left if member.asks else left.pad(size)
        (found,) = member.attack_batch(part, (eps,))
        found = found.first(len(left))
        if member.asks:
            return found
        seen = self.as_replayed(found.x, left.x, eps)
        return Adversarials(found.x, self.score(seen), found.queries + 1)


def climbs(classes: int, steps: Mapping[str, int]) -> dict[type[Attack], Mapping[str, Any]]:
    """The members that climb: APGD-CE and targeted APGD, whose loss needs four classes.

    With three, the untargeted DLR of several starts takes its place; with two, where the DLR is constant in
    size, APGD-CE of several starts, whose loss is the margin itself.
    """
    several = {**steps, "restarts": _STARTS}
    if classes >= ApgdTargeted.least_classes:
        return {ApgdCe: steps, ApgdTargeted: steps}
    if classes >= ApgdDlr.least_classes:
        return {ApgdCe: steps, ApgdDlr: several}
    return {ApgdCe: several}


class AutoAttack(Ensemble):
    """The standard ensemble: APGD-CE, targeted APGD, targeted FAB, Square.

    Croce and Hein, "Reliable Evaluation of Adversarial Robustness with an Ensemble of Diverse Parameter-free
    Attacks", ICML 2020, section 4, with its budgets: 100 steps, 9 target classes, 5,000 queries.
    """

    name = "autoattack"

    def members(self, classes: int) -> Mapping[type[Attack], Mapping[str, Any]]:
        """As in the paper."""
        steps = {"steps": self.settings.steps}
        return {**climbs(classes, steps), FabT: steps, Square: {"budget": self.settings.budget}}


class AutoAttackInt8(Ensemble):
    """The same for a network that only answers, such as an integer runtime or a board.

    APGD-CE, targeted APGD and, on a grid, the lattice search follow the surrogate's gradient, and what they
    find is tried on the network itself; Square asks the network. FAB is left out: its results lie on the
    surrogate's boundary, where rounding undoes them.
    """

    name = "autoattack-int8"
    asks = True
    norms = ("linf",)

    def members(self, classes: int) -> Mapping[type[Attack], Mapping[str, Any]]:
        """Those that survive rounding."""
        steps = {"steps": self.settings.steps}
        chosen = climbs(classes, steps)
        if self.surrogate.domain.step is not None:
            chosen[Lattice] = steps
        return {**chosen, Square: {"budget": self.settings.budget}}
