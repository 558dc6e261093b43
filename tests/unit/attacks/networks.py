"""Small networks whose answer is known, as surrogates and as oracles, and what attacks find on them."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from qbench.artifacts import Domain
from qbench.data import IMAGE

WIDE = Domain(name="features", low=-100.0, high=100.0, step=None)


class Kinked:
    """Two layers with random weights; three classes."""

    name = "kinked"

    def __init__(self, domain=IMAGE, elements=48, seed=3):
        self.domain = domain
        rng = np.random.default_rng(seed)
        self.first = tf.constant(rng.normal(size=(elements, 24)) / 7, tf.float32)
        self.last = tf.constant(rng.normal(size=(24, 3)), tf.float32)

    def logits(self, x):
        flat = tf.reshape(x, [tf.shape(x)[0], -1])
        return tf.nn.relu((flat - 0.5) @ self.first) @ self.last


class Affine:
    """Logits x W + b, for W [elements, classes]."""

    name = "linear"

    def __init__(self, weights, bias=0.0, domain=WIDE):
        self.domain = domain
        self.weights, self.bias = (tf.constant(each, tf.float32) for each in (weights, bias))

    def logits(self, x):
        return tf.reshape(x, [tf.shape(x)[0], -1]) @ self.weights + self.bias


class Linear(Affine):
    """Two classes, logits (-w x - b, w x + b)."""

    def __init__(self, weights, bias=0.0, domain=WIDE):
        super().__init__(np.stack([np.negative(weights), weights], axis=1), [-bias, bias], domain)


class Counting:
    """An oracle that counts for itself, and can fail, answer with probabilities or round its inputs."""

    name = "counting"

    def __init__(self, network, step=None, fail_after=None, softmax=False):
        self.network, self.step, self.fail_after, self.softmax = network, step, fail_after, softmax
        self.asked = []

    def as_replayed(self, x_adv, x, eps, norm):
        """Rounded as in `__call__`; the ball is left to itself."""
        del x, eps, norm
        return (np.rint(x_adv / self.step) * self.step).astype(np.float32) if self.step else x_adv

    def __call__(self, x):
        self.asked += [row.tobytes() for row in x]
        if self.fail_after is not None and len(self.asked) > self.fail_after:
            raise RuntimeError("unplugged")
        scores = self.network.logits(tf.constant(self.as_replayed(x, x, 0.0, "linf")))
        return (tf.nn.softmax(scores) if self.softmax else scores).numpy()


def perturbed(attack, given, eps):
    """The adversarial inputs at one budget, of all batches."""
    return np.concatenate([found.x for (found,) in attack.perturb(given, [eps])])
