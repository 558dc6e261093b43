"""Direct attacks: what each attack does to the network that it was made against."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import EpsResult, PairedTest
from qbench.statistics import compare_paired, mean, proportion
from qbench.studies.base import Prepared
from qbench.studies.content import AttackPoint, StudyContent
from qbench.studies.direct.content import DirectRow, DirectStudy
from qbench.studies.direct.options import DirectOptions
from qbench.studies.gathering import Attacked, Gathered

_NORMS: tuple[tuple[Literal["l0", "l1", "l2", "linf"], float], ...] = (
    ("l0", 0),
    ("l1", 1),
    ("l2", 2),
    ("linf", np.inf),
)
_CHUNK = 1024


def prepare(inputs: Sequence[str | Path], options: DirectOptions) -> Prepared:
    """Adversarial accuracy and the size of the successes, per network and attack.

    In two protocols: "paper", over the first `count` inputs that the attacked network gets right when clean
    (Bernhard, Moellic and Dutertre, arXiv 1909.12741), and "all", over every input of an advset
    that was not drawn from those. Networks are compared with the first one given, input by input.

    Args:
        inputs: bundles, and the advsets made against them.
        options: of the analysis.

    Raises:
        UserError: the inputs do not belong together, or there is no advset among them.
    """
    gathered = Gathered.read(inputs)
    attacked = gathered.require_attacks()

    def work() -> StudyContent:
        rows: list[DirectRow] = []
        with options.progress.task("direct attacks", len(attacked)) as advance:
            for each in attacked:
                rows += _rows(each, options.count, options.seed)
                advance(1)
        return gathered.content(
            max(len(each.truth) for each in attacked),
            DirectStudy(rows=tuple(rows), comparisons=tuple(_comparisons(gathered))),
        )

    return Prepared(gathered.digests, gathered.names, options.settings(), work)


def _rows(attacked: Attacked, count: int, seed: int) -> Iterator[DirectRow]:
    """Both protocols at every budget; one where only inputs that were right were attacked."""
    paper = np.flatnonzero(attacked.right)[:count]
    for point, result in attacked.points():
        stands, sizes = attacked.stands(result), _sizes(attacked, result)
        yield _row(point, "paper", paper, stands, attacked.right, sizes, seed)
        if not attacked.only_right:
            yield _row(point, "all", np.arange(len(stands)), stands, attacked.right, sizes, seed)


def _row(
    point: AttackPoint,
    protocol: Literal["paper", "all"],
    chosen: NDArray[np.int64],
    stands: NDArray[np.bool_],
    right: NDArray[np.bool_],
    sizes: NDArray[np.float64],
    seed: int,
) -> DirectRow:
    successes = chosen[right[chosen] & ~stands[chosen]]
    return DirectRow(
        at=point,
        protocol=protocol,
        accuracy=proportion(stands[chosen]),
        successes=len(successes),
        sizes={name: mean(sizes[successes, i], seed) for i, (name, _) in enumerate(_NORMS)},
    )


def _sizes(attacked: Attacked, result: EpsResult) -> NDArray[np.float64]:
    """[n, 4]: L0, L1, L2 and Linf of every perturbation."""
    x, x_adv = attacked.array("inputs.npy"), attacked.array(result.file)
    parts = []
    for start in range(0, len(x), _CHUNK):
        part = slice(start, start + _CHUNK)
        delta = (x_adv[part].astype(np.float64) - x[part]).reshape(len(x[part]), -1)
        parts.append(np.stack([np.linalg.norm(delta, order, axis=1) for _, order in _NORMS], axis=1))
    return np.concatenate(parts)


def _comparisons(gathered: Gathered) -> Iterator[tuple[AttackPoint, PairedTest]]:
    """The first network against every other, under the same attack at the same budget."""
    first = gathered.networks[0]
    for base in (each for each in gathered.attacked if each.network is first):
        for other in (each for each in gathered.attacked if each.network is not first):
            for point, result in base.points():
                for theirs, their_result in other.points():
                    if _same_attack(point, theirs):
                        yield point, _compare(base, result, other, their_result)


def _same_attack(first: AttackPoint, second: AttackPoint) -> bool:
    return (first.attack, first.norm, first.eps) == (second.attack, second.norm, second.eps)


def _compare(base: Attacked, result: EpsResult, other: Attacked, their_result: EpsResult) -> PairedTest:
    """On the inputs that both advsets hold and both networks get right when clean."""
    _, ours, theirs = np.intersect1d(base.indices, other.indices, return_indices=True)
    both = base.right[ours] & other.right[theirs]
    return compare_paired(
        base.network.name,
        other.network.name,
        base.stands(result)[ours][both],
        other.stands(their_result)[theirs][both],
    )
