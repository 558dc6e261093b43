"""Minimum-norm gradient attacks against closed forms: distances to known boundaries."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from qbench.artifacts import Domain
from qbench.attacks import Victims, find_attack
from qbench.attacks.compaction import ActiveRows
from qbench.attacks.hyperplane import step_to_plane
from qbench.data import IMAGE
from qbench.errors import UserError
from qbench.quant import size

WIDE = Domain(name="features", low=-10.0, high=10.0, step=None)
SHAPE = (2, 3, 1)

# Name, norm, and how much farther than the boundary a result may lie.
CASES = [
    ("deepfool", "l2", 0.0201),
    ("deepfool", "linf", 0.0201),
    ("cw", "l2", 0.02),
    ("fab-t", "l2", 0.001),
    ("fab-t", "linf", 0.001),
]
EVERY = [case[:2] for case in CASES]
ONE_NORM = [("deepfool", "l2"), ("cw", "l2"), ("fab-t", "linf")]
FEW = {"fab-t": {"steps": 20}, "cw": {"steps": 100}}


class Network:
    """logits = f(flattened x), for any f."""

    name = "closed-form"

    def __init__(self, function, domain=WIDE):
        self.function, self.domain = function, domain

    def logits(self, x):
        return self.function(tf.reshape(x, [tf.shape(x)[0], 6]))


def linear(classes=4, domain=WIDE, seed=1):
    weights = np.random.default_rng(seed).normal(size=(6, classes)).astype(np.float32)
    return weights, Network(lambda x: x @ weights, domain)


def kinked(domain=IMAGE):
    rng = np.random.default_rng(3)
    first, second = (rng.normal(size=size).astype(np.float32) for size in ((6, 16), (16, 4)))
    return Network(lambda x: tf.nn.relu(x @ first) @ second, domain)


def victims(network, n=12, low=-1.0, high=1.0, seed=0):
    """Inputs with the labels that the network gives them."""
    x = np.random.default_rng(seed).uniform(low, high, (n, *SHAPE)).astype(np.float32)
    return Victims(x, np.argmax(network.logits(x), axis=1), np.arange(n))


def nearest(name, norm, network, given, **told):
    return find_attack(name)(network, norm=norm, batch=len(given), **FEW.get(name, {}) | told).nearest(given)


def linear_distances(weights, given, norm):
    """To the nearest of a linear network's boundaries: the lead over the dual norm of its gradient."""
    distances = []
    for x, y in zip(given.x.reshape(len(given), -1).astype(np.float64), given.y, strict=True):
        normals = np.delete(weights[:, [y]] - weights, y, axis=1)
        distances.append(np.min(x @ normals / np.linalg.norm(normals, 1 if norm == "linf" else 2, axis=0)))
    return np.array(distances)


@pytest.mark.parametrize(("name", "norm", "excess"), CASES)
def test_linear_boundaries_are_met_where_they_are_nearest(name, norm, excess):
    # CW follows the class that leads when clean, and that one's boundary need not be the nearest of several.
    weights, network = linear(classes=2 if name == "cw" else 4)
    given = victims(network)
    found = nearest(name, norm, network, given)
    exact = linear_distances(weights, given, norm)
    ratio = size(found.x - given.x, norm) / exact
    assert np.all(found.logits.argmax(axis=1) != given.y)
    assert ratio.min() > 1 - 1e-4
    assert ratio.max() < 1 + excess
    assert not found.queries.any()


@pytest.mark.parametrize(("name", "norm", "excess"), CASES)
def test_a_sphere_is_met_along_its_radius(name, norm, excess):
    network = Network(lambda x: tf.stack([tf.reduce_sum(x**2, axis=1), tf.ones(tf.shape(x)[0])], axis=1))
    given = victims(network, low=0.5, high=1.0)
    found = nearest(name, norm, network, given)
    flat = given.x.reshape(len(given), -1).astype(np.float64)
    if norm == "l2":
        exact = np.linalg.norm(flat, axis=1) - 1
    else:  # sum (x_i - t)^2 = 1, at the smaller t
        mean, square = flat.mean(axis=1), (flat**2).mean(axis=1)
        exact = mean - np.sqrt(mean**2 - square + 1 / 6)
    ratio = size(found.x - given.x, norm) / exact
    assert np.all(found.logits.argmax(axis=1) != given.y)
    assert ratio.min() > 1 - 1e-4
    assert ratio.max() < 1 + max(1.5 * excess, 0.005) + (0.05 if name == "deepfool" else 0)


@pytest.mark.parametrize(("name", "norm"), EVERY)
def test_the_domain_bends_the_way(name, norm):
    # x1 + x2 must fall from 1.05 to 0.5; x1 can give 0.1 only, so that x2 gives 0.45
    network = Network(lambda x: tf.stack([x[:, 0] + x[:, 1], tf.fill([tf.shape(x)[0]], 0.5)], axis=1), IMAGE)
    x = np.full((1, 6), 0.5, np.float32)
    x[0, :2] = 0.1, 0.95
    given = Victims(x.reshape(1, *SHAPE), np.array([0]), np.array([0]))
    found = nearest(name, norm, network, given)
    exact = 0.45 if norm == "linf" else np.hypot(0.1, 0.45)
    assert found.logits.argmax(axis=1) == 1
    assert exact * (1 - 1e-4) < size(found.x - given.x, norm)[0] < exact * 1.03
    assert found.x.min() >= 0


@pytest.mark.parametrize(("name", "norm"), ONE_NORM)
def test_what_is_misclassified_already_comes_back_unchanged(name, norm):
    _, network = linear()
    given = victims(network)
    wrong = np.arange(len(given)) % 3 == 0
    given = Victims(given.x, np.where(wrong, (given.y + 1) % 4, given.y), given.indices)
    found = nearest(name, norm, network, given)
    moved = (found.x != given.x).any(axis=(1, 2, 3))
    assert np.array_equal(moved, ~wrong)
    assert np.allclose(found.logits, network.logits(found.x), atol=1e-5)


@pytest.mark.parametrize(("name", "norm"), ONE_NORM)
def test_a_constant_network_leaves_inputs_clean(name, norm):
    network = Network(lambda x: 0 * x[:, :3] + [3.0, 2.0, 1.0])
    given = victims(network)
    assert np.array_equal(nearest(name, norm, network, given).x, given.x)


@pytest.mark.parametrize(("name", "norm"), ONE_NORM)
def test_gradients_that_are_nan_move_nothing(name, norm):
    # the root's gradient is infinite at 0, and 0 times that is NaN
    network = Network(lambda x: tf.constant([3.0, 2.0, 1.0]) + tf.sqrt(0 * x[:, :3]))
    given = victims(network)
    assert np.array_equal(nearest(name, norm, network, given).x, given.x)


@pytest.mark.parametrize("name", ["deepfool", "cw", "fab-t"])
def test_logits_that_are_nan_are_refused(name):
    network = Network(lambda x: x[:, :3] * np.nan)
    attack = find_attack(name)(network, batch=8, **FEW.get(name, {}))
    with pytest.raises(UserError, match="gives NaN or infinity"):
        list(attack.perturb(victims(network), [0.1]))


@pytest.mark.parametrize(("name", "norm"), ONE_NORM)
def test_budgets_cut_one_search_and_the_same_seed_gives_the_same_bytes(name, norm):
    network = kinked()
    given = victims(network, 24, low=0.0)
    budgets = [0.01, 0.1, 0.5]

    def perturbed(batch):
        attack = find_attack(name)(network, norm=norm, batch=batch, **FEW.get(name, {}))
        parts = list(attack.perturb(given, budgets))
        return [np.concatenate([part[i].x for part in parts]) for i in range(len(budgets))]

    found = perturbed(24)
    robust = [np.mean(np.argmax(network.logits(x), axis=1) == given.y) for x in found]
    assert robust[0] > robust[-1]
    assert robust == sorted(robust, reverse=True)
    for x, again, other, eps in zip(found, perturbed(24), perturbed(16), budgets, strict=True):
        assert np.array_equal(x, again)
        alike = np.isclose(x, other, atol=1e-3).all(axis=(1, 2, 3))
        assert alike.mean() > 0.85  # a way that turns at a kink turns on rounding
        assert size(x - given.x, norm).max() <= eps * (1 + 1e-5) + 1e-6


def test_confidence_buys_margin():
    weights, network = linear(classes=2)
    given = victims(network)
    found = nearest("cw", "l2", network, given, confidence=2.0)
    lead = np.sort(found.logits, axis=1)
    assert np.all(found.logits.argmax(axis=1) != given.y)
    assert (lead[:, 1] - lead[:, 0]).min() >= 2.0
    extra = 2.0 / np.linalg.norm(weights[:, 0] - weights[:, 1])
    assert np.allclose(
        size(found.x - given.x, "l2"), linear_distances(weights, given, "l2") + extra, rtol=0.05
    )


def test_the_papers_own_settings_fool():
    _, network = linear()
    given = victims(network)
    told = {"binary_search_steps": 10, "steps": 100, "learning_rate": 0.1, "initial_const": 0.5}
    assert np.all(nearest("cw", "l2", network, given, **told).logits.argmax(axis=1) != given.y)


def test_more_candidates_never_lengthen_deepfools_way_on_a_linear_network():
    _, network = linear()
    given = victims(network, 40)
    two, all_four = (
        size(nearest("deepfool", "l2", network, given, candidates=k).x - given.x, "l2") for k in (2, 4)
    )
    assert np.all(all_four <= two * (1 + 1e-5))
    assert np.any(all_four < two * 0.99)


@settings(deadline=None, max_examples=40)
@given(norm=st.sampled_from(["linf", "l2"]), seed=st.integers(0, 2**16), share=st.floats(0.01, 0.99))
def test_a_step_to_a_plane_is_the_shortest_in_the_box(norm, seed, share):
    from scipy.optimize import linprog, minimize

    rng = np.random.default_rng(seed)
    x, normal = rng.uniform(0, 1, 5), rng.normal(size=5)
    x[0], normal[1] = rng.integers(0, 2), 0.0
    most = np.sum(np.maximum(normal * (1 - x), -normal * x))
    gap = share * most
    step = step_to_plane(*(np.float32([each]) for each in (x, normal, gap)), IMAGE, norm).numpy()[0]
    assert np.isclose(step @ normal, gap, rtol=1e-4, atol=1e-6)
    assert np.all((x + step > -1e-6) & (x + step < 1 + 1e-6))
    if norm == "linf":
        rows = np.block([[np.eye(5), -np.ones((5, 1))], [-np.eye(5), -np.ones((5, 1))]])
        bounds = [*zip(-x, 1 - x, strict=True), (0, None)]
        best = linprog([0] * 5 + [1], rows, np.zeros(10), [[*normal, 0]], [gap], bounds=bounds).fun
        assert np.isclose(np.abs(step).max(), best, rtol=1e-4, atol=1e-6)
    else:
        best = minimize(
            lambda r: r @ r,
            step,
            jac=lambda r: 2 * r,
            bounds=list(zip(-x, 1 - x, strict=True)),
            constraints={"type": "eq", "fun": lambda r: r @ normal - gap, "jac": lambda _: normal},
            method="SLSQP",
        )
        assert np.linalg.norm(step) <= np.sqrt(best.fun) * (1 + 1e-3) + 1e-6


def test_a_plane_out_of_reach_is_approached_as_far_as_the_domain_goes():
    x = np.float32([[0.2, 0.9, 0.5]])
    step = step_to_plane(x, np.float32([[1.0, -2.0, 0.0]]), np.float32([100.0]), IMAGE, "linf").numpy()
    assert np.allclose(x + step, [[1.0, 0.0, 0.5]])


@pytest.mark.parametrize("active", [0b0, 0b1, 0b1010000000, 0b1110000001, 0b1111111111])
def test_a_compacted_batch_holds_the_active_rows_and_writes_no_other(active):
    mask = np.array([bool(active >> i & 1) for i in range(10)])
    whole = np.arange(10.0)
    rows = ActiveRows.of(tf.constant(mask))
    part = rows.of_each(tf.constant(whole))
    assert len(part) in (1, 2, 4, 8, 10)
    assert np.array_equal(part[: mask.sum()], whole[mask])
    assert np.array_equal(rows.write_back(whole, part + 100), whole + 100 * mask)
