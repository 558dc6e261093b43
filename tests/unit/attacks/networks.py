"""Small networks whose answer is known, as surrogates and as oracles."""

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


class Linear:
    """Two classes, logits (-w x - b, w x + b)."""

    name = "linear"

    def __init__(self, weights, bias=0.0, domain=WIDE):
        self.domain, self.weights, self.bias = domain, np.asarray(weights, np.float32), bias

    def logits(self, x):
        rise = tf.reshape(x, [tf.shape(x)[0], -1]) @ self.weights.reshape(-1, 1) + self.bias
        return tf.concat([-rise, rise], axis=1)


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
