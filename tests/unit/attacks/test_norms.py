"""The geometry of every norm, on points whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from qbench.artifacts import Domain
from qbench.attacks.norms import (
    confinement,
    differ,
    lengths,
    project,
    random_points,
    shrink,
    snap_to_grid,
    steepest_step,
    unit_l1,
    widest,
)
from qbench.data import IMAGE
from qbench.quant import size

NORMS = ("linf", "l2", "l1")
# Two samples of shape [2, 1]: by norm 4, 5, 7 and 0.5, 0.5, 0.5.
DELTA = np.float32([[[3], [-4]], [[0.5], [0]]])
ZERO = np.zeros((1, 2, 1), np.float32)


@pytest.mark.parametrize(
    ("norm", "wanted"),
    [
        ("linf", [[[1], [-1]], [[1], [0]]]),
        ("l2", [[[0.6], [-0.8]], [[1], [0]]]),
        ("l1", [[[0], [-1]], [[1], [0]]]),
    ],
)
def test_a_step_goes_where_a_linear_loss_rises_fastest(norm, wanted):
    np.testing.assert_allclose(steepest_step(tf.constant(DELTA), norm).numpy(), wanted, rtol=1e-6)
    np.testing.assert_array_equal(steepest_step(tf.constant(ZERO), norm).numpy(), ZERO)
    tiny = steepest_step(tf.constant(DELTA * np.float32(1e-9)), norm).numpy()
    np.testing.assert_allclose(tiny, wanted, rtol=1e-5)


def test_a_step_in_l1_moves_equal_gradients_by_equal_shares():
    even = np.float32([[[2], [-2]]])
    np.testing.assert_array_equal(steepest_step(tf.constant(even), "l1").numpy(), [[[0.5], [-0.5]]])


def test_a_step_in_l1_moves_the_hundredth_rounded_up():
    for elements, moved in ((100, 1), (101, 2), (200, 2), (201, 3)):
        gradient = np.arange(1, elements + 1, dtype=np.float32)[None]
        step = steepest_step(tf.constant(gradient), "l1").numpy()
        assert np.flatnonzero(step[0]).tolist() == list(range(elements - moved, elements))
        np.testing.assert_allclose(step.sum(), 1, rtol=1e-6)


def test_unit_gradients_in_l1():
    found = unit_l1(tf.constant(DELTA)).numpy()
    np.testing.assert_allclose(found, [[[3 / 7], [-4 / 7]], [[1], [0]]], rtol=1e-6)
    np.testing.assert_array_equal(unit_l1(tf.constant(ZERO)).numpy(), ZERO)


@pytest.mark.parametrize(
    ("norm", "wanted"),
    [
        ("linf", [[[2], [-2]], [[0.5], [0]]]),
        ("l2", [[[1.2], [-1.6]], [[0.5], [0]]]),
        ("l1", [[[0.5], [-1.5]], [[0.5], [0]]]),
    ],
)
def test_a_projection_is_the_nearest_in_the_ball(norm, wanted):
    for found in (project(tf.constant(DELTA), tf.constant(2.0), norm).numpy(), shrink(DELTA, 2.0, norm)):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, wanted, rtol=1e-6)
    np.testing.assert_array_equal(shrink(DELTA, 100.0, norm), DELTA)
    np.testing.assert_array_equal(shrink(DELTA, 0.0, norm), np.zeros_like(DELTA))
    np.testing.assert_array_equal(shrink(ZERO, 1.0, norm), ZERO)


@pytest.mark.parametrize(
    ("norm", "eps", "moved", "wanted"),
    [
        ("linf", 0.1, [0.2, 1.0, -0.4], [0.4, 1.0, 0.4]),
        ("l2", 0.1, [0.6, 0.8, 0.0], [0.36, 1.0, 0.5]),
        ("l1", 0.4, [0.3, 0.5, 0.0], [0.4, 1.0, 0.5]),
        ("linf", 0.4, [-1.0, 0.0, 0.0], [0.0, 0.95, 0.5]),
        ("l2", 0.4, [-1.0, 0.0, 0.0], [0.0, 0.95, 0.5]),
    ],
)
def test_points_are_confined_to_ball_and_domain(norm, eps, moved, wanted):
    x = np.float32([[0.3, 0.95, 0.5]])
    confine = confinement(tf.constant(x), tf.constant(eps, tf.float32), norm, IMAGE)
    found = confine(tf.constant(x + np.float32([moved]))).numpy()
    np.testing.assert_allclose(found, [wanted], atol=1e-6)


@pytest.mark.parametrize(("norm", "wanted"), [("linf", [4, 0.5]), ("l2", [5, 0.5]), ("l1", [7, 0.5])])
def test_lengths_by_norm(norm, wanted):
    np.testing.assert_allclose(lengths(tf.constant(DELTA), norm).numpy(), wanted, rtol=1e-6)


@pytest.mark.parametrize("norm", NORMS)
def test_random_points_depend_on_their_key_alone(norm):
    keys = [(0, i, r) for i in range(3) for r in range(2)]
    points = random_points((2, 3), 0.5, norm, keys)
    assert (points.shape, points.dtype) == ((6, 2, 3), np.float32)
    assert len(np.unique(points[:, 0, 0])) == len(keys)
    np.testing.assert_array_equal(random_points((2, 3), 0.5, norm, keys[::-1]), points[::-1])
    np.testing.assert_allclose(random_points((2, 3), 1.0, norm, keys), 2 * points, rtol=1e-6)


@pytest.mark.parametrize("norm", NORMS)
def test_random_points_are_uniform_in_the_ball(norm):
    """Of 2 dimensions: a ball of half the radius holds a quarter of them, a half space a half."""
    points = random_points((2,), 2.0, norm, [(0, i, 0) for i in range(4000)])
    sizes = size(points, norm)
    assert 1.95 < sizes.max() <= 2 + 1e-6
    assert abs(np.mean(sizes <= 1.0) - 0.25) < 0.03
    assert np.abs(np.mean(points > 0, axis=0) - 0.5).max() < 0.03
    first, second = np.abs(points).T
    assert abs(np.mean(first > second) - 0.5) < 0.03


def test_random_points_in_no_ball_are_its_middle():
    for norm in NORMS:
        assert not random_points((3,), 0.0, norm, [(0, 0, 0)]).any()


def test_the_widest_distance_by_norm():
    assert [widest(2.0, 9, norm) for norm in NORMS] == [2.0, 6.0, 18.0]


def test_inputs_differ_where_any_element_does():
    a = np.zeros((3, 2, 2), np.float32)
    b = a.copy()
    b[1, 0, 1] = 1e-30
    b[2] = 1
    assert differ(a, b).tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("norm", "eps", "wanted"),
    [
        ("linf", 1.0, [-1.0, 4.0, 0.5]),
        ("linf", 0.5, [-1.5, 4.0, 0.5]),
        ("l2", 1.0, [-1.5, 4.0, 0.5]),
        ("l1", 1.5, [-1.5, 4.0, 0.0]),
        ("l1", 10.0, [-1.0, 4.0, 0.5]),
    ],
)
def test_snapping_stays_on_the_grid_in_the_ball_and_in_the_domain(norm, eps, wanted):
    """Steps of 0.5 from -4: the first element wants 2.2 of them, the second 3 where the domain has 1."""
    domain = Domain(name="features", low=-4.0, high=4.0, step=0.5)
    x = np.float32([[-2.0, 3.5, 0.0]])
    found = snap_to_grid(x + np.float32([[1.1, 1.5, 0.3]]), x, domain, eps, norm)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, [wanted])


def test_what_does_not_move_keeps_its_bits():
    x = np.float32([[0.12, 0.51]])  # not on the grid to the bit
    found = snap_to_grid(x + np.float32([[0.001, 0.01]]), x, IMAGE, 0.1, "linf")
    assert found[0, 0] == x[0, 0]
    assert found[0, 1] == np.float32(133 / 255)


def test_a_domain_without_a_grid_has_none_to_snap_to():
    wide = Domain(name="features", low=-1.0, high=1.0, step=None)
    with pytest.raises(ValueError, match=r"^domain features has no grid$"):
        snap_to_grid(ZERO, ZERO, wide, 0.1, "linf")
