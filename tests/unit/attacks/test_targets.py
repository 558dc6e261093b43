"""Attacks towards a label that is given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from qbench.attacks import ATTACKS, Victims, find_attack
from qbench.attacks.goals import Goal
from qbench.errors import UserError
from qbench.quant import size

from .networks import Affine, Kinked

SHAPE, CLASSES = (4, 4, 3), 3
# Settings that keep each attack small, a norm, and a ball in which a target can be reached.
CASES = [
    ("fgsm", {}, "linf", 0.3),
    ("bim", {}, "linf", 0.3),
    ("mim", {}, "linf", 0.3),
    ("pgd", {"steps": 20}, "linf", 0.3),
    ("pgd", {"steps": 20}, "l2", 1.5),
    ("lattice", {}, "linf", 0.3),
    ("cw", {"steps": 60}, "l2", 4.0),
    ("square", {"budget": 200}, "linf", 0.3),
    ("local-search", {"budget": 200}, "linf", 0.3),
    ("spsa", {"budget": 300, "samples": 32, "learning_rate": 0.1}, "linf", 0.3),
    ("nes", {"budget": 300, "samples": 32}, "linf", 0.3),
    ("zoo", {"budget": 2000, "coordinates": 16}, "l2", 4.0),
    ("hopskipjump", {"budget": 600, "samples": 20}, "l2", 4.0),
]


def add_targets(network, n=40):
    """Inputs with a target each, the label after the network's own, and examples of all labels."""
    x = np.random.default_rng(0).integers(0, 256, (n, *SHAPE)).astype(np.float32) / 255
    own = network.logits(x).numpy().argmax(axis=1)
    examples = {label: x[np.flatnonzero(own == label)[-1]] for label in range(CLASSES)}
    return Victims(x, (own + 1) % CLASSES, np.arange(n), examples)


def reached(name, told, norm, eps, given, network, **options):
    attack = find_attack(name)(network, norm=norm, batch=len(given), **told, **options)
    ((found,),) = attack.perturb(given, [eps])
    assert size(found.x - given.x, norm).max() <= eps + 1e-4
    np.testing.assert_array_equal(found.logits.argmax(axis=1), attack.score(found.x).argmax(axis=1))
    return found, found.logits.argmax(axis=1) == given.y


def test_every_attack_that_takes_a_target_is_tested_here():
    assert {name for name, attack in ATTACKS.items() if attack.targetable} == {name for name, *_ in CASES}


@pytest.mark.parametrize(("name", "told", "norm", "eps"), CASES)
def test_targets_are_reached(name, told, norm, eps):
    network = Kinked(seed=4)
    given = add_targets(network)
    found, hit = reached(name, told, norm, eps, given, network, targeted=True)
    assert hit.mean() > 0.9
    own = replace(given, y=(given.y - 1) % CLASSES)
    other, _ = reached(name, told, norm, eps, own, network)
    chance = (other.logits.argmax(axis=1) == given.y).mean()
    assert hit.mean() > chance + 0.2, "an attack that merely leads away reaches them less often"
    again, _ = reached(name, told, norm, eps, given, network, targeted=True)
    np.testing.assert_array_equal(again.x, found.x)


def test_one_step_towards_a_target_on_affine_logits():
    rng = np.random.default_rng(1)
    network = Affine(rng.normal(size=(6, 3)))
    given = Victims(rng.normal(size=(20, 6)).astype(np.float32), rng.integers(0, 3, 20), np.arange(20))
    ((found,),) = find_attack("fgsm")(network, targeted=True).perturb(given, [0.5])
    weights = network.weights.numpy()
    shares = tf.nn.softmax(network.logits(given.x)).numpy()
    rise = weights.T[given.y] - shares @ weights.T  # of the target's log probability
    np.testing.assert_allclose(found.x, given.x + 0.5 * np.sign(rise), rtol=1e-6)


def test_an_input_that_has_its_target_already_is_left_alone():
    network = Kinked(seed=4)
    given = add_targets(network)
    there = replace(given, y=network.logits(given.x).numpy().argmax(axis=1))
    for name, told in (("cw", {"steps": 10}), ("hopskipjump", {"budget": 50})):
        ((found,),) = find_attack(name)(network, targeted=True, **told).perturb(there, [4.0])
        np.testing.assert_array_equal(found.x, there.x)


def test_a_walk_without_an_example_of_its_target_finds_nothing():
    network = Kinked(seed=4)
    given = replace(add_targets(network), examples={})
    _, hit = reached("hopskipjump", {"budget": 100}, "l2", 4.0, given, network, targeted=True)
    assert not hit.any()


def test_an_attack_without_targets_says_so():
    with pytest.raises(UserError, match="deepfool takes no target"):
        find_attack("deepfool")(Kinked(seed=4), targeted=True)


@settings(deadline=None, max_examples=40)
@given(
    scores=arrays(np.float32, (2, 5, 4), elements=st.integers(-8, 8).map(float)),
    y=arrays(np.int64, 5, elements=st.integers(0, 3)),
    targeted=st.booleans(),
)
def test_a_goal_means_the_same_in_graphs_and_of_arrays(scores, y, targeted):
    goal = Goal(targeted)
    first, second = scores
    np.testing.assert_array_equal(goal.met(first, y), goal.reached(first, y).numpy())
    np.testing.assert_array_equal(goal.heights(first, y), goal.margin(first, y).numpy())
    assert not (goal.met(first, y) & (goal.heights(first, y) < 0)).any()
    assert goal.met(first, y)[goal.heights(first, y) > 0].all()
    worse = goal.more_harmful(first, second, y)
    assert not (worse & goal.more_harmful(second, first, y)).any()
    assert worse[goal.met(first, y) & ~goal.met(second, y)].all()
