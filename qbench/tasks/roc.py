"""Areas under the ROC curve with their uncertainty."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import Estimate
from qbench.statistics import proportion

# Of all intervals: the 97.5th percentile of the standard normal distribution.
_DEVIATE = 1.959963984540054
_RESAMPLES = 1000
# The false alarm rate up to which the partial area is taken, as in DCASE's and MLPerf Tiny's task.
MOST_FALSE_ALARMS = 0.1

_NOTHING = Estimate(count=0, value=None, low=None, high=None)


def auc(scores: NDArray[np.floating[Any]], y: NDArray[np.int64]) -> Estimate:
    """The area under the ROC curve with its 95 % interval; None where one of the labels is missing.

    The interval is Wald's with the variance of DeLong, DeLong and Clarke-Pearson, "Comparing the Areas under
    Two or More Correlated Receiver Operating Characteristic Curves", Biometrics 44 (1988), computed from
    midranks as by Sun and Xu, IEEE Signal Processing Letters 21 (2014); cut to [0, 1]. Where the scores
    separate the labels perfectly that variance is zero: the interval is then Wilson's for as many disjoint
    pairs of a positive and a negative as there are, which are all in order.

    Args:
        scores: [n], the higher the likelier label 1.
        y: [n], 0 or 1.
    """
    from scipy.stats import rankdata

    positive, negative = scores[y == 1].astype(np.float64), scores[y == 0].astype(np.float64)
    m, n = len(positive), len(negative)
    if not m or not n:
        return _NOTHING
    both = rankdata(np.concatenate([positive, negative]))
    above = (both[:m] - rankdata(positive)) / n  # of each positive: the share of negatives below it
    below = 1 - (both[m:] - rankdata(negative)) / m
    value = float(above.mean())
    if above.std() == 0 and below.std() == 0 and value in (0.0, 1.0):
        share = proportion(np.full(min(m, n), value == 1.0))
        return Estimate(count=m + n, value=value, low=share.low, high=share.high)
    variance = _variance(above) / m + _variance(below) / n
    reach = _DEVIATE * math.sqrt(variance)
    return Estimate(count=m + n, value=value, low=max(0.0, value - reach), high=min(1.0, value + reach))


def partial_auc(scores: NDArray[np.floating[Any]], y: NDArray[np.int64], seed: int = 0) -> Estimate:
    """The area up to a false alarm rate of 0.1 with its 95 % interval; None where a label is missing.

    Standardized, so that guessing has 0.5 and perfection 1: McClish, "Analyzing a Portion of the ROC Curve",
    Medical Decision Making 9 (1989). The interval is the percentile bootstrap's, each label resampled (Efron
    and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13).

    Args:
        scores: [n], the higher the likelier label 1.
        y: [n], 0 or 1.
        seed: of the resampling.
    """
    positive, negative = scores[y == 1].astype(np.float64), scores[y == 0].astype(np.float64)
    if not len(positive) or not len(negative):
        return _NOTHING
    random = np.random.default_rng(seed)
    found = [
        _standardized(random.choice(positive, len(positive)), random.choice(negative, len(negative)))
        for _ in range(_RESAMPLES)
    ]
    low, high = np.quantile(found, (0.025, 0.975))
    return Estimate(
        count=len(scores), value=_standardized(positive, negative), low=float(low), high=float(high)
    )


def _variance(values: NDArray[np.float64]) -> float:
    """The unbiased variance; of a single value, that of a coin, the largest there is."""
    return float(values.var(ddof=1)) if len(values) > 1 else 0.25


def _standardized(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> float:
    """The standardized partial area; equal scores make a slanted piece of the curve."""
    levels = np.unique(np.concatenate([positive, negative]))[::-1]
    hits, alarms = (
        np.concatenate([[0.0], 1 - np.searchsorted(np.sort(each), levels) / len(each)])
        for each in (positive, negative)
    )
    most = MOST_FALSE_ALARMS
    inside = alarms < most
    x = np.append(alarms[inside], most)
    # At the cut the curve is interpolated; of a vertical piece there, its upper end counts.
    y = np.append(hits[inside], _at(most, alarms, hits))
    area = float(np.sum((x[1:] - x[:-1]) * (y[1:] + y[:-1])) / 2)
    least = most * most / 2
    return 0.5 * (1 + (area - least) / (most - least))


def _at(x: float, alarms: NDArray[np.float64], hits: NDArray[np.float64]) -> float:
    """The height of the curve, whose points run from left to right and upwards."""
    right = int(np.searchsorted(alarms, x))
    if alarms[right] == x:
        return float(hits[right])
    share = (x - alarms[right - 1]) / (alarms[right] - alarms[right - 1])
    return float(hits[right - 1] + share * (hits[right] - hits[right - 1]))
