"""From output vectors to the figures of a replay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import Disagreement, EpsScores, RuntimeInfo, RuntimeScores
from qbench.statistics import proportion


@dataclass(frozen=True)
class Labels:
    """The label that some network gives each input: [n] for the clean ones, and one such array a budget."""

    clean: NDArray[np.int64]
    by_eps: tuple[NDArray[np.int64], ...]


@dataclass(frozen=True)
class Outputs:
    """What one runtime answered: [n, elements] for the clean inputs, and one such array a budget.

    Attributes:
        scores: the rows [n, classes] that the task makes of them, the clean inputs' first; None where they
            are rows of scores already.
    """

    runtime: RuntimeInfo
    clean: NDArray[Any]
    by_eps: tuple[NDArray[Any], ...]
    scores: tuple[NDArray[np.float32], ...] | None = None

    @property
    def labels(self) -> Labels:
        """The highest score; the first one of several."""
        clean, *by_eps = self.rows
        return Labels(clean.argmax(axis=1), tuple(each.argmax(axis=1) for each in by_eps))

    @property
    def rows(self) -> tuple[NDArray[Any], ...]:
        """Rows of scores [n, classes]: of the clean inputs, and of every budget."""
        return (self.clean, *self.by_eps) if self.scores is None else self.scores


@dataclass(frozen=True)
class Rounding:
    """What rounding to a runtime's grid did, one array [n] a budget.

    Attributes:
        changed: the attack changed the input.
        erased, clamped: see `EpsScores`.
        float_labels: of the float network for the rounded inputs.
    """

    changed: tuple[NDArray[np.bool_], ...]
    erased: tuple[NDArray[np.bool_], ...]
    clamped: tuple[NDArray[np.bool_], ...]
    float_labels: tuple[NDArray[np.int64], ...]


def score(
    outputs: Outputs,
    rounding: Rounding,
    truth: NDArray[np.int64],
    surrogate: Labels,
    float_network: Labels,
    eps: Sequence[float],
    targets: NDArray[np.int64] | None = None,
) -> RuntimeScores:
    """All figures of one runtime, as `EpsScores` defines them."""
    labels = outputs.labels
    right = labels.clean == truth
    surrogate_right = surrogate.clean == truth
    float_right = float_network.clean == truth
    by_eps = []
    for i, each in enumerate(eps):
        fooled = labels.by_eps[i] != truth
        transferable = right & surrogate_right & (surrogate.by_eps[i] != truth)
        by_eps.append(
            EpsScores(
                eps=each,
                robust_accuracy=proportion(~fooled),
                attack_success=proportion(fooled, right),
                transfer=proportion(fooled, transferable),
                float_success_before=proportion(float_network.by_eps[i] != truth, float_right),
                float_success_after=proportion(rounding.float_labels[i] != truth, float_right),
                erased=proportion(rounding.erased[i], rounding.changed[i]),
                clamped=proportion(rounding.clamped[i]),
                target_success=None
                if targets is None
                else proportion(labels.by_eps[i] == targets, truth != targets),
            )
        )
    return RuntimeScores(runtime=outputs.runtime, clean_accuracy=proportion(right), by_eps=tuple(by_eps))


def disagreements(outputs: Sequence[Outputs], eps: Sequence[float]) -> tuple[Disagreement, ...]:
    """Every pair of runtimes on the clean inputs and at every budget."""
    found = []
    for first, second in combinations(outputs, 2):
        for i, each in enumerate((None, *eps)):
            found.append(_disagreement(first, second, each, i))
    return tuple(found)


def _disagreement(first: Outputs, second: Outputs, eps: float | None, i: int) -> Disagreement:
    """Of one set of inputs, the i-th."""
    a, b = ((each.clean, *each.by_eps)[i] for each in (first, second))
    ours, theirs = (each.rows[i].argmax(axis=1) for each in (first, second))
    comparable = first.runtime.artifact == second.runtime.artifact
    integer = comparable and a.dtype.kind in "iu"
    return Disagreement(
        first=first.runtime.name,
        second=second.runtime.name,
        eps=eps,
        labels=proportion(ours != theirs),
        vectors=proportion((a != b).any(axis=1)) if comparable else None,
        largest=int(np.abs(a.astype(np.int32) - b.astype(np.int32)).max()) if integer else None,
    )
