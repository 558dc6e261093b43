"""The attacks that tell whether a network's gradients are of use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import PairedTest, Proportion
from qbench.attacks import Attack, Victims
from qbench.attacks.checks import find_vanishing, unbroken_without_bound
from qbench.attacks.estimation import Spsa
from qbench.attacks.gradient import Fgsm, Pgd
from qbench.attacks.square import Square
from qbench.statistics import compare_paired, proportion
from qbench.studies.masking.content import Trial
from qbench.surrogate.base import Surrogate
from qbench.surrogate.scoring import Scorer

_BATCH = 64
# Queries of one finite-difference estimate.
_SAMPLES = 32


@dataclass(frozen=True)
class BatteryResult:
    """All trials of one network; the fields are those of `MaskingVerdict`."""

    surrogate: str
    zero_gradient: Proportion
    unbounded: Proportion
    trials: tuple[Trial, ...]
    comparisons: tuple[PairedTest, ...]


@dataclass(frozen=True)
class Battery:
    """The trials, all in Linf.

    Attributes:
        eps: budget in the domain's unit.
        steps: of PGD.
        queries: of Square and SPSA.
        seed: of all attacks.
    """

    eps: float
    steps: int
    queries: int
    seed: int

    def run(self, judged: Surrogate, rules: Sequence[Surrogate], victims: Victims) -> BatteryResult:
        """Try everything on the inputs that are right when clean.

        Args:
            judged: the network and the gradient that the verdict is about.
            rules: the same network with other gradients.
            victims: clean inputs.
        """
        score = Scorer(judged, _BATCH)
        right = victims.select(np.flatnonzero(score(victims.x).argmax(axis=1) == victims.y))
        stands = {trial: self._stands(attack, score, right) for trial, attack in self._attacks(judged, rules)}
        many = f"pgd {judged.name}"
        return BatteryResult(
            surrogate=judged.name,
            zero_gradient=proportion(_by_batch(lambda part: find_vanishing(judged, part), right)),
            unbounded=proportion(~_by_batch(lambda part: unbroken_without_bound(judged, part), right)),
            trials=tuple(
                Trial(name=name, role=role, accuracy=proportion(held))
                for (name, role), held in stands.items()
            ),
            comparisons=tuple(
                compare_paired(many, name, stands[many, "many steps"], held)
                for (name, _), held in stands.items()
                if name != many
            ),
        )

    def _attacks(
        self, judged: Surrogate, rules: Sequence[Surrogate]
    ) -> Iterator[tuple[tuple[str, Any], Attack]]:
        """By name and role."""
        shared: dict[str, Any] = {"norm": "linf", "seed": self.seed, "batch": _BATCH}
        share = self.eps / (judged.domain.high - judged.domain.low)
        yield (f"pgd {judged.name}", "many steps"), Pgd(judged, steps=self.steps, **shared)
        yield (f"fgsm {judged.name}", "one step"), Fgsm(judged, **shared)
        yield ("square", "gradient-free"), Square(judged, budget=self.queries, **shared)
        yield (
            ("spsa", "finite differences"),
            Spsa(
                judged,
                budget=self.queries,
                samples=_SAMPLES,
                steps=max(1, self.queries // (_SAMPLES + 1)),
                # Wide enough to see past the levels of a quantized input.
                delta=share / 2,
                learning_rate=share / 4,
                **shared,
            ),
        )
        for rule in rules:
            yield (f"pgd {rule.name}", "gradient rule"), Pgd(rule, steps=self.steps, **shared)

    def _stands(self, attack: Attack, score: Scorer, right: Victims) -> NDArray[np.bool_]:
        """Inputs still classified right by the judged network, [n]."""
        if not len(right):
            return np.zeros(0, bool)
        found = np.concatenate([each.x for (each,) in attack.perturb(right, [self.eps])])
        return np.asarray(score(found).argmax(axis=1) == right.y)


def _by_batch(look: Any, victims: Victims) -> NDArray[np.bool_]:
    """What a look at a few inputs says of all of them, [n]."""
    parts = [look(victims.rows(start, start + _BATCH)) for start in range(0, len(victims), _BATCH)]
    return np.concatenate([np.zeros(0, bool), *parts])
