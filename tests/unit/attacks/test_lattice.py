"""The attack on the input grid."""

from itertools import product

import numpy as np
import pytest
import tensorflow as tf

from qbench.artifacts import Domain
from qbench.attacks import Victims, find_attack
from qbench.data import IMAGE
from qbench.errors import UserError

CODES = Domain(name="int8-features", low=-128.0, high=127.0, step=1.0)


class Bilinear:
    """Two classes; the margin has a product of two elements in it, so that single moves are no help."""

    name = "bilinear"

    def __init__(self, domain):
        self.domain = domain

    def logits(self, x):
        x = tf.reshape(x, [-1, 3])
        rise = x[:, 0] * x[:, 1] + 0.3 * x[:, 2]
        return tf.stack([-rise, rise], axis=1)


def margins(network, x, y):
    scores = network.logits(tf.constant(x, tf.float32)).numpy()
    return np.where(y == 0, 1, -1) * (scores[:, 1] - scores[:, 0])


@pytest.mark.parametrize("reach", [1, 2])
def test_it_finds_the_best_grid_point_of_a_small_ball(reach):
    network = Bilinear(CODES)
    rng = np.random.default_rng(0)
    x = rng.integers(-4, 5, (40, 3)).astype(np.float32)
    y = rng.integers(0, 2, 40)
    ((found,),) = find_attack("lattice")(network, steps=20, restarts=4).perturb(
        Victims(x, y, np.arange(40)), [float(reach)]
    )
    moves = np.array(list(product(range(-reach, reach + 1), repeat=3)))
    best = np.max([margins(network, x + move, y) for move in moves], axis=0)
    assert np.all(np.abs(found.x - x) <= reach)
    assert np.array_equal(found.x, np.rint(found.x))
    assert np.mean(margins(network, found.x, y) == best) > 0.9


def test_images_stay_on_the_pixel_grid_to_the_bit():
    network = Bilinear(IMAGE)
    pixels = np.arange(256, dtype=np.float32) / np.float32(255)
    x = pixels[np.random.default_rng(1).integers(0, 256, (30, 3))]
    given = Victims(x, np.zeros(30, np.int64), np.arange(30))
    ((found,),) = find_attack("lattice")(network, batch=8 * 4).perturb(given, [3 / 255])
    levels = found.x.astype(np.float64) * 255
    assert np.allclose(levels, np.rint(levels), atol=1e-4)
    assert np.abs(np.rint(levels) - np.rint(x * 255.0)).max() == 3


def test_less_than_a_level_moves_nothing():
    x = np.full((2, 3), 0.5, np.float32)
    ((found,),) = find_attack("lattice")(Bilinear(IMAGE)).perturb(
        Victims(x, np.zeros(2, np.int64), np.arange(2)), [0.9 / 255]
    )
    assert np.array_equal(found.x, x)


def test_continuous_inputs_are_refused():
    wide = Domain(name="features", low=-1.0, high=1.0, step=None)
    given = Victims(np.zeros((1, 3), np.float32), np.zeros(1, np.int64), np.arange(1))
    with pytest.raises(UserError, match="features are continuous"):
        next(find_attack("lattice")(Bilinear(wide)).perturb(given, [0.1]))


@pytest.mark.slow
@pytest.mark.parametrize("levels", [1, 2, 3])
def test_it_leaves_no_more_than_a_float_attack_that_is_rounded(resnet8, victims, levels):
    few = victims.rows(0, 64)

    def robust(name):
        attack = find_attack(name)(resnet8, steps=20, grid="uint8", batch=len(few))
        ((found,),) = attack.perturb(few, [levels / 255])
        return np.mean(found.logits.argmax(axis=1) == few.y)

    assert robust("lattice") <= min(robust("bim"), robust("pgd"))
