"""Attacks that only ask: what they cost, what they find, and what they do not depend on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qbench.artifacts import Domain
from qbench.attacks import ATTACKS, Victims, find_attack
from qbench.attacks.queries import Draws
from qbench.data import IMAGE
from qbench.quant import size

from .networks import WIDE, Affine, Counting, Kinked, Linear

SHAPE = (4, 4, 3)
UNIT = Domain(name="features", low=-1.0, high=2.0, step=None)
# Settings that keep each attack small, and norms to try.
CASES = [
    ("square", {"budget": 60}, "linf", 0.2),
    ("square", {"budget": 60}, "l2", 1.0),
    ("local-search", {"budget": 60}, "linf", 0.2),
    ("local-search", {"budget": 60}, "l2", 1.0),
    ("local-search", {"budget": 60}, "l1", 5.0),
    ("spsa", {"budget": 90, "samples": 16, "learning_rate": 0.1}, "linf", 0.2),
    ("nes", {"budget": 90, "samples": 16}, "linf", 0.2),
    ("nes", {"budget": 90, "samples": 16}, "l2", 1.0),
    ("zoo", {"budget": 400, "coordinates": 16, "binary_search_steps": 1}, "l2", 4.0),
    ("hopskipjump", {"budget": 300, "samples": 20}, "l2", 4.0),
    ("hopskipjump", {"budget": 300, "samples": 20}, "linf", 0.5),
]


def victims(network, n=30, seed=0):
    x = np.random.default_rng(seed).uniform(0, 1, (n, *SHAPE)).astype(np.float32)
    y = network.logits(x).numpy().argmax(axis=1).astype(np.int64)
    y[:2] = (y[:2] + 1) % 3  # two that are wrong from the start
    return Victims(x, y, np.arange(n) + 7)


def attack_batch(name, network, told, given, eps, **options):
    attack = find_attack(name)(network, **options, **told)
    parts = [found for (found,) in attack.perturb(given, [eps])]
    x, logits, queries = (np.concatenate([getattr(p, f) for p in parts]) for f in ("x", "logits", "queries"))
    return x, logits, queries


def test_every_attack_that_asks_is_tested_here():
    asking = {name for name, attack in ATTACKS.items() if attack.asks}
    assert asking == {name for name, *_ in CASES} | {"autoattack-int8"}


@pytest.mark.parametrize(("name", "told", "norm", "eps"), CASES)
@pytest.mark.parametrize("grid", ["float", "uint8"])
def test_queries_are_counted_and_bounded_and_results_hold(name, told, norm, eps, grid):
    network = Kinked()
    oracle = Counting(network)
    given = victims(network)
    if grid == "uint8":
        given = Victims(np.rint(given.x * 255).astype(np.float32) / np.float32(255), given.y, given.indices)
    x, logits, queries = attack_batch(name, network, told, given, eps, oracle=oracle, norm=norm, grid=grid)
    assert queries.sum() == len(oracle.asked)
    assert queries.max() <= told["budget"]
    assert queries.min() >= 1
    assert size(x - given.x, norm).max() <= eps + 1e-5
    assert x.min() >= 0
    assert x.max() <= 1
    assert np.allclose(logits, network.logits(x), atol=1e-5)
    right = logits.argmax(axis=1) == given.y
    assert right.mean() < 0.85, "the attack breaks something"
    assert not right[:2].any()
    if grid == "uint8":
        assert np.allclose(np.rint(x * 255) / 255, x, atol=1e-7)


@pytest.mark.parametrize(("name", "told", "norm", "eps"), CASES)
def test_neither_batch_nor_order_matters_but_the_seed_does(name, told, norm, eps):
    network = Kinked()
    given = victims(network, 12)
    oracle = lambda: Counting(network)  # noqa: E731
    x, *_ = attack_batch(name, network, told, given, eps, oracle=oracle(), norm=norm)
    small, *_ = attack_batch(name, network, told, given, eps, oracle=oracle(), norm=norm, batch=5)
    assert np.allclose(x, small, atol=1e-5)
    turned = given.select(np.arange(12)[::-1])
    again, *_ = attack_batch(name, network, told, turned, eps, oracle=oracle(), norm=norm)
    assert np.allclose(x[::-1], again, atol=1e-5)
    other, *_ = attack_batch(name, network, told, given, eps, oracle=oracle(), norm=norm, seed=1)
    assert not np.allclose(x, other, atol=1e-5)


@pytest.mark.parametrize("name", ["spsa", "nes"])
def test_an_estimate_climbs_a_linear_network_to_the_corner(name):
    rng = np.random.default_rng(0)
    weights = rng.choice([-1, 1], 12) * rng.uniform(0.5, 1, 12)
    given = Victims(np.zeros((4, 12), np.float32), np.zeros(4, np.int64), np.arange(4))
    network = Linear(weights, bias=-50.0)  # out of reach, so that no step is the last
    rate = {"spsa": "learning_rate", "nes": "step_size"}[name]
    told = {"steps": 60, "samples": 200, rate: 0.05}
    x, *_ = attack_batch(name, network, told, given, 0.5)
    assert np.allclose(x, 0.5 * np.sign(weights), atol=0.02)


@pytest.mark.parametrize(("norm", "nearest"), [("l2", 2.0), ("linf", None)])
def test_hopskipjump_finds_the_distance_to_a_plane(norm, nearest):
    weights = np.random.default_rng(1).normal(size=10)
    weights /= np.linalg.norm(weights)
    expected = nearest or 2.0 / np.abs(weights).sum()
    given = Victims(np.zeros((3, 10), np.float32), np.zeros(3, np.int64), np.arange(3))
    told = {"budget": 8000, "steps": 25}
    x, logits, _ = attack_batch("hopskipjump", Linear(weights, bias=-2.0), told, given, 500.0, norm=norm)
    assert (logits.argmax(axis=1) == 1).all()
    assert np.all(size(x, norm) < 1.1 * expected)
    assert np.all(size(x, norm) >= expected * 0.999)


def test_zoo_comes_near_the_distance_to_a_plane():
    weights = np.zeros(8)
    weights[2] = 1.0
    network = Linear(weights, bias=-0.75, domain=IMAGE)
    given = Victims(np.full((2, 8), 0.5, np.float32), np.zeros(2, np.int64), np.arange(2))
    told = {"budget": 20_000, "coordinates": 8, "learning_rate": 0.02, "binary_search_steps": 5}
    x, logits, _ = attack_batch("zoo", network, told, given, 2.0)
    assert (logits.argmax(axis=1) == 1).all()
    assert size(x - given.x, "l2") == pytest.approx([0.25, 0.25], rel=0.15)


def test_ties_do_not_stop_square():
    """An integer network's scores stand still over many moves."""
    network = Kinked()

    def coarse(x):
        return np.rint(network.logits(x).numpy() / 2) * 2

    coarse.name, coarse.step, coarse.as_replayed = "coarse", None, lambda x_adv, *_: x_adv
    given = victims(network, 40)
    _, logits, _ = attack_batch("square", network, {"budget": 200}, given, 0.3, oracle=coarse)
    assert np.mean(logits.argmax(axis=1) == given.y) < 0.6


def test_an_oracle_that_rounds_is_asked_for_more_than_it_rounds_away():
    network = Kinked()
    oracle = Counting(network, step=1 / 16)
    given = victims(network, 20)
    x, logits, _ = attack_batch(
        "hopskipjump", network, {"budget": 1500, "samples": 40}, given, 4.0, oracle=oracle, norm="l2"
    )
    fooled = logits.argmax(axis=1) != given.y
    assert fooled.mean() > 0.9
    assert np.median(size((x - given.x)[fooled], "l2")) < 0.8


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**31), index=st.integers(0, 10**6), step=st.integers(0, 10**5))
def test_draws_depend_on_seed_index_and_step_alone(seed, index, step):
    alone = Draws.seeded(seed, np.array([index]))
    among = Draws.seeded(seed, np.array([5, index, 9]))
    assert np.array_equal(alone.uniform(step, 7)[0], among.uniform(step, 9)[1, :7])
    assert not np.array_equal(alone.uniform(step, 7), alone.uniform(step + 1, 7))
    assert not np.array_equal(
        alone.uniform(step, 7), Draws.seeded(seed + 1, np.array([index])).uniform(step, 7)
    )


def test_draws_are_distributed_as_they_say():
    from scipy import stats

    draws = Draws.seeded(0, np.arange(50))
    assert stats.kstest(draws.uniform(1, 400).ravel(), "uniform").pvalue > 1e-3
    assert stats.kstest(draws.normal(2, 401).ravel(), "norm").pvalue > 1e-3
    signs = draws.signs(3, 1000)
    assert set(np.unique(signs)) == {-1.0, 1.0}
    assert abs(signs.mean()) < 0.02
    assert np.abs(np.corrcoef(signs)[np.triu_indices(50, 1)]).max() < 0.2


@pytest.mark.slow
def test_square_is_no_weaker_than_arts(resnet8, victims_32):
    pytest.importorskip("art", reason="the extra 'rivals' is not installed")
    from art.attacks.evasion import SquareAttack
    from art.estimators.classification import BlackBoxClassifierNeuralNetwork

    score = find_attack("square")(resnet8).score
    shape = victims_32.x.shape[1:]
    network = BlackBoxClassifierNeuralNetwork(score, shape, 10, channels_first=False, clip_values=(0, 1))
    np.random.seed(0)  # noqa: NPY002 - ART draws from it
    theirs = SquareAttack(network, eps=1 / 255, max_iter=200, batch_size=32, p_init=0.8, verbose=False)
    found = score(theirs.generate(victims_32.x, np.eye(10)[victims_32.y]))
    ((ours,),) = find_attack("square")(resnet8, budget=200, batch=32).perturb(victims_32, [1 / 255])
    robust = np.mean(ours.logits.argmax(axis=1) == victims_32.y)
    assert robust <= np.mean(found.argmax(axis=1) == victims_32.y) + 1 / 32


@pytest.mark.slow
def test_zoo_flips_images_within_1338_queries(resnet8, victims_32):
    """ART 1.20's, with its defaults, flipped none of three."""
    right = resnet8.logits(victims_32.x).numpy().argmax(axis=1) == victims_32.y
    given = victims_32.select(np.flatnonzero(right)[:12])
    ((found,),) = find_attack("zoo")(resnet8, budget=1338, binary_search_steps=1).perturb(given, [55.0])
    assert np.mean(found.logits.argmax(axis=1) != given.y) > 0.75
    assert found.queries.max() <= 1338


@pytest.mark.slow
def test_zoo_ends_about_as_near_as_an_attack_with_gradients(resnet8, victims_32):
    """7,000 queries measure the slope of each of 3,072 elements once or so."""
    right = resnet8.logits(victims_32.x).numpy().argmax(axis=1) == victims_32.y
    given = victims_32.select(np.flatnonzero(right)[:4])
    ((found,),) = find_attack("zoo")(resnet8, budget=7000).perturb(given, [55.0])
    ((theirs,),) = find_attack("deepfool")(resnet8, batch=4).perturb(given, [55.0])
    assert (found.logits.argmax(axis=1) != given.y).all()
    ours, reference = (size(each.x - given.x, "l2").mean() for each in (found, theirs))
    assert ours < 1.2 * reference


def test_zoo_measures_what_it_has_not_yet_and_walks_along_it():
    """Logits are affine, so that all slopes together are the shortest way, whatever the descent does."""
    weights = np.random.default_rng(2).normal(size=(6, 3))
    network = Affine(weights, domain=UNIT)
    x = np.random.default_rng(3).uniform(0.4, 0.6, (12, 6)).astype(np.float32)
    given = Victims(x, network.logits(x).numpy().argmax(axis=1), np.arange(12))
    told = {"budget": 60, "coordinates": 2, "binary_search_steps": 1, "steps": 3}
    found, logits, queries = attack_batch("zoo", network, told, given, 9.0)
    assert (logits.argmax(axis=1) != given.y).all()
    ((nearest,),) = find_attack("deepfool")(network).perturb(given, [9.0])
    assert (size(found - x, "l2") < 1.1 * size(nearest.x - x, "l2") + 1e-3).all()
    assert queries.max() <= 60


@pytest.fixture(scope="module")
def victims_32(victims):
    return victims.rows(0, 32)


def test_wide_domains_need_no_image():
    assert WIDE.step is None
    given = Victims(np.zeros((2, 6), np.float32), np.zeros(2, np.int64), np.arange(2))
    x, logits, _ = attack_batch("square", Linear(np.ones(6), bias=-2.0), {"budget": 50}, given, 0.5)
    assert (logits.argmax(axis=1) == 1).all()
    assert np.abs(x).max() <= 0.5
