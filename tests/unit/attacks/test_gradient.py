"""Attacks against closed forms, on networks whose answer is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qbench.attacks import ATTACKS, Victims, find_attack
from qbench.attacks.gradient import GradientAttack
from qbench.attacks.norms import random_points, snap_to_grid
from qbench.data import IMAGE
from qbench.errors import UserError
from qbench.quant import size

from .networks import Affine, Kinked, perturbed

# Those that end on the rim of the ball if the network is linear.
CLIMBERS = ["fgsm", "bim", "mim", "pgd"]
BY_GRADIENT = [name for name, attack in ATTACKS.items() if issubclass(attack, GradientAttack)]


def victims(n=5, shape=(2, 3, 1), low=-1.0, high=1.0, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(low, high, (n, *shape)).astype(np.float32)
    return Victims(x, rng.integers(0, 2, n), np.arange(n) + 100)


def two_classes(seed=1):
    weights = np.random.default_rng(seed).normal(size=(6, 2))
    return weights, (weights[:, 1] - weights[:, 0]).astype(np.float32).reshape(2, 3, 1)


@pytest.mark.parametrize("name", CLIMBERS)
def test_linf_on_a_linear_network_ends_in_the_corner_of_the_ball(name):
    weights, rise = two_classes()
    given = victims()
    found = perturbed(find_attack(name)(Affine(weights), batch=2), given, 0.5)
    towards = np.where(given.y == 0, 1, -1).reshape(-1, 1, 1, 1) * np.sign(rise)
    assert np.allclose(found, given.x + 0.5 * towards, atol=1e-6)


@pytest.mark.parametrize("name", CLIMBERS)
def test_l2_on_a_linear_network_ends_on_the_rim_along_the_gradient(name):
    weights, rise = two_classes()
    given = victims()
    network, eps = Affine(weights), 0.5
    climb = {} if name == "fgsm" else {"steps": 100, "step_size": 0.1}
    found = perturbed(find_attack(name)(network, norm="l2", batch=8, **climb), given, eps)
    slope = np.linalg.norm(rise)
    wanted = given.x + eps * np.where(given.y == 0, 1, -1).reshape(-1, 1, 1, 1) * rise / slope
    logits = np.asarray(network.logits(wanted.astype(np.float32)), np.float64)
    # The best iterate is chosen by its loss. A point of the rim that lies d away loses p slope d^2 / (2 eps),
    # with p = 1 - softmax(true); below the rounding of 6 products and a cross-entropy that is not seen.
    wrong = 1 - np.exp(logits[np.arange(len(logits)), given.y]) / np.exp(logits).sum(axis=1)
    rounding = 16 * np.finfo(np.float32).eps * np.maximum(1, np.abs(weights).sum() * np.abs(wanted).max())
    allowed = np.sqrt(2 * eps * rounding / (wrong * slope))
    distance = np.linalg.norm((found - wanted).reshape(len(found), -1), axis=1)
    assert (distance <= allowed).all()
    assert allowed.max() < eps / 50


@pytest.mark.parametrize("name", CLIMBERS)
def test_the_domain_cuts_the_ball(name):
    weights, rise = two_classes()
    given = victims(low=0.0)
    found = perturbed(find_attack(name)(Affine(weights, domain=IMAGE), batch=8), given, 0.5)
    towards = np.where(given.y == 0, 1, -1).reshape(-1, 1, 1, 1) * np.sign(rise)
    assert np.allclose(found, np.clip(given.x + 0.5 * towards, 0, 1), atol=1e-6)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("name", BY_GRADIENT)
def test_results_stay_inside_and_hurt(name, norm):
    network = Kinked(elements=6)
    given = victims(40, low=0.0)
    for eps in (1e-3, 0.1, 0.9):
        found = [each for (each,) in find_attack(name)(network, norm=norm, batch=16).perturb(given, [eps])]
        x = np.concatenate([each.x for each in found])
        logits = np.concatenate([each.logits for each in found])
        assert size(x - given.x, norm).max() <= eps * (1 + 1e-5) + 1e-6
        assert x.min() >= 0
        assert x.max() <= 1
        assert np.allclose(logits, network.logits(x), atol=1e-5)
    before = np.mean(np.argmax(network.logits(given.x), axis=1) == given.y)
    assert np.mean(logits.argmax(axis=1) == given.y) < before


def test_a_result_depends_on_the_seed_but_on_neither_batch_nor_order():
    network = Kinked(elements=6)
    given = victims(23, low=0.0)
    pgd = find_attack("pgd")
    whole = perturbed(pgd(network, batch=64, restarts=3), given, 0.1)
    assert np.allclose(whole, perturbed(pgd(network, batch=5, restarts=3), given, 0.1), atol=1e-6)
    turned = Victims(given.x[::-1], given.y[::-1], given.indices[::-1])
    assert np.array_equal(whole[::-1], perturbed(pgd(network, batch=64, restarts=3), turned, 0.1))
    assert not np.array_equal(whole, perturbed(pgd(network, batch=64, restarts=3, seed=1), given, 0.1))


def test_one_graph_serves_all_budgets():
    weights, _ = two_classes()
    attack = find_attack("pgd")(Affine(weights), batch=2)
    for eps in (0.1, 0.2, 0.3):
        perturbed(attack, victims(), eps)
    assert attack._compiled_climb.experimental_get_tracing_count() == 1


def test_more_restarts_never_weaken():
    network = Kinked(elements=6)
    given = victims(60, low=0.0)

    def right(restarts):
        found = find_attack("pgd")(network, steps=3, restarts=restarts).perturb(given, [0.05])
        return np.concatenate([each.logits for (each,) in found]).argmax(axis=1) == given.y

    assert np.all(right(1) >= right(4))


def test_a_network_that_gives_nan_is_named():
    with pytest.raises(UserError, match="linear network gives NaN or infinity for 5 of 5 inputs"):
        perturbed(find_attack("fgsm")(Affine(np.full((6, 2), np.nan)), batch=8), victims(), 0.1)


def test_an_unknown_attack_suggests_the_nearest():
    with pytest.raises(UserError) as caught:
        find_attack("pgdd")
    assert "did you mean 'pgd'" in caught.value.hint


@settings(deadline=None, max_examples=60)
@given(
    eps_levels=st.floats(0.1, 40),
    norm=st.sampled_from(["linf", "l2"]),
    seed=st.integers(0, 2**16),
)
def test_the_grid_keeps_ball_domain_and_pixels(eps_levels, norm, seed):
    rng = np.random.default_rng(seed)
    eps = eps_levels / 255
    x = (rng.integers(0, 256, (4, 3, 3, 1)) / np.float32(255)).astype(np.float32)
    delta = random_points(x.shape[1:], eps, norm, [(seed, i, 0) for i in range(4)])
    snapped = snap_to_grid(np.clip(x + delta, 0, 1), x, IMAGE, eps, norm)
    levels = snapped * 255.0
    assert np.allclose(levels, np.rint(levels), atol=1e-3)
    assert size(snapped - x, norm).max() <= eps * (1 + 1e-4) + 1e-6
    assert snapped.min() >= 0
    assert snapped.max() <= 1


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_random_points_fill_the_ball(norm):
    points = random_points((3,), 2.0, norm, [(0, i, 0) for i in range(2000)])
    lengths = size(points, norm)
    assert lengths.max() <= 2.0 + 1e-6
    # uniform in volume: half of it lies outside the radius 2 * 0.5^(1/3)
    assert 0.45 < np.mean(lengths > 2 * 0.5 ** (1 / 3)) < 0.55
