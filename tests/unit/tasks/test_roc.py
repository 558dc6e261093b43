"""Areas under the ROC curve against their definitions."""

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from qbench.tasks.roc import auc, partial_auc


def drawn(m, n, shift, seed, decimals=None):
    random = np.random.default_rng(seed)
    scores = np.concatenate([random.normal(shift, 1, m), random.normal(0, 1, n)])
    return (scores if decimals is None else scores.round(decimals)), np.repeat([1, 0], [m, n])


@pytest.mark.parametrize("decimals", [None, 0], ids=["distinct", "ties"])
def test_the_area_is_the_share_of_pairs_in_order_and_its_variance_delongs(decimals):
    scores, y = drawn(30, 50, 1.0, 0, decimals)
    positive, negative = scores[y == 1], scores[y == 0]
    pairs = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    found = auc(scores, y)
    assert found.value == pytest.approx(pairs.mean())
    assert found.value == pytest.approx(mannwhitneyu(positive, negative).statistic / pairs.size)
    # DeLong et al., 1988, eq. 5 to 7, from the kernel itself
    variance = pairs.mean(axis=1).var(ddof=1) / 30 + pairs.mean(axis=0).var(ddof=1) / 50
    assert found.high - found.value == pytest.approx(1.959964 * np.sqrt(variance), rel=1e-6)
    assert found.count == 80


def test_the_interval_covers_the_true_area_about_as_often_as_it_says():
    truth = 0.7602499  # of two normals one deviation apart: Phi(1 / sqrt(2))
    inside = 0
    for seed in range(300):
        found = auc(*drawn(60, 60, 1.0, seed))
        inside += found.low <= truth <= found.high
    assert 0.91 <= inside / 300 <= 0.98


def test_perfect_separation_has_an_interval_all_the_same():
    y = np.repeat([1, 0], [10, 20])
    found = auc(np.repeat([2.0, 1.0], [10, 20]), y)
    assert (found.value, found.high) == (1.0, pytest.approx(1.0))
    assert found.low == pytest.approx(0.7225, abs=1e-4)  # Wilson's for 10 of 10
    assert auc(np.repeat([1.0, 2.0], [10, 20]), y).value == 0.0


def test_equal_scores_are_guessing():
    y = np.repeat([1, 0], [10, 20])
    found = auc(np.ones(30), y)
    assert found.value == 0.5
    assert partial_auc(np.ones(30), y).value == pytest.approx(0.5)


def test_one_label_alone_has_no_area():
    assert auc(np.arange(5.0), np.zeros(5, np.int64)).value is None
    assert partial_auc(np.arange(5.0), np.ones(5, np.int64)).value is None


def test_the_partial_area_by_hand():
    # 20 negatives 0..19: false alarm rates in steps of 0.05, two below 0.1. Of four positives one lies above
    # all, one between the highest two, two below all: height 0.25 up to 0.05, then 0.5 up to 0.1.
    scores = np.array([30.0, 18.5, -1.0, -2.0, *range(20)])
    y = np.repeat([1, 0], [4, 20])
    area = 0.05 * 0.25 + 0.05 * 0.5
    least, most = 0.1**2 / 2, 0.1
    found = partial_auc(scores, y)
    assert found.value == pytest.approx(0.5 * (1 + (area - least) / (most - least)))
    assert found.low <= found.value <= found.high
    assert partial_auc(scores, y) == found, "the same every time"


def test_perfection_has_a_partial_area_of_one():
    y = np.repeat([1, 0], [10, 20])
    assert partial_auc(np.repeat([2.0, 1.0], [10, 20]), y).value == pytest.approx(1.0)
