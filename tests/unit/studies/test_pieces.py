"""The pieces of the analyses, on arrays made by hand and on the digits network's own tensors."""

import numpy as np
import pytest

from qbench.artifacts import CountSummary, Estimate, Proportion
from qbench.statistics import compare_paired, proportion
from qbench.studies.alignment.gradients import cosines, sign_agreements
from qbench.studies.claims.evidence import _below, _within
from qbench.studies.ensemble.content import MemberCost
from qbench.studies.ensemble.costs import sum_costs
from qbench.studies.ensemble.run import Votes
from qbench.studies.judging import probabilities
from qbench.studies.masking.trials import BatteryResult
from qbench.studies.masking.verdicts import judge
from qbench.studies.shift.layers import LayerProbe
from qbench.studies.shift.run import Shift


def test_cosines_of_tiny_gradients_and_of_none():
    a = np.array([[1e-30, 0], [1, 1], [0, 0], [1, 2]], np.float32)
    b = np.array([[1e-30, 0], [1, -1], [1, 0], [-2, -4]], np.float32)
    assert cosines(a, b) == pytest.approx([1, 0, np.nan, -1], nan_ok=True)
    assert sign_agreements(a, b) == pytest.approx([1, 0.5, np.nan, 0], nan_ok=True)


def test_majority_averaged_and_rejected_votes():
    def sure(label, by):
        return [by if each == label else (1 - by) / 2 for each in range(3)]

    votes = Votes.of(
        [
            np.array([sure(0, 0.4), sure(0, 0.9), sure(2, 0.5)]),
            np.array([sure(0, 0.4), sure(1, 0.5), sure(2, 0.5)]),
            np.array([sure(1, 0.9), sure(2, 0.5), sure(2, 0.5)]),
        ]
    )
    assert votes.averaged.tolist() == [1, 0, 2]
    # Two against one; all differ, so that the average decides; all agree.
    assert votes.majority.tolist() == [0, 0, 2]
    assert votes.reject(2).tolist() == [False, True, False]
    assert votes.reject(3).tolist() == [True, True, False]


def test_probabilities_are_left_alone_and_logits_raised():
    given = np.array([[0.25, 0.75], [1.0, 0.0]], np.float32)
    assert probabilities(given) == pytest.approx(given)
    assert probabilities(np.log([[1, 3], [4, 1]]).astype(np.float32)) == pytest.approx(
        np.array([[0.25, 0.75], [0.8, 0.2]])
    )


def test_shift_of_a_perturbation_that_half_vanishes_and_grows():
    real = np.array([[3.0, 4.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]])
    real_adv = np.array([[3.4, 4.3, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]])
    codes, codes_adv = np.round(real), np.array([[4.0, 4.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]])
    found = Shift.between(real, real_adv, codes, codes_adv)
    assert found.changed == pytest.approx([0.25, 0])
    assert found.before == pytest.approx([0.1, 0])
    assert found.after == pytest.approx([0.2, 0])
    assert found.vanished == pytest.approx([0.5, np.nan], nan_ok=True)
    assert found.growth == pytest.approx([1])


def test_real_results_round_to_the_codes_of_the_reference_kernels(bundle):
    probe = LayerProbe(bundle.path / "int8.tflite")
    spec = bundle.content.artifacts["int8.tflite"].input
    x = np.random.default_rng(0).integers(-128, 128, (8, *spec.shape)).astype(np.int8)
    values = probe.values(x)
    assert {layer.operator for layer in probe.layers} >= {"CONV_2D", "FULLY_CONNECTED"}
    for layer in probe.layers:
        codes = values[layer.output]
        inside = (codes > codes.min()) & (codes < codes.max())  # where nothing saturates
        apart = np.abs(probe.real(layer, values) - codes)[inside]
        assert apart.max() < 1.01
        assert (apart <= 0.5 + 1e-3).mean() > 0.99


def share(count, total):
    return proportion(np.arange(total) < count)


def outcome(zero: Proportion, unbounded: Proportion, pgd: int, square: int):
    held = (np.arange(400) < each for each in (pgd, square))
    return BatteryResult("float", zero, unbounded, (), (compare_paired("pgd", "square", *held),))


@pytest.mark.parametrize(
    ("zero", "unbounded", "pgd", "square", "verdict"),
    [
        (share(0, 400), share(400, 400), 100, 120, "not masked"),
        (share(0, 400), share(400, 400), 120, 60, "masked"),
        (share(200, 400), share(400, 400), 100, 120, "masked"),
        (share(0, 400), share(300, 400), 100, 120, "masked"),
        (share(0, 10), share(10, 10), 100, 120, "undecided"),
        (share(0, 0), share(0, 0), 100, 120, "undecided"),
    ],
)
def test_masking_is_judged_by_intervals(zero, unbounded, pgd, square, verdict):
    found, why = judge("net", outcome(zero, unbounded, pgd, square))
    assert found == verdict
    assert "net" in why


@pytest.mark.parametrize(
    ("low", "high", "below", "within"),
    [
        (0.1, 0.2, "confirmed", "confirmed"),
        (0.4, 0.6, "undecided", "undecided"),
        (0.6, 0.7, "refuted", "refuted"),
        (-0.9, -0.6, "confirmed", "refuted"),
        (None, None, "undecided", "undecided"),
    ],
)
def test_an_interval_decides_only_where_all_of_it_lies_on_one_side(low, high, below, within):
    figure = Estimate(count=9, value=low, low=low, high=high)
    assert _below(figure, 0.5) == below
    assert _within(figure, 0.5) == within


def member(**other):
    known = {"flash_bytes": 100, "arena_bytes": 10, "board": "stm32f405", "counter": "instructions"}
    counts = CountSummary(min=1, median=7, max=9)
    return MemberCost(**{"network": "a", "runtime": "tflite-ref", **known, "counts": counts, **other})


def test_costs_add_up_where_they_are_of_one_board_and_known():
    both = sum_costs([member(), member(flash_bytes=50)])
    assert (both.flash_bytes, both.arena_bytes, both.median_count) == (150, 20, 14)
    other = sum_costs([member(), member(counter="cycles")])
    assert (other.flash_bytes, other.arena_bytes, other.median_count) == (200, None, None)
    unknown = sum_costs([member(), member(flash_bytes=None, arena_bytes=None, counts=None)])
    assert (unknown.flash_bytes, unknown.arena_bytes, unknown.median_count) == (None, None, None)
