"""Gradient alignment: do the input gradients of two networks point the same way?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.attacks import Victims
from qbench.errors import UserError
from qbench.progress import Progress
from qbench.statistics import mean
from qbench.studies.alignment.content import Alignment, AlignmentStudy, Distribution
from qbench.studies.alignment.gradients import Gradient, cosines, gradient_of, sign_agreements
from qbench.studies.alignment.options import AlignmentOptions
from qbench.studies.base import Prepared
from qbench.studies.content import StudyContent
from qbench.studies.gathering import Gathered, Network
from qbench.surrogate.registry import open_surrogate, surrogate_file

_BATCH = 64
_BINS = 40
_QUANTILES = (5, 25, 50, 75, 95)

Pair = tuple[str, str]


def prepare(inputs: Sequence[str | Path], options: AlignmentOptions) -> Prepared:
    """Cosine and sign agreement between the input gradients of each pair of networks.

    The gradients are those of the cross-entropy at clean inputs, of the first advset that was not drawn from
    what its network gets right, else of the first. Bernhard, Moellic and Dutertre (arXiv 1909.12741) find
    cosines near 0 between widths.

    Args:
        inputs: bundles, and an advset for its clean inputs.
        options: of the analysis.

    Raises:
        UserError: the inputs do not belong together, or give fewer than two gradients to compare.
    """
    gathered = Gathered.read(inputs)
    victims = gathered.victims(options.count)
    members = _members(gathered, options.surrogates)

    def work() -> StudyContent:
        opened = {name: _gradient(network, kind) for name, (network, kind) in members.items()}
        pairs = _measure(opened, victims, options.seed, options.progress)
        return gathered.content(
            len(victims),
            AlignmentStudy(surrogates={name: kind for name, (_, kind) in members.items()}, pairs=pairs),
        )

    return Prepared(gathered.digests, gathered.names, options.settings(), work)


def _members(gathered: Gathered, surrogates: Sequence[str]) -> dict[str, tuple[Network, str]]:
    """By name, every network with every surrogate that it has the file of."""
    found = {
        network.name if len(surrogates) == 1 else f"{network.name} {kind}": (network, kind)
        for network in gathered.networks
        for kind in surrogates
        if surrogate_file(kind, network.content.artifacts)
    }
    if len(found) < 2:
        raise UserError(
            f"there are {len(found)} gradients to compare, and two are needed",
            hint="give more bundles, or more than one --surrogate",
        )
    return found


def _gradient(network: Network, kind: str) -> Gradient:
    content = network.content
    opened = open_surrogate(
        kind, network.bundle.path, content.preprocessing, content.data.domain, content.task
    )
    return gradient_of(opened, _BATCH)


def _measure(
    members: dict[str, Gradient], victims: Victims, seed: int, progress: Progress
) -> tuple[Alignment, ...]:
    """Every pair; the gradients of one batch at a time are in memory."""
    pairs: list[Pair] = list(combinations(members, 2))
    found: dict[Pair, list[tuple[NDArray[Any], NDArray[Any]]]] = {pair: [] for pair in pairs}
    with progress.task("alignment", len(victims)) as advance:
        for start in range(0, len(victims), _BATCH):
            part = victims.rows(start, start + _BATCH)
            gradients = {name: gradient(part.x, part.y) for name, gradient in members.items()}
            for first, second in pairs:
                a, b = gradients[first], gradients[second]
                found[first, second].append((cosines(a, b), sign_agreements(a, b)))
            advance(len(part))
    return tuple(
        Alignment(
            first=first,
            second=second,
            cosine=distribution(np.concatenate([cosine for cosine, _ in parts]), -1, 1, seed),
            sign_agreement=distribution(np.concatenate([share for _, share in parts]), 0, 1, seed),
        )
        for (first, second), parts in found.items()
    )


def distribution(values: NDArray[np.float64], low: float, high: float, seed: int) -> Distribution:
    """Of values [n] in [low, high]; NaN marks those that are undefined."""
    known = values[~np.isnan(values)]
    counts, _ = np.histogram(known, bins=_BINS, range=(low, high))
    return Distribution(
        mean=mean(known, seed),
        quantiles=tuple(map(float, np.percentile(known, _QUANTILES))) if len(known) else (),
        low=low,
        high=high,
        histogram=tuple(map(int, counts)),
        undefined=len(values) - len(known),
    )
