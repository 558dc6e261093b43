"""Auto-PGD and MIM against closed forms, against their algorithms written down plainly, and on ResNet-8."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from qbench.artifacts import Preprocessing
from qbench.attacks import Victims, find_attack
from qbench.attacks.apgd import checkpoints
from qbench.attacks.losses import dlr, soft_margin
from qbench.attacks.norms import random_points
from qbench.data import IMAGE, load_dataset
from qbench.errors import UserError
from qbench.quant import size
from qbench.surrogate.keras import KerasSurrogate

from .networks import Affine, perturbed

LOSSES = {"apgd-ce": soft_margin, "apgd-dlr": dlr}


class Smooth(Affine):
    """A small network that curves; five classes."""

    def logits(self, x):
        return tf.sin(3 * super().logits(x)) @ tf.transpose(self.weights)[:, :5]


def smooth():
    return Smooth(np.random.default_rng(3).normal(size=(6, 12)), domain=IMAGE)


def victims(network, n=20, low=0.0):
    x = np.random.default_rng(0).uniform(low, 1, (n, 2, 3, 1)).astype(np.float32)
    return Victims(x, network.logits(x).numpy().argmax(axis=1), np.arange(n) + 100)


def loss_and_gradient(network, loss, x, y):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = loss(network.logits(x), y)
    return value.numpy(), tape.gradient(value, x).numpy()


@pytest.mark.parametrize(
    ("steps", "at"),
    [(100, [0, 22, 41, 57, 70, 80, 87, 93, 99]), (20, [0, 5, 9, 12, 14, 16, 18, 19]), (1, [0])],
)
def test_checkpoints_are_those_of_the_paper(steps, at):
    since = checkpoints(steps)
    assert np.flatnonzero(since >= 0).tolist() == at
    assert since[at].tolist() == [0, *np.diff(at)]


def plain_apgd(network, loss, sample, eps, steps):
    """Algorithm 1 for one sample in Linf, word by word: the highest loss, and all step sizes."""
    w = [0.0, 0.22]
    while w[-1] < 1:
        w.append(w[-1] + max(w[-1] - w[-2] - 0.03, 0.06))
    w = sorted({int(np.ceil(round(p * steps, 6))) for p in w})

    def f(x):
        value, gradient = loss_and_gradient(network, loss, x, sample.y)
        return value[0], np.sign(gradient)

    def p(x):
        return np.clip(np.clip(x, sample.x - eps, sample.x + eps), 0, 1).astype(np.float32)

    x0 = p(sample.x + random_points(sample.x.shape[1:], eps, "linf", [(0, int(sample.indices[0]), 0)]))
    eta = [2 * eps]
    values, xs = [f(x0)[0]], [x0]
    xs.append(p(x0 + eta[0] * f(x0)[1]))
    values.append(f(xs[1])[0])
    peaks, peak_x, eta = [values[0], max(values)], xs[int(values[1] > values[0])], eta * 2
    for k in range(1, steps):
        if k in w:
            before = w[w.index(k) - 1]
            rises = sum(values[i + 1] > values[i] for i in range(before, k))
            at_rest = eta[before] == eta[k] and peaks[before] == peaks[k]
            if rises < 0.75 * (k - before) or at_rest:
                eta[k] /= 2
                xs[k], values[k] = peak_x, peaks[k]
        z = p(xs[k] + eta[k] * f(xs[k])[1])
        xs.append(p(xs[k] + 0.75 * (z - xs[k]) + 0.25 * (xs[k] - xs[k - 1])))
        values.append(f(xs[-1])[0])
        if values[-1] > peaks[-1]:
            peak_x = xs[-1]
        peaks.append(max(peaks[-1], values[-1]))
        eta.append(eta[k])
    return peaks[-1], eta


# The DLR is flat, and the sign of its gradient noise, where the true class comes third: in a wide ball.
@pytest.mark.parametrize(("name", "eps"), [("apgd-ce", 0.3), ("apgd-dlr", 0.02)])
def test_the_compiled_loop_is_algorithm_1(name, eps):
    network = smooth()
    given = victims(network, 8)
    found = perturbed(find_attack(name)(network, batch=8, steps=30), given, eps)
    highest = LOSSES[name](network.logits(found), given.y).numpy()
    plain = [plain_apgd(network, LOSSES[name], given.rows(i, i + 1), eps, 30) for i in range(8)]
    assert np.allclose(highest, [peak for peak, _ in plain], rtol=1e-3, atol=1e-4)
    assert all(steps[-1] < steps[0] for _, steps in plain)  # or the checkpoints were not tried


def test_mim_is_algorithm_1_of_its_paper():
    network = smooth()
    given = victims(network, 8)
    found = perturbed(find_attack("mim")(network, batch=8, steps=6, decay=0.5), given, 0.1)
    x, momentum, seen = given.x, np.zeros_like(given.x), []
    for _ in range(6):
        _, gradient = loss_and_gradient(network, soft_margin, x, given.y)
        momentum = 0.5 * momentum + gradient / np.abs(gradient).sum(axis=(1, 2, 3), keepdims=True)
        x = np.clip(x + 0.1 / 6 * np.sign(momentum), given.x - 0.1, given.x + 0.1)
        x = np.clip(x, 0, 1).astype(np.float32)
        seen.append(x)
    distance = [np.abs(found - each).reshape(8, -1).max(axis=1) for each in seen]
    assert np.min(distance, axis=0).max() < 1e-6


def test_linf_on_a_linear_network_ends_in_the_corner_of_the_ball():
    weights = np.random.default_rng(1).normal(size=(6, 2))
    rise = (weights[:, 1] - weights[:, 0]).reshape(2, 3, 1)
    given = victims(Affine(weights), 5, low=-1.0)
    found = perturbed(find_attack("apgd-ce")(Affine(weights), batch=8), given, 0.5)
    towards = np.where(given.y == 0, 1, -1).reshape(-1, 1, 1, 1) * np.sign(rise)
    assert np.allclose(found, given.x + 0.5 * towards, atol=1e-5)


def test_l2_on_a_linear_network_ends_on_the_rim_along_the_gradient():
    weights = np.random.default_rng(1).normal(size=(6, 2))
    rise = (weights[:, 1] - weights[:, 0]).astype(np.float32).reshape(2, 3, 1)
    network = Affine(weights)
    given = victims(network, 5, low=-1.0)
    found = perturbed(find_attack("apgd-ce")(network, norm="l2", batch=8), given, 0.5)
    towards = np.where(given.y == 0, 1, -1).reshape(-1, 1, 1, 1) * rise / np.linalg.norm(rise)
    assert np.allclose(found, given.x + 0.5 * towards, atol=1e-3)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("name", ["apgd-ce", "apgd-dlr", "apgd-t"])
def test_results_stay_inside_whatever_the_batch(name, norm):
    network = smooth()
    given = victims(network, 23)
    whole = perturbed(find_attack(name)(network, norm=norm, batch=23, steps=8, restarts=2), given, 0.02)
    parts = perturbed(find_attack(name)(network, norm=norm, batch=5, steps=8, restarts=2), given, 0.02)
    assert size(whole - given.x, norm).max() <= 0.02 * (1 + 1e-5) + 1e-6
    assert whole.min() >= 0
    assert whole.max() <= 1
    assert np.allclose(whole, parts, atol=1e-4)


def robust(name, network, given, eps, **told):
    found = find_attack(name)(network, batch=len(given), **told).perturb(given, [eps])
    return np.concatenate([each.logits.argmax(axis=1) for (each,) in found]) == given.y


def test_every_target_adds_to_those_before():
    network = smooth()
    given = victims(network, 200)
    left = [robust("apgd-t", network, given, 0.02, steps=5, targets=n) for n in (1, 2, 4, 9)]
    assert np.all(left[0] >= left[1])
    assert np.all(left[1] >= left[2])
    assert left[0].sum() > left[2].sum()
    assert np.array_equal(left[2], left[3])  # five classes have four wrong ones


def test_a_second_target_spends_no_step_on_what_is_fooled():
    network = smooth()
    given = victims(network, 200)
    attack = find_attack("apgd-t")(network, batch=200, steps=5)
    sizes = []
    search = attack.search
    attack.search = lambda part, eps, restart: (sizes.append(len(part)), search(part, eps, restart))[1]
    list(attack.perturb(given, [0.02]))
    assert sizes[0] == 200
    assert all(size in (32, 64, 128) for size in sizes[1:])
    assert attack._compiled_climb.experimental_get_tracing_count() <= 2


@pytest.mark.parametrize(("name", "classes"), [("apgd-dlr", 2), ("apgd-t", 3)])
def test_too_few_classes_for_the_loss(name, classes):
    network = Affine(np.ones((6, classes)))
    with pytest.raises(UserError, match=f"needs {classes + 1} classes or more; this network has {classes}"):
        perturbed(find_attack(name)(network, batch=5), victims(network, 5), 0.1)


@pytest.mark.parametrize("name", ["apgd-ce", "apgd-dlr", "apgd-t"])
def test_a_network_that_gives_nan_is_named(name):
    network = Affine(np.full((6, 4), np.nan))
    with pytest.raises(UserError, match="linear network gives NaN or infinity for 5 of 5 inputs"):
        perturbed(find_attack(name)(network, batch=5, steps=2), victims(network, 5), 0.1)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what ART's imports and Keras calls warn of
def test_on_resnet8_no_weaker_than_pgd_and_art(data_root):
    evasion = pytest.importorskip("art.attacks.evasion", reason="the extra 'rivals' is not installed")
    from art.estimators.classification import TensorFlowV2Classifier

    file = data_root / "mlperf-tiny" / "ic-resnet8" / "float.h5"
    network = KerasSurrogate.load(file, Preprocessing(scale=255.0), IMAGE)
    data = load_dataset(str(data_root / "cifar10-jpeg-test.zip"))
    rows = np.random.default_rng(0).permutation(len(data.test))[:64]
    given = Victims(data.inputs(data.test.x[rows]), data.test.y[rows], rows)
    rival = TensorFlowV2Classifier(
        lambda x, training: network.logits(x),  # noqa: ARG005
        nb_classes=10,
        input_shape=given.x.shape[1:],
        loss_object=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        clip_values=(0, 1),
    )
    budgets = [0.5 / 255, 1 / 255]

    def shares(name, **told):
        (results,) = find_attack(name)(network, batch=64, **told).perturb(given, budgets)
        return [np.mean(found.logits.argmax(axis=1) == given.y) for found in results]

    pgd, ce, targeted = shares("pgd"), shares("apgd-ce", steps=20), shares("apgd-t", steps=20, targets=2)
    for i, eps in enumerate(budgets):
        theirs = evasion.AutoProjectedGradientDescent(
            rival,
            eps=eps,
            eps_step=2 * eps,
            max_iter=10,
            nb_random_init=1,
            batch_size=64,
            loss_type="cross_entropy",
            verbose=False,
        ).generate(given.x, given.y)
        art = np.mean(network.logits(theirs).numpy().argmax(axis=1) == given.y)
        assert max(ce[i], targeted[i]) <= min(art, pgd[i]) + 0.005
