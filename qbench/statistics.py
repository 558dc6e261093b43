"""Shares with their uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Difference:
    """The difference of two shares, first less second, with its 95 % interval."""

    value: float
    low: float
    high: float


def paired_difference(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Difference:
    """How far two shares of the same n inputs are apart, [n] and [n].

    Newcombe's square-and-add interval for paired shares (Statistics in Medicine 17, 1998, pages 2635 to 2650,
    method 10).
    """
    return _square_and_add(proportion(first), proportion(second), _phi(first, second))


def unpaired_difference(first: Proportion, second: Proportion) -> Difference:
    """How far two shares are apart that share no inputs, or are not known to; neither may be of nothing.

    Newcombe's square-and-add interval (Statistics in Medicine 17, 1998, pages 873 to 890, method 10).
    """
    return _square_and_add(first, second, 0.0)


def _square_and_add(first: Proportion, second: Proportion, phi: float) -> Difference:
    if first.value is None or first.low is None or first.high is None:
        raise ValueError("a share of nothing has no difference")
    if second.value is None or second.low is None or second.high is None:
        raise ValueError("a share of nothing has no difference")

    def reach(one: float, other: float) -> float:
        return math.sqrt(max(one * one - 2 * phi * one * other + other * other, 0.0))

    value = first.value - second.value
    below = reach(first.value - first.low, second.high - second.value)
    above = reach(first.high - first.value, second.value - second.low)
    return Difference(value, value - below, value + above)


def _phi(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """The correlation of two shares, shrunk towards zero when positive, as Newcombe's method 10 has it."""
    both, neither = int(np.sum(first & second)), int(np.sum(~first & ~second))
    only_first, only_second = int(np.sum(first & ~second)), int(np.sum(~first & second))
    margins = (both + only_first) * (only_second + neither) * (both + only_second) * (only_first + neither)
    excess = float(both * neither - only_first * only_second)
    if excess > 0:
        excess = max(excess - len(first) / 2, 0)
    return excess / math.sqrt(margins) if margins else 0.0
