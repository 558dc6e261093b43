"""Ensembles: worst case over their members."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from qbench.attacks import Victims, find_attack
from qbench.quant import size

from .networks import Affine, Counting, Kinked


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


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_integer_ensemble_finds_the_truth_that_enumeration_gives(seed):
    # Eight elements, one coarse level each way: 6,561 points a ball, each of which is looked at.
    network = Kinked(elements=8, seed=seed)
    network.last = tf.round(network.last * 2)  # few scores, many ties
    step = np.float32(1 / 16)
    oracle = Counting(network, step=step)
    x = (np.random.default_rng(seed).integers(3, 13, (40, 2, 2, 2)) * step).astype(np.float32)
    given = Victims(x, network.logits(x).numpy().argmax(axis=1), np.arange(len(x)))
    moves = np.array(list(itertools.product((-step, 0, step), repeat=8)), np.float32).reshape(-1, 2, 2, 2)
    truth = [np.all(network.logits(x[i] + moves).numpy().argmax(axis=1) == given.y[i]) for i in range(len(x))]
    assert 0 < np.mean(truth) < 1
    attack = find_attack("autoattack-int8")(network, oracle, steps=10, budget=1000, batch=40)
    ((found,),) = attack.perturb(given, [float(step)])
    assert np.array_equal(found.logits.argmax(axis=1) == given.y, truth)


def test_another_surrogate_breaks_what_the_first_one_leaves():
    # The first surrogate's gradient points the wrong way; one query a search finds nothing by itself.
    weights = np.random.default_rng(4).normal(size=(48, 3))
    network, misleading = Affine(weights, domain=Wider().domain), Affine(-weights, domain=Wider().domain)
    x = np.random.default_rng(0).uniform(0.2, 0.8, (20, 4, 4, 3)).astype(np.float32)
    given = Victims(x, network.logits(x).numpy().argmax(axis=1), np.arange(len(x)))
    kind = find_attack("autoattack-int8")
    left = []
    for others in ([], [network]):
        attack = kind(misleading, Counting(network), steps=5, budget=1, others=others)
        ((found,),) = attack.perturb(given, [0.1])
        left.append(np.sum(found.logits.argmax(axis=1) == given.y))
    assert left[1] < left[0]


@pytest.mark.parametrize(("norm", "eps"), [("l2", 0.3), ("l1", 1.5)])
def test_the_integer_ensemble_takes_other_norms(norm, eps):
    network = Wider()
    given = victims(network)
    attack = find_attack("autoattack-int8")(network, Counting(network), norm=norm, steps=20, budget=100)
    ((found,),) = attack.perturb(given, [eps])
    assert size(found.x - given.x, norm).max() <= eps * (1 + 1e-4)
    assert np.allclose(found.logits, network.logits(found.x), atol=1e-5)
    ((alone,),) = find_attack("pgd")(network, norm=norm, steps=20, batch=40).perturb(given, [eps])
    robust = found.logits.argmax(axis=1) == given.y
    assert robust.mean() <= np.mean(alone.logits.argmax(axis=1) == given.y)
