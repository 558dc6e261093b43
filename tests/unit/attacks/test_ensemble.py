"""Ensembles: worst case over their members."""

import numpy as np
import pytest
import tensorflow as tf

from qbench.attacks import Victims, find_attack
from qbench.quant import size

from .networks import Counting, Kinked


class Wider(Kinked):
    """Five classes, for targeted attacks need four."""

    name = "wider"

    def __init__(self, **options):
        super().__init__(**options)
        self.last = tf.constant(np.random.default_rng(9).normal(size=(24, 5)), tf.float32)


def victims(network, n=40):
    x = np.random.default_rng(0).integers(0, 256, (n, 4, 4, 3)).astype(np.float32) / np.float32(255)
    return Victims(x, network.logits(x).numpy().argmax(axis=1), np.arange(n))


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_no_member_breaks_what_the_ensemble_left(norm):
    network = Wider()
    given = victims(network)
    eps = 0.05 if norm == "linf" else 0.3
    ((whole,),) = find_attack("autoattack")(network, norm=norm, steps=20, budget=200).perturb(given, [eps])
    stands = whole.logits.argmax(axis=1) == given.y
    assert 0 < stands.mean() < 1
    assert size(whole.x - given.x, norm).max() <= eps + 1e-6
    assert np.allclose(whole.logits, network.logits(whole.x), atol=1e-5)
    for name in ("apgd-ce", "apgd-t", "fab-t"):
        ((alone,),) = find_attack(name)(network, norm=norm, steps=20, batch=40).perturb(given, [eps])
        assert np.all(stands <= (alone.logits.argmax(axis=1) == given.y)), name


def test_the_integer_ensemble_is_judged_by_the_network_under_attack():
    network = Wider()
    oracle = Counting(network, step=1 / 255, softmax=True)
    given = victims(network)
    attack = find_attack("autoattack-int8")(network, oracle, grid="uint8", steps=20, budget=20)
    ((found,),) = attack.perturb(given, [10 / 255])
    assert np.allclose(found.logits, tf.nn.softmax(network.logits(found.x)), atol=1e-4)
    assert found.queries.sum() == len(oracle.asked)
    robust = found.logits.argmax(axis=1) == given.y
    ((square,),) = find_attack("square")(network, oracle, grid="uint8", budget=20).perturb(given, [10 / 255])
    assert robust.mean() < np.mean(square.logits.argmax(axis=1) == given.y)


def test_what_is_wrong_already_costs_one_query():
    network = Wider()
    given = victims(network, 6)
    wrong = Victims(given.x, (given.y + 1) % 5, given.indices)
    oracle = Counting(network)
    ((found,),) = find_attack("autoattack-int8")(network, oracle, steps=5).perturb(wrong, [0.1])
    assert np.array_equal(found.x, given.x)
    assert np.array_equal(found.queries, np.ones(6))
