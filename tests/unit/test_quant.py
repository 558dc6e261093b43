import heapq
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from qbench import quant
from qbench.quant import Quantization, _improvable, nearest_in_ball, project_codes, round_half_away, size


def test_ties_round_away_from_zero():
    ties = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])
    assert round_half_away(ties).tolist() == [-3, -2, -1, 1, 2, 3]


@pytest.mark.parametrize("shape", [(), (1,), (2, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rounding_keeps_shape_type_and_argument(shape, dtype):
    x = np.full(shape, -2.5, dtype)
    found = round_half_away(x)
    assert (found.shape, found.dtype) == (shape, dtype)
    assert np.all(found == -3)
    assert np.all(x == -2.5)


def test_codes_are_computed_in_single_precision_and_positions_in_double():
    q = Quantization(1.0, 0, "int8")
    below_half = 0.5 - 2**-30
    assert q.quantize(np.array([below_half])).tolist() == [1], "0.5 in float32"
    assert q.position(np.array([below_half])).tolist() == [below_half]
    third = Quantization(1 / 3, 0, "int8").position(np.float32([1.0]))
    assert third.dtype == np.float64
    assert third.tolist() == [1 / float(np.float32(1 / 3))]


def test_a_position_lies_between_the_ends_of_the_codes():
    q = Quantization(0.5, 3, "int8")
    assert q.position(np.array([-1e9, -2.2, 0.7, 1e9])).tolist() == pytest.approx([-128, -1.4, 4.4, 127])
    assert Quantization(1.0, 9, "uint8").position(np.array([-50.0, 300.0])).tolist() == [0, 255]


def test_real_values_are_single_precision_whatever_the_codes():
    for dtype in ("int8", "uint8"):
        found = Quantization(0.5, 100, dtype).dequantize(np.array([0, 127], dtype))
        assert found.dtype == np.float32
        assert found.tolist() == [-50, 13.5]


@pytest.mark.parametrize(("norm", "wanted"), [("linf", [4, 0.5]), ("l2", [5, 1]), ("l1", [7, 2])])
def test_sizes_by_norm(norm, wanted):
    found = size(np.float32([[[3, 0], [-4, 0]], [[0.5, -0.5], [0.5, 0.5]]]), norm)
    assert found.dtype == np.float64
    assert found.tolist() == wanted
    assert size(np.empty((0, 2, 2), np.float32), norm).shape == (0,)


def test_quantize_saturates_at_both_ends():
    q = Quantization(0.5, 3, "int8")
    assert q.quantize(np.array([-1e9, 1e9, 0.0])).tolist() == [-128, 127, 3]
    assert Quantization(1.0, 0, "uint8").quantize(np.array([-5.0, 300.0])).tolist() == [0, 255]


@given(
    scale=st.floats(2**-12, 8, width=32),
    zero_point=st.integers(-128, 127),
    codes=arrays(np.int8, 16),
)
def test_every_code_survives_the_round_trip(scale, zero_point, codes):
    q = Quantization(scale, zero_point, "int8")
    assert np.array_equal(q.quantize(q.dequantize(codes)), codes)


@given(arrays(np.int8, (3, 8)), arrays(np.int8, (3, 8)), st.floats(0, 40))
def test_linf_projection_stays_in_the_ball_and_on_the_clean_side(codes, clean, eps):
    inside = project_codes(codes, clean, eps_in_codes=eps, norm="linf")
    delta = inside.astype(int) - clean.astype(int)
    wanted = codes.astype(int) - clean.astype(int)
    assert np.abs(delta).max() <= eps + 1e-5
    assert np.all(np.abs(delta) <= np.abs(wanted))
    assert np.all(delta * wanted >= 0)


def brute_force(real, budget, norm):
    """The least squared distance of any lattice point in the ball, by trying all that may be nearest."""
    choices = [range(-int(abs(r) + 0.5), int(abs(r) + 0.5) + 1) for r in real]
    points = np.array(list(itertools.product(*choices)))
    sizes = (points**2 if norm == "l2" else np.abs(points)).sum(axis=1)
    return ((points[sizes <= budget] - real) ** 2).sum(axis=1).min()


@pytest.mark.parametrize("norm", ["l2", "l1"])
def test_the_nearest_lattice_point_is_that_of_brute_force(norm):
    rng = np.random.default_rng(5)
    cases = ((1, 9, 300), (2, 6, 400), (3, 4, 500), (4, 2.5, 500), (5, 1.6, 500), (6, 1.2, 300))
    for width, spread, count in cases:
        reals = rng.normal(0, spread, (count, width))
        reals[::5] = np.round(reals[::5])  # ties
        for budget in rng.integers(0, int(width * spread**2) + 2, 4):
            found = nearest_in_ball(reals, int(budget), norm)
            sizes = (found**2 if norm == "l2" else np.abs(found)).sum(axis=1)
            assert sizes.max() <= budget
            distances = ((found - reals) ** 2).sum(axis=1)
            rows = rng.choice(count, 60, replace=False)
            wanted = [brute_force(reals[row], budget, norm) for row in rows]
            np.testing.assert_allclose(distances[rows], wanted, atol=1e-9)


def test_sixteen_ones_where_fifteen_fit_become_fifteen():
    clean = np.zeros((1, 16), np.int8)
    for budget in (15.0, 3.5**2):
        moved = project_codes(clean + 1, clean, eps_in_codes=np.sqrt(budget), norm="l2")
        assert moved.sum() == int(budget)


@pytest.mark.parametrize(("norm", "eps"), [("l2", 2.0), ("l1", 2.0)])
def test_codes_inside_the_ball_are_kept_whatever_was_wanted(norm, eps):
    clean, codes = np.zeros((2, 2), np.int8), np.int8([[2, 0], [2, 1]])
    wanted = np.array([[0.4, 1.2], [1.6, 1.4]])
    moved = project_codes(codes, clean, eps_in_codes=eps, norm=norm, wanted=wanted)
    assert moved[0].tolist() == [2, 0]
    assert moved[1].tolist() != [2, 1]


def test_a_budget_in_l1_is_a_sum_of_codes():
    clean = np.int8([[10, -10, 0]])
    moved = project_codes(clean + np.int8([[3, -3, 1]]), clean, eps_in_codes=5.0, norm="l1")
    assert np.abs(moved - clean).sum() == 5
    assert ((moved - clean - np.int8([[3, -3, 1]])) ** 2).sum() == 2
    kept = clean + np.int8([[3, -2, 0]])
    assert project_codes(kept, clean, eps_in_codes=5.0, norm="l1").tolist() == kept.tolist()


@pytest.mark.parametrize("norm", ["l2", "l1"])
def test_small_budgets_go_to_the_largest_elements(norm):
    reals = np.array([[9.0, -3.0], [-2.0, 30.0]])
    assert nearest_in_ball(reals, 0, norm).tolist() == [[0, 0], [0, 0]]
    found = nearest_in_ball(reals, 1, norm)
    assert found.tolist() == [[1, 0], [0, 1]]
    assert found.dtype == np.int32


@pytest.mark.parametrize(("affordable", "searched"), [(4 * 4, True), (4 * 4 - 1, False)])
def test_the_exact_search_is_bounded_by_steps_times_budget(monkeypatch, affordable, searched):
    """Of four steps that are wanted, a budget of 4 allows the first of each element, and 2 are left."""
    calls = []
    exact = quant._exact_in_l2
    monkeypatch.setattr(quant, "_AFFORDABLE", affordable)
    monkeypatch.setattr(quant, "_exact_in_l2", lambda *given: calls.append(given) or exact(*given))
    found = nearest_in_ball(np.array([[1.6, 1.7]]), 4, "l2")
    assert found.tolist() == [[1, 1]]
    assert bool(calls) == searched


@pytest.mark.parametrize(("left", "taken"), [(0, [0, 0, 0]), (1, [0, 0, 1]), (3, [1, 0, 0]), (4, [1, 0, 1])])
def test_the_next_steps_are_the_worthiest_per_cost(left, taken):
    """They bring 2.2 for a cost of 3, 0.8 for 3, and 0.72 for 1."""
    given = np.array([[2.6, 1.9, 0.86]]), np.array([[1, 1, 0]]), np.array([[3, 2, 1]]), np.array([left])
    assert quant._next_steps(*given, "l2").tolist() == [[bool(each) for each in taken]]


def test_of_steps_of_equal_worth_the_first_are_taken():
    sizes = np.full((1, 100), 0.9)
    none, one = np.zeros(sizes.shape, int), np.ones(sizes.shape, int)
    assert quant._next_steps(sizes, none, one, np.array([30]), "l1").tolist() == [
        [i < 30 for i in range(100)]
    ]


def test_perturbations_of_no_element_are_their_own_nearest():
    for norm in ("l2", "l1"):
        assert nearest_in_ball(np.zeros((2, 0)), 3, norm).shape == (2, 0)


def test_only_what_is_not_proven_nearest_is_looked_for_again():
    """What was taken last, 2.2 of distance for a cost of 3, against what waits: 2.18 or 2.22 for 3."""
    rows = [  # sizes, steps taken, whether another choice may be nearer
        ([2.6, 2.59, 0.2], [2, 1, 0], False),
        ([2.6, 2.61, 0.2], [2, 1, 0], True),
        ([2.0, 1.0, 0.2], [2, 1, 0], False),  # no step waits
        ([3.0, 3.0, 0.0], [1, 2, 0], False),  # 1 a cost, both
    ]
    sizes = np.array([row[0] for row in rows])
    most, steps = np.floor(sizes + 0.5).astype(int), np.array([row[1] for row in rows])
    assert _improvable(sizes, steps, most, 5).tolist() == [row[2] for row in rows]
    assert _improvable(sizes, steps, most, 6).tolist() == [True, True, False, True], "one is left"
    beside = np.array([[1.2, 0.8], [2.6, 2.0]])  # in the first sample, no step costs more than 1
    most, steps = np.array([[1, 1], [3, 2]]), np.array([[1, 0], [1, 0]])
    assert _improvable(beside, steps, most, 2).tolist() == [False, True]


def test_the_smallest_of_equal_codes_go_first():
    clean = np.zeros((1, 4), np.int8)
    wanted = np.array([[0.6, 1.4, 0.9, 0.7]])
    moved = project_codes(clean + 1, clean, eps_in_codes=np.sqrt(2), norm="l2", wanted=wanted)
    assert moved.tolist() == [[0, 1, 1, 0]]


@pytest.mark.parametrize("norm", ["l2", "l1"])
def test_a_large_projection_is_no_worse_than_taking_the_best_steps(norm):
    """Of 3,072 elements, as an image has; the greedy order taken step by step is the rival."""
    rng = np.random.default_rng(1)
    reals = rng.normal(0, 2, (3, 3072))
    budget = 2500
    found = nearest_in_ball(reals, budget, norm)
    for real, steps in zip(np.abs(reals), np.abs(found), strict=True):
        heap = [(-(2 * r - 1), 0, i) for i, r in enumerate(real) if r >= 0.5]
        heapq.heapify(heap)
        greedy, left = np.zeros(len(real)), budget
        while heap:
            _, k, i = heapq.heappop(heap)
            cost = 2 * k + 1 if norm == "l2" else 1
            if cost <= left:
                greedy[i], left = k + 1, left - cost
                if real[i] >= k + 1.5:
                    following = 2 * k + 3 if norm == "l2" else 1
                    heapq.heappush(heap, (-(2 * (real[i] - k - 1) - 1) / following, k + 1, i))
        assert ((steps - real) ** 2).sum() <= ((greedy - real) ** 2).sum() + 1e-9


@given(arrays(np.int8, (3, 8)), arrays(np.int8, (3, 8)), st.floats(0, 400))
def test_l2_projection_stays_in_the_ball_and_keeps_what_is_inside(codes, clean, eps):
    inside = project_codes(codes, clean, eps_in_codes=eps, norm="l2")
    length = np.linalg.norm(inside.astype(float) - clean, axis=1)
    before = np.linalg.norm(codes.astype(float) - clean, axis=1)
    assert np.all(length <= eps + 1e-5)
    kept = before <= eps
    assert np.array_equal(inside[kept], codes[kept])


@pytest.mark.parametrize(("eps", "levels"), [(2 / 255, 2), (1 / 255, 1), (0.99 / 255, 0), (8 / 255, 8)])
def test_budgets_that_are_whole_levels_lose_none_to_float_division(eps, levels):
    step = float(np.float32(1 / 255))
    clean = np.zeros((1, 4), np.int8)
    moved = project_codes(clean + 100, clean, eps_in_codes=eps / step, norm="linf")
    assert moved.tolist() == [[levels] * 4]
