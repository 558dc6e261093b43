"""Shares, means and differences with their uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import Proportion
from qbench.artifacts.studies import Estimate, PairedTest

_CONFIDENCE = 0.95
_Z = 1.959963984540054  # of the standard normal, two-sided at that confidence
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


def paired(first: str, second: str, a: NDArray[np.bool_], b: NDArray[np.bool_]) -> PairedTest:
    """McNemar's exact test of whether the first of two treatments gets more inputs right, and by how much.

    McNemar, "Note on the Sampling Error of the Difference Between Correlated Proportions", Psychometrika 12
    (1947). The interval is that of Bonett and Price, "Adjusted Wald Confidence Interval for a Difference of
    Binomial Proportions Based on Paired Data", J. Educ. Behav. Stat. 37 (2012): one more input in each
    discordant cell.

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
        difference=_paired_difference(only_a, only_b, total),
        p_value=p_value,
    )


def _paired_difference(only_a: int, only_b: int, total: int) -> Estimate:
    if not total:
        return Estimate(count=0, value=None, low=None, high=None)
    share_a, share_b = (only_a + 1) / (total + 2), (only_b + 1) / (total + 2)
    middle = share_a - share_b
    half = _Z * math.sqrt((share_a + share_b - middle**2) / (total + 2))
    value = (only_a - only_b) / total
    return Estimate(count=total, value=value, low=max(middle - half, -1.0), high=min(middle + half, 1.0))


def difference(first: Proportion, second: Proportion) -> Estimate:
    """A share less another one of other inputs, with its 95 % interval.

    Newcombe, "Interval Estimation for the Difference Between Independent Proportions", Statistics in Medicine
    17 (1998), method 10: from the Wilson intervals of both.
    """
    if first.value is None or second.value is None:
        return Estimate(count=0, value=None, low=None, high=None)
    assert first.low is not None and first.high is not None  # noqa: PT018, S101 - with the value
    assert second.low is not None and second.high is not None  # noqa: PT018, S101 - with the value
    value = first.value - second.value
    return Estimate(
        count=first.total + second.total,
        value=value,
        low=value - math.hypot(first.value - first.low, second.high - second.value),
        high=value + math.hypot(first.high - first.value, second.value - second.low),
    )
