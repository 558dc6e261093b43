"""Shares, means and differences with their uncertainty."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import Proportion
from qbench.artifacts.figures import Estimate, PairedTest

_CONFIDENCE = 0.95
_RESAMPLES = 2000


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


def difference(first: Proportion, second: Proportion) -> Estimate:
    """The first share less the second, not known to be of the same inputs, with its 95 % interval.

    Newcombe's square-and-add interval (Statistics in Medicine 17, 1998, pages 873 to 890, method 10). Of
    nothing there is none.
    """
    return _square_and_add(first, second, 0.0, first.total + second.total)


def paired_difference(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Estimate:
    """The share of hits in the first [n] less that in the second [n], of the same n inputs.

    Newcombe's square-and-add interval for paired shares (Statistics in Medicine 17, 1998, pages 2635 to 2650,
    method 10), at 95 %. Of nothing there is none.
    """
    return _square_and_add(proportion(first), proportion(second), _phi(first, second), len(first))


def _square_and_add(first: Proportion, second: Proportion, phi: float, count: int) -> Estimate:
    if first.value is None or first.low is None or first.high is None:
        return Estimate(count=0, value=None, low=None, high=None)
    if second.value is None or second.low is None or second.high is None:
        return Estimate(count=0, value=None, low=None, high=None)

    def reach(one: float, other: float) -> float:
        return math.sqrt(max(one * one - 2 * phi * one * other + other * other, 0.0))

    value = first.value - second.value
    below = reach(first.value - first.low, second.high - second.value)
    above = reach(first.high - first.value, second.value - second.low)
    return Estimate(count=count, value=value, low=value - below, high=value + above)


def _phi(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """The correlation of two shares, shrunk towards zero when positive, as Newcombe's method 10 has it."""
    both, neither = int(np.sum(first & second)), int(np.sum(~first & ~second))
    only_first, only_second = int(np.sum(first & ~second)), int(np.sum(~first & second))
    margins = (both + only_first) * (only_second + neither) * (both + only_second) * (only_first + neither)
    excess = float(both * neither - only_first * only_second)
    if excess > 0:
        excess = max(excess - len(first) / 2, 0)
    return excess / math.sqrt(margins) if margins else 0.0


def mean(values: NDArray[np.floating[Any]], seed: int = 0) -> Estimate:
    """The mean of values [n] with its bootstrap 95 % interval (bias-corrected and accelerated).

    Efron, "Better Bootstrap Confidence Intervals", JASA 82 (1987), section 4. Values that are all equal have
    an interval of no width; a single one has none.

    Args:
        values: one an input.
        seed: of the resampling.
    """
    from scipy.stats import bootstrap

    values = np.asarray(values, np.float64)
    if not len(values):
        return Estimate(count=0, value=None, low=None, high=None)
    middle = float(values.mean())
    if len(values) == 1:
        return Estimate(count=1, value=middle, low=None, high=None)
    if np.ptp(values) <= 1e-12 * np.abs(values).max():
        return Estimate(count=len(values), value=middle, low=middle, high=middle)
    found = bootstrap(
        (values,),
        np.mean,
        n_resamples=_RESAMPLES,
        confidence_level=_CONFIDENCE,
        batch=max(1, 1_000_000 // len(values)),
        random_state=np.random.default_rng(seed),
    ).confidence_interval
    return Estimate(count=len(values), value=middle, low=float(found.low), high=float(found.high))


def compare_paired(first: str, second: str, a: NDArray[np.bool_], b: NDArray[np.bool_]) -> PairedTest:
    """McNemar's exact test of whether the first of two treatments gets more inputs right, and by how much.

    McNemar, "Note on the Sampling Error of the Difference Between Correlated Proportions", Psychometrika 12
    (1947); the interval is that of `paired_difference`.

    Args:
        first: name of a treatment.
        second: name of the other.
        a: [n], which inputs the first gets right.
        b: [n], which of the same inputs the second gets right.
    """
    from scipy.stats import binomtest

    only_a, only_b, total = int((a & ~b).sum()), int((b & ~a).sum()), len(a)
    p_value = float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0
    return PairedTest(
        first=first,
        second=second,
        total=total,
        only_first=only_a,
        only_second=only_b,
        difference=paired_difference(a, b),
        p_value=p_value,
    )
