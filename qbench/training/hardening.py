"""Training against adversarial inputs: on the inputs of a PGD, and with a penalty on the Jacobian."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from qbench.artifacts import Domain, Hardening, Preprocessing


class HardenedNetwork(keras.Model):  # type: ignore[misc]
    """A view of a network whose training step hardens it; the network itself holds all weights.

    Args:
        network: gives logits.
        hardening: what to do.
        domain: bounds the adversarial inputs, and states what eps means.
        preprocessing: from the domain to the network's unit.
        seed: of random starts and projections.
    """

    def __init__(
        self,
        network: keras.Model,
        hardening: Hardening,
        domain: Domain,
        preprocessing: Preprocessing,
        seed: int,
    ) -> None:
        super().__init__(name=network.name)
        self.network, self.hardening, self.seed = network, hardening, seed
        scale = abs(preprocessing.scale)
        self.unit, self.eps = scale, hardening.eps * scale
        ends = (preprocessing.scale * each + preprocessing.offset for each in (domain.low, domain.high))
        self.lowest, self.highest = sorted(ends)

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """The network's logits."""
        return self.network(x, training=training)

    def train_step(self, data: tuple[tf.Tensor, tf.Tensor]) -> dict[str, Any]:
        """One step of the optimizer on the hardened loss; compiled by Keras."""
        x, y = data
        x = self.seen(x, y)
        with tf.GradientTape() as tape:
            logits, penalty = self._logits_and_penalty(x)
            loss = self.compute_loss(x=x, y=y, y_pred=logits) + penalty
        variables = self.network.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return dict(self.compute_metrics(x, y, logits))

    def seen(self, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """What the network is trained on in place of a batch."""
        return self.adversarial(x, y) if self.hardening.attack == "pgd" else x

    def adversarial(self, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """PGD from a random start, Linf, its step 2.5 eps / steps; x [n, *shape] in the network's unit.

        Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks", ICLR 2018, section 2.1.
        The network is attacked as it is at inference (Pang et al., "Bag of Tricks for Adversarial Training",
        ICLR 2021, section 3.6), so that no statistics are gathered from half-made inputs.
        """
        step = 2.5 * self.eps / self.hardening.steps

        def confined(moved: tf.Tensor) -> tf.Tensor:
            ball = tf.clip_by_value(moved, x - self.eps, x + self.eps)
            return tf.clip_by_value(ball, self.lowest, self.highest)

        def climb(i: tf.Tensor, x_adv: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(x_adv)
                logits = self.network(x_adv, training=False)
                loss = tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)
            return i + 1, confined(x_adv + step * tf.sign(tape.gradient(loss, x_adv)))

        start = tf.random.stateless_uniform(tf.shape(x), self._draw(0), -self.eps, self.eps)
        first = (tf.constant(0), confined(x + start))
        _, x_adv = tf.while_loop(lambda i, _: i < self.hardening.steps, climb, first, parallel_iterations=1)
        return tf.stop_gradient(x_adv)

    def _logits_and_penalty(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Logits in training, and half the weighted squared norm of their Jacobian in the domain's unit.

        Estimated on one random projection: Hoffman, Roberts and Yaida, "Robust Learning with Jacobian
        Regularization", 2019, eq. 6 and algorithm 1.
        """
        if not self.hardening.jacobian:
            return self(x, training=True), tf.constant(0.0)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            logits = self(x, training=True)
            drawn = tf.random.stateless_normal(tf.shape(logits), self._draw(1))
            projected = tf.reduce_sum(logits * tf.math.l2_normalize(drawn, axis=1))
        row = tape.gradient(projected, x) * self.unit
        classes = tf.cast(tf.shape(logits)[1], tf.float32)
        squared = tf.reduce_sum(row**2) / tf.cast(tf.shape(x)[0], tf.float32)
        return logits, 0.5 * self.hardening.jacobian * classes * squared

    def _draw(self, purpose: int) -> tf.Tensor:
        """A seed of its own for every step and purpose."""
        step = tf.cast(self.optimizer.iterations, tf.int64)
        return tf.stack([tf.constant(self.seed, tf.int64), 2 * step + purpose])
