import numpy as np
import pytest

from qbench.statistics import difference, mean, paired, proportion


def hits(count, total):
    return np.arange(total) < count


def test_difference_is_that_of_newcombe_1998():
    # Table II, (a): 56/70 less 48/80, method 10.
    found = difference(proportion(hits(56, 70)), proportion(hits(48, 80)))
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)


def test_difference_with_nothing_counted_has_no_interval():
    nothing = difference(proportion(hits(0, 0)), proportion(hits(1, 2)))
    assert nothing.value is None
    assert nothing.low is None


def test_mcnemar_is_the_binomial_tail_of_the_discordant_inputs():
    a, b = np.array([1] * 8 + [0] * 2 + [1] * 10, bool), np.array([0] * 8 + [1] * 2 + [1] * 10, bool)
    found = paired("a", "b", a, b)
    assert (found.only_first, found.only_second, found.total) == (8, 2, 20)
    assert found.p_value == pytest.approx(2 * (1 + 10 + 45) / 2**10)
    assert found.difference.value == pytest.approx(0.3)
    assert found.better is None


def test_the_better_of_two_does_not_depend_on_their_order():
    a, b = hits(30, 40), hits(5, 40)
    assert paired("a", "b", a, b).better == paired("b", "a", b, a).better == "a"
    assert paired("a", "b", a, a).better is None
    assert paired("a", "b", a, a).p_value == 1


def test_no_input_no_comparison():
    assert paired("a", "b", hits(0, 0), hits(0, 0)).difference.value is None


def test_the_mean_has_the_interval_of_the_normal_distribution_for_many_values():
    values = np.random.default_rng(0).normal(5, 2, 1000)
    found = mean(values)
    half = 1.96 * values.std(ddof=1) / np.sqrt(1000)
    assert found.low == pytest.approx(values.mean() - half, abs=0.02)
    assert found.high == pytest.approx(values.mean() + half, abs=0.02)
    assert mean(values) == found
    assert mean(values, seed=1) != found


def test_means_without_spread():
    assert mean(np.full(5, 0.1)).low == mean(np.full(5, 0.1)).high == pytest.approx(0.1)
    assert mean(np.array([3.0])).low is None
    assert mean(np.array([])).value is None
