"""The L1 ball: projection, steps, random points, the integer lattice, PGD."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import brentq

from qbench.attacks import Victims, find_attack
from qbench.attacks.budgets import check_eps
from qbench.attacks.norms import project, random_points, shrink, steepest_step
from qbench.data import IMAGE
from qbench.errors import UserError
from qbench.quant import project_codes, size

from .networks import Affine


def soft_thresholded(delta, eps):
    """The projection from its optimality condition, the threshold by root finding in float64."""

    def excess(threshold):
        return np.maximum(np.abs(delta) - threshold, 0).sum() - eps

    threshold = brentq(excess, 0, np.abs(delta).max(), xtol=1e-14) if excess(0) > 0 else 0.0
    return np.sign(delta) * np.maximum(np.abs(delta) - threshold, 0)


@settings(deadline=None, max_examples=100)
@given(
    delta=arrays(np.float32, (3, 2, 5), elements=st.floats(-4, 4, width=32, allow_subnormal=False)),
    eps=st.floats(0.0625, 20),
)
def test_projection_is_the_nearest_point(delta, eps):
    found = shrink(delta, eps, "l1")
    for row, each in zip(delta.reshape(3, -1).astype(float), found.reshape(3, -1), strict=True):
        assert np.allclose(each, soft_thresholded(row, eps), atol=1e-5)
    assert size(found, "l1").max() <= eps * (1 + 1e-6)


def test_projection_keeps_what_is_inside_to_the_bit_and_traces():
    delta = np.random.default_rng(0).normal(size=(4, 3072)).astype(np.float32)
    delta[:2] *= 1e-3
    found = tf.function(project)(tf.constant(delta), tf.constant(12.0), "l1").numpy()
    assert np.array_equal(found[:2], delta[:2])
    assert np.allclose(size(found[2:], "l1"), 12, rtol=1e-6)


@settings(deadline=None, max_examples=60)
@given(
    codes=arrays(np.int8, (2, 3), elements=st.integers(-6, 6)),
    clean=arrays(np.int8, (2, 3), elements=st.integers(-2, 2)),
    eps=st.floats(0, 20),
)
def test_lattice_projection_is_the_nearest_of_all_lattice_points(codes, clean, eps):
    inside = project_codes(codes, clean, eps_in_codes=eps, norm="l1").astype(int) - clean
    wanted = codes.astype(int) - clean
    lattice = np.array(list(itertools.product(range(-8, 9), repeat=3)))
    ball = lattice[np.abs(lattice).sum(axis=1) <= eps + 1e-5]  # the slack for budgets such as 3/255
    assert size(inside, "l1").max() <= eps + 1e-5
    nearest = np.square(wanted[:, None] - ball).sum(axis=2).min(axis=1)
    assert np.array_equal(np.square(wanted - inside).sum(axis=1), nearest)
    assert np.all(np.abs(inside) <= np.abs(wanted))
    assert np.all(inside * wanted >= 0)


@given(arrays(np.uint8, (3, 8)), arrays(np.uint8, (3, 8)), st.floats(0, 2500))
def test_lattice_projection_of_far_codes(codes, clean, eps):
    inside = project_codes(codes, clean, eps_in_codes=eps, norm="l1").astype(int) - clean
    wanted = np.abs(codes.astype(int) - clean).sum(axis=1)
    assert np.array_equal(np.abs(inside).sum(axis=1), np.minimum(wanted, np.floor(eps + 1e-5)))


def test_the_step_moves_the_largest_hundredth_by_equal_shares():
    gradient = np.random.default_rng(0).normal(size=(3, 10, 20, 1)).astype(np.float32)
    gradient[2] = 0
    step = steepest_step(tf.constant(gradient), "l1").numpy().reshape(3, -1)
    for row, each in zip(gradient[:2].reshape(2, -1), step, strict=False):
        moved = np.argsort(-np.abs(row))[:2]
        assert sorted(np.flatnonzero(each)) == sorted(moved)
        assert np.array_equal(each[moved], np.sign(row[moved]) / 2)
    assert not step[2].any()


def test_random_points_fill_the_ball():
    points = random_points((3,), 2.0, "l1", [(0, i, 0) for i in range(2000)])
    lengths = size(points, "l1")
    assert lengths.max() <= 2.0 + 1e-6
    # uniform in volume, in every octant: half of it lies outside the radius 2 * 0.5^(1/3)
    assert 0.45 < np.mean(lengths > 2 * 0.5 ** (1 / 3)) < 0.55
    assert np.abs(np.sign(points).mean(axis=0)).max() < 0.08
    largest_share = np.abs(points).max(axis=1) / lengths  # (1 + 1/2 + 1/3) / 3 for a uniform direction
    assert abs(largest_share.mean() - 11 / 18) < 0.02


def test_budgets_up_to_the_widest_distance():
    check_eps([64.0], IMAGE, "l1", 64)
    with pytest.raises(UserError, match="wider than the whole image domain, which is 64"):
        check_eps([64.5], IMAGE, "l1", 64)


def test_pgd_on_a_linear_network_ends_in_the_vertex_of_the_steepest_element():
    weights = np.random.default_rng(1).normal(size=(6, 2))
    rise = weights[:, 1] - weights[:, 0]
    x = np.random.default_rng(0).uniform(-1, 1, (5, 6)).astype(np.float32)
    victims = Victims(x, np.array([0, 1, 0, 1, 0]), np.arange(5))
    attack = find_attack("pgd")(Affine(weights), norm="l1", batch=8, steps=60)
    ((found,),) = attack.perturb(victims, [0.5])
    steepest = np.abs(rise).argmax()
    vertex = np.zeros((5, 6))
    vertex[:, steepest] = np.where(victims.y == 0, 0.5, -0.5) * np.sign(rise[steepest])
    assert np.allclose(found.x, x + vertex, atol=1e-5)


@pytest.mark.parametrize("grid", ["float", "uint8"])
def test_pgd_stays_in_the_ball(grid):
    rng = np.random.default_rng(0)
    x = (rng.integers(0, 256, (40, 300)) / np.float32(255)).astype(np.float32)
    network = Affine(rng.normal(size=(300, 3)), domain=IMAGE)
    victims = Victims(x, rng.integers(0, 3, 40), np.arange(40))
    attack = find_attack("pgd")(network, norm="l1", grid=grid, steps=10, batch=40)
    budgets = (0.01, 0.1, 1.0, 30.0)
    (results,) = attack.perturb(victims, budgets)
    for found, eps in zip(results, budgets, strict=True):
        assert size(found.x - x, "l1").max() <= eps * (1 + 1e-4) + 1e-5
    levels = results[-1].x * 255.0
    assert (np.abs(levels - np.rint(levels)).max() < 1e-3) == (grid == "uint8")
