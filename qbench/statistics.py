"""Shares with their uncertainty."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import Proportion

_CONFIDENCE = 0.95


def proportion(hits: NDArray[np.bool_], among: NDArray[np.bool_] | None = None) -> Proportion:
    """The share of hits [n], among the inputs of a mask [n] if given, with its Wilson 95 % interval."""
    from scipy.stats import binomtest

    counted = hits if among is None else hits[among]
    count, total = int(np.sum(counted)), len(counted)
    if not total:
        return Proportion(count=0, total=0, value=None, low=None, high=None)
    interval: Any = binomtest(count, total).proportion_ci(_CONFIDENCE, method="wilson")
    return Proportion(
        count=count, total=total, value=count / total, low=float(interval.low), high=float(interval.high)
    )
