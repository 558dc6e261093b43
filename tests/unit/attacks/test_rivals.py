"""Strength against Foolbox on a real network: MLPerf Tiny's ResNet-8 and CIFAR-10-JPEG."""

import numpy as np
import pytest
import tensorflow as tf

from qbench.attacks import find_attack
from qbench.quant import size

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

COUNT = 64


@pytest.fixture(scope="module")
def some(victims):
    return victims.rows(0, COUNT)


@pytest.mark.parametrize("eps", [0.5 / 255, 1 / 255])
@pytest.mark.parametrize(
    ("name", "norm", "rival", "steps"),
    [
        ("fgsm", "linf", "LinfFastGradientAttack", None),
        ("bim", "linf", "LinfBasicIterativeAttack", 10),
        ("pgd", "linf", "LinfPGD", 40),
        ("pgd", "l2", "L2PGD", 20),
    ],
)
def test_no_weaker_than_foolbox(resnet8, some, name, norm, rival, steps, eps):
    foolbox = pytest.importorskip("foolbox", reason="the extra 'rivals' is not installed")
    radius = eps if norm == "linf" else 20 * eps
    ours = {} if steps is None else {"steps": steps, "step_size": radius / 5}
    theirs = {} if steps is None else {"steps": steps, "abs_stepsize": radius / 5}

    ((found,),) = find_attack(name)(resnet8, norm=norm, batch=COUNT, **ours).perturb(some, [radius])
    robust = np.sum(found.logits.argmax(axis=1) == some.y)

    tf.random.set_seed(0)
    model = foolbox.TensorFlowModel(tf.function(resnet8.logits), bounds=(0, 1))
    attack = getattr(foolbox.attacks, rival)(**theirs)
    _, _, success = attack(model, tf.constant(some.x), tf.constant(some.y), epsilons=radius)
    assert robust <= np.sum(~success.numpy()) + 1  # which may lie within float rounding of the boundary


def test_the_batch_size_changes_at_most_float_rounding(resnet8, some):
    def perturbed(batch):
        attack = find_attack("pgd")(resnet8, steps=5, batch=batch)
        return np.concatenate([found.x for (found,) in attack.perturb(some, [0.5 / 255])])

    same = (perturbed(64) == perturbed(25)).reshape(COUNT, -1).all(axis=1)
    assert same.mean() > 0.97


@pytest.mark.parametrize(
    ("name", "norm", "rival", "told"),
    [
        ("deepfool", "l2", "L2DeepFoolAttack", {}),
        ("deepfool", "linf", "LinfDeepFoolAttack", {}),
        ("cw", "l2", "L2CarliniWagnerAttack", {"binary_search_steps": 3, "steps": 100}),
    ],
)
def test_perturbations_no_larger_than_foolboxs(resnet8, victims, name, norm, rival, told):
    foolbox = pytest.importorskip("foolbox", reason="the extra 'rivals' is not installed")
    few = victims.rows(0, 32)
    ours = find_attack(name)(resnet8, norm=norm, batch=len(few), **told).nearest(few)
    assert np.all(ours.logits.argmax(axis=1) != few.y)

    model = foolbox.TensorFlowModel(tf.function(resnet8.logits), bounds=(0, 1))
    attack = getattr(foolbox.attacks, rival)(**told)
    theirs, _, success = attack(model, tf.constant(few.x), tf.constant(few.y), epsilons=None)
    assert np.all(success.numpy())
    assert size(ours.x - few.x, norm).mean() <= size(theirs.numpy() - few.x, norm).mean() * 1.001


def test_cw_and_fab_end_no_farther_than_deepfool(resnet8, victims):
    few = victims.rows(0, 24)

    def distance(name, **told):
        found = find_attack(name)(resnet8, norm="l2", batch=len(few), **told).nearest(few)
        assert np.all(found.logits.argmax(axis=1) != few.y)
        return size(found.x - few.x, "l2").mean()

    farthest = distance("deepfool")
    assert distance("cw") <= farthest
    assert distance("fab-t", steps=10, targets=3) <= farthest
