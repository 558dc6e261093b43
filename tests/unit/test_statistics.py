import math

import numpy as np
import pytest

from qbench.artifacts import Proportion
from qbench.statistics import paired_difference, proportion, unpaired_difference


def pair(both, first, second, neither):
    """Hits of two shares of the same inputs: so many on both sides, on one alone, on none."""
    counts = (both, first, second, neither)
    return np.repeat([True, True, False, False], counts), np.repeat([True, False, True, False], counts)


def coverage(p11, p10, p01, n):
    """How often the paired interval holds the truth, over every table of n inputs, weighed by its chance."""
    p00, truth, total = 1 - p11 - p10 - p01, p10 - p01, 0.0
    for a in range(n + 1):
        for b in range(n + 1 - a):
            for c in range(n + 1 - a - b):
                d = n - a - b - c
                chance = math.factorial(n) * p11**a * p10**b * p01**c * p00**d
                chance /= math.prod(map(math.factorial, (a, b, c, d)))
                if chance > 1e-6:
                    found = paired_difference(*pair(a, b, c, d))
                    total += chance * (found.low <= truth <= found.high)
    return total


def test_a_paired_interval_holds_the_truth_about_as_often_as_it_says():
    assert 0.93 <= coverage(0.6, 0.15, 0.05, 12) <= 0.99


def test_a_paired_interval_is_narrower_the_more_the_sides_agree():
    widths = []
    for apart in (0, 10, 40):
        found = paired_difference(*pair(900 - apart, apart, apart, 100 - apart))
        assert found.value == pytest.approx(0)
        assert found.low == pytest.approx(-found.high)
        widths.append(found.high)
    assert widths == sorted(widths)
    first, _ = pair(500, 400, 0, 100)
    alone = unpaired_difference(proportion(first), proportion(first))
    assert widths[0] < alone.high / 5


def test_changing_sides_changes_the_sign():
    first, second = pair(60, 25, 5, 10)
    here, there = paired_difference(first, second), paired_difference(second, first)
    assert here.value == pytest.approx(0.2)
    assert (here.low, here.high) == (pytest.approx(-there.high), pytest.approx(-there.low))
    assert 0 < here.low < here.value < here.high < 1


def test_an_unpaired_interval_against_newcombes_worked_example():
    """Newcombe, Statistics in Medicine 17, 1998, page 875: 56/70 less 48/80 is 0.0524 to 0.3339."""
    found = unpaired_difference(proportion(np.arange(70) < 56), proportion(np.arange(80) < 48))
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)


def test_a_share_of_nothing_has_no_difference():
    nothing = Proportion(count=0, total=0, value=None, low=None, high=None)
    half = proportion(np.arange(10) < 5)
    for pair_ in ((nothing, half), (half, nothing)):
        with pytest.raises(ValueError, match="share of nothing"):
            unpaired_difference(*pair_)
