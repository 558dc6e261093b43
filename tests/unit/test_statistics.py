import math

import numpy as np
import pytest
from scipy.stats import bootstrap

from qbench.statistics import compare_paired, difference, mean, paired_difference, proportion


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


def closed_form(both, only_first, only_second, neither):
    """Newcombe's method 10, Statistics in Medicine 17, 1998, step by step from Wilson's limits."""
    n, z = both + only_first + only_second + neither, 1.959963984540054
    limits = []
    for count in (both + only_first, both + only_second):
        middle, spread = 2 * count + z * z, z * math.sqrt(z * z + 4 * count * (1 - count / n))
        limits.append(((middle - spread) / (2 * (n + z * z)), (middle + spread) / (2 * (n + z * z))))
    (low1, high1), (low2, high2) = limits
    p1, p2 = (both + only_first) / n, (both + only_second) / n
    product = (both + only_first) * (only_second + neither) * (both + only_second) * (only_first + neither)
    cross = both * neither - only_first * only_second
    if cross > n / 2:
        cross -= n / 2
    elif cross >= 0:
        cross = 0
    phi = cross / math.sqrt(product) if product else 0
    below = (p1 - low1) ** 2 - 2 * phi * (p1 - low1) * (high2 - p2) + (high2 - p2) ** 2
    above = (high1 - p1) ** 2 - 2 * phi * (high1 - p1) * (p2 - low2) + (p2 - low2) ** 2
    return p1 - p2, p1 - p2 - math.sqrt(below), p1 - p2 + math.sqrt(above)


@pytest.mark.parametrize(
    "table",
    [
        (36, 12, 2, 0),  # the sides disagree more than by chance
        (60, 25, 5, 10),  # they agree
        (1, 0, 0, 1),  # they agree by less than the correction
        (5, 2, 1, 3),  # by a little more than the correction
        (20, 10, 0, 0),  # one side never misses: no correlation
        (0, 10, 0, 20),
        (3, 3, 3, 3),  # no correlation
    ],
)
def test_a_paired_interval_is_that_of_the_closed_form(table):
    found = paired_difference(*pair(*table))
    assert found.count == sum(table)
    assert (found.value, found.low, found.high) == pytest.approx(closed_form(*table), abs=1e-12)


def test_a_paired_interval_against_newcombes_worked_example():
    """Newcombe, Statistics in Medicine 17, 1998: of 36, 12, 2 and 0 it is 0.0569 to 0.3404."""
    found = paired_difference(*pair(36, 12, 2, 0))
    assert (round(found.low, 4), round(found.high, 4)) == (0.0569, 0.3404)


def test_a_paired_interval_is_narrower_the_more_the_sides_agree():
    widths = []
    for apart in (0, 10, 40):
        found = paired_difference(*pair(900 - apart, apart, apart, 100 - apart))
        assert found.value == pytest.approx(0)
        assert found.low == pytest.approx(-found.high)
        widths.append(found.high)
    assert widths == sorted(widths)
    first, _ = pair(500, 400, 0, 100)
    alone = difference(proportion(first), proportion(first))
    assert widths[0] < alone.high / 5


def test_changing_sides_changes_the_sign():
    first, second = pair(60, 25, 5, 10)
    here, there = paired_difference(first, second), paired_difference(second, first)
    assert here.value == pytest.approx(0.2)
    assert (here.low, here.high) == (pytest.approx(-there.high), pytest.approx(-there.low))
    assert 0 < here.low < here.value < here.high < 1


def test_an_unpaired_interval_against_newcombes_worked_example():
    """Newcombe, Statistics in Medicine 17, 1998, page 875: 56/70 less 48/80 is 0.0524 to 0.3339."""
    found = difference(proportion(np.arange(70) < 56), proportion(np.arange(80) < 48))
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)
    assert found.count == 150


def hits(count, total):
    return np.arange(total) < count


def test_difference_with_nothing_counted_has_no_interval():
    nothing, half = proportion(hits(0, 0)), proportion(hits(5, 10))
    for found in (difference(nothing, half), difference(half, nothing)):
        assert (found.count, found.value, found.low, found.high) == (0, None, None, None)


def test_mcnemar_is_the_binomial_tail_of_the_discordant_inputs():
    a, b = np.array([1] * 8 + [0] * 2 + [1] * 10, bool), np.array([0] * 8 + [1] * 2 + [1] * 10, bool)
    found = compare_paired("a", "b", a, b)
    assert (found.only_first, found.only_second, found.total) == (8, 2, 20)
    assert found.p_value == pytest.approx(2 * (1 + 10 + 45) / 2**10)
    assert found.difference.value == pytest.approx(0.3)
    assert found.better is None


def test_the_better_of_two_does_not_depend_on_their_order():
    a, b = hits(30, 40), hits(5, 40)
    assert compare_paired("a", "b", a, b).better == compare_paired("b", "a", b, a).better == "a"
    assert compare_paired("a", "b", a, a).better is None
    assert compare_paired("a", "b", a, a).p_value == 1


def test_no_input_no_comparison():
    assert compare_paired("a", "b", hits(0, 0), hits(0, 0)).difference.value is None


def test_the_mean_has_the_interval_of_the_normal_distribution_for_many_values():
    values = np.random.default_rng(0).normal(5, 2, 1000)
    found = mean(values)
    half = 1.96 * values.std(ddof=1) / np.sqrt(1000)
    assert found.low == pytest.approx(values.mean() - half, abs=0.02)
    assert found.high == pytest.approx(values.mean() + half, abs=0.02)
    assert mean(values) == found
    assert mean(values, seed=1) != found


def test_the_mean_has_the_bca_interval_of_two_thousand_resamples():
    values = np.random.default_rng(1).exponential(1, 50)
    found = mean(values, seed=3)
    wanted = bootstrap((values,), np.mean, n_resamples=2000, rng=np.random.default_rng(3)).confidence_interval
    assert (found.count, found.value) == (50, values.mean())
    assert (found.low, found.high) == (wanted.low, wanted.high)


def test_the_mean_of_single_precision_is_taken_in_double():
    values = np.random.default_rng(0).normal(5, 2, 1000).astype(np.float32)
    assert mean(values) == mean(values.astype(np.float64))


@pytest.mark.parametrize("values", [[0.1] * 5, [0.0] * 5, [1e9, 1e9 + 1e-4], [-1e-9] * 3])
def test_values_without_spread_have_an_interval_of_no_width(values):
    found = mean(np.array(values))
    assert found.count == len(values)
    assert found.low == found.value == found.high == pytest.approx(values[0])


@pytest.mark.parametrize("values", [[1e-9, 1.1e-9, 1.2e-9], [5.0, 5.1, 5.2], [-5.2, -5.1, -5.0]])
def test_values_with_a_spread_below_their_size_have_an_interval(values):
    found = mean(np.array(values))
    assert found.low < found.value < found.high


def test_one_value_has_no_interval_and_none_no_mean():
    one, none = mean(np.array([3.0])), mean(np.array([]))
    assert (one.count, one.value, one.low, one.high) == (1, 3.0, None, None)
    assert (none.count, none.value, none.low, none.high) == (0, None, None, None)
