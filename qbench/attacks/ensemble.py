"""Ensembles: several attacks one after the other, each on the inputs that no earlier one broke."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from qbench.attacks.apgd import Apgd, ApgdCe, ApgdDlr, ApgdTargeted
from qbench.attacks.base import Adversarials, Attack, BoundedAttack, Settings, Victims
from qbench.attacks.fab import FabT
from qbench.attacks.gradient import Pgd
from qbench.attacks.lattice import Lattice
from qbench.attacks.local import LocalSearch
from qbench.attacks.square import Square
from qbench.surrogate.base import Surrogate

# Random starts of APGD where no targeted one tries every wrong class in turn.
_STARTS = 5
_LATTICE_STARTS = 5
_SMALLEST_BATCH = 16  # below, a pass costs hardly less

# From inputs that stand, the best perturbation of each so far and a budget to what one more try finds.
Attempt = Callable[[Victims, Adversarials, float], Adversarials]


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

    def fill_batch(self, part: Victims) -> Victims:
        """As it is: each member pads what is left for it."""
        return part

    def on_grid(self, found: Adversarials, victims: Victims, eps: float) -> Adversarials:
        """As it is: the members have put it there."""
        del victims, eps
        return found

    def _shared(self) -> dict[str, Any]:
        """What every member is told."""
        return {"norm": self.norm, "grid": self.grid, "seed": self.seed, "batch": self.batch}


def climbs(classes: int, steps: Mapping[str, int]) -> dict[type[BoundedAttack], Mapping[str, Any]]:
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

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._members: list[Attack] = []

    def members(self, classes: int) -> Mapping[type[Attack], Mapping[str, Any]]:
        """As in the paper."""
        steps = {"steps": self.settings.steps}
        chosen: dict[type[Attack], Mapping[str, Any]] = dict(climbs(classes, steps).items())
        return {**chosen, FabT: steps, Square: {"budget": self.settings.budget}}

    def _build_members(self, classes: int) -> list[Attack]:
        return [
            kind(self.surrogate, self.score if kind.asks else None, **self._shared(), **settings)
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


class Int8Settings(EnsembleSettings):
    """Of the ensemble against a network that only answers."""

    budget: int = Field(5000, ge=1, description="queries of each search for each input, at least 1")
    restarts: int = Field(
        1, ge=1, description="searches by Square and local searches, at least 1; the budget is each one's"
    )


class AutoAttackInt8(Ensemble):
    """The same for a network that only answers, such as an integer runtime or a board.

    The climbs (APGD-CE, targeted APGD, PGD in L1, on a grid the lattice search) follow several surrogates in
    turn: the float network and the integer network under different gradient rules mislead in different
    places. The result of every single climb is tried on the network itself; then Square and, from the best
    point found so far, a local search ask it. FAB is left out: its results lie on the surrogate's boundary,
    where rounding undoes them.

    Args:
        others: surrogates to follow beside the first one.
    """

    name = "autoattack-int8"
    asks = True
    follows_several = True
    norms = ("linf", "l2", "l1")
    settings_type = Int8Settings
    settings: Int8Settings

    def __init__(self, *args: Any, others: Sequence[Surrogate] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        self._followed = (self.surrogate, *others)
        self._climbs: list[BoundedAttack] = []

    def _kinds(self, classes: int) -> Mapping[type[BoundedAttack], Mapping[str, Any]]:
        """The climbs that each surrogate gets."""
        steps = {"steps": self.settings.steps}
        if self.norm == "l1":
            return {Pgd: {**steps, "restarts": _STARTS}}
        chosen = climbs(classes, steps)
        if self.norm == "linf" and self.surrogate.domain.step is not None:
            chosen[Lattice] = {**steps, "restarts": _LATTICE_STARTS}
        return chosen

    def search(self, victims: Victims, eps: float, restart: int) -> Adversarials:
        """Break what can be broken, and keep for the rest the point of the highest margin."""
        del restart
        logits = self.score(victims.x)
        best = Adversarials(victims.x.copy(), logits.copy(), np.ones(len(victims), np.int64))
        for attempt in self._attempts(logits.shape[1]):
            rows = np.flatnonzero(best.logits.argmax(axis=1) == victims.y)
            if not len(rows):
                break
            left = victims.select(rows)
            before = Adversarials(best.x[rows], best.logits[rows], best.queries[rows])
            better = before.better_of(attempt(left, before, eps), left.y, self.goal)
            best.x[rows], best.logits[rows], best.queries[rows] = better.x, better.logits, better.queries
        return best

    def _attempts(self, classes: int) -> Iterator[Attempt]:
        """Every climb and search in its order."""
        self._climbs = self._climbs or self._build_climbs(classes)
        for climb in self._climbs:
            for start in range(count_climbs(climb, classes)):
                yield partial(self._try_climb, climb, start)
        for restart in range(self.settings.restarts):
            if self.norm in Square.norms:
                yield partial(self._try_square, restart)
            yield partial(self._search_locally, restart)

    def _build_climbs(self, classes: int) -> list[BoundedAttack]:
        return [
            kind(surrogate, **self._shared(), **settings)
            for surrogate in self._followed
            for kind, settings in self._kinds(classes).items()
        ]

    def _try_climb(
        self, climb: BoundedAttack, start: int, left: Victims, best: Adversarials, eps: float
    ) -> Adversarials:
        """What one climb finds, and what the network under attack says of it."""
        del best
        padded = left.pad(max(_SMALLEST_BATCH, 1 << (len(left) - 1).bit_length()))
        found = climb.on_grid(climb.search(padded, eps, start), padded, eps).first(len(left))
        seen = self.as_replayed(found.x, left.x, eps)
        return Adversarials(found.x, self.score(seen), np.ones(len(left), np.int64))

    def _try_square(self, restart: int, left: Victims, best: Adversarials, eps: float) -> Adversarials:
        """Square, from a start of its own."""
        del best
        square = Square(self.surrogate, self.score, **self._shared(), budget=self.settings.budget)
        return square.on_grid(square.search(left, eps, restart), left, eps)

    def _search_locally(self, restart: int, left: Victims, best: Adversarials, eps: float) -> Adversarials:
        """A local search from the best points so far."""
        local = LocalSearch(self.surrogate, self.score, **self._shared(), budget=self.settings.budget)
        return local.on_grid(local.improve(left, best.x, eps, restart), left, eps)


def count_climbs(climb: BoundedAttack, classes: int) -> int:
    """How many climbs an attack makes of one input, for a network of so many classes."""
    return climb.climbs(classes) if isinstance(climb, Apgd) else climb.restarts
