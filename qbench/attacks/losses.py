"""What an attack maximizes. A loss is per sample: logits [n, classes] to [n]."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf

# Keeps equal logits from dividing by zero; far below any difference of logits that counts.
_TINY = 1e-12


def soft_margin(logits: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """The log of the wrong classes' odds: [n] float32, for logits [n, classes] and labels [n].

    The cross-entropy is log(1 + exp(this)), so both rise together and their gradients point the same way. But
    where float32 holds the true class's probability to be 1, the cross-entropy and its gradient are zero;
    this one turns into the margin there.
    """
    import tensorflow as tf

    return tf.reduce_logsumexp(_wrong_only(logits, y), axis=1) - of_class(logits, y)


def margin(logits: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """The best wrong logit minus the true class's: [n] float32, positive where misclassified.

    Carlini and Wagner, "Towards Evaluating the Robustness of Neural Networks", S&P 2017, f6 of section IV-A,
    without its lower bound.
    """
    import tensorflow as tf

    return tf.reduce_max(_wrong_only(logits, y), axis=1) - of_class(logits, y)


def dlr(logits: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Difference of logits ratio: [n] float32, positive where misclassified; shift and scale do not count.

    Croce and Hein, "Reliable Evaluation of Adversarial Robustness with an Ensemble of Diverse Parameter-free
    Attacks", ICML 2020, eq. 6. Needs three classes.
    """
    import tensorflow as tf

    largest = tf.math.top_k(logits, 3).values
    return margin(logits, y) / (largest[:, 0] - largest[:, 2] + _TINY)


def targeted_dlr(logits: tf.Tensor, y: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """The DLR towards the classes `target` [n]: [n] float32. Croce and Hein, 2020, eq. 7; four classes."""
    import tensorflow as tf

    largest = tf.math.top_k(logits, 4).values
    spread = largest[:, 0] - (largest[:, 2] + largest[:, 3]) / 2
    return (of_class(logits, target) - of_class(logits, y)) / (spread + _TINY)


def top_rivals(logits: tf.Tensor, y: tf.Tensor, count: int) -> tf.Tensor:
    """The wrong classes with the best logits, best first: [n, count] int32, or all where there are fewer."""
    import tensorflow as tf

    return tf.math.top_k(_wrong_only(logits, y), min(count, logits.shape[-1] - 1)).indices


def finite_only(gradient: tf.Tensor) -> tf.Tensor:
    """A gradient with zero where an element is NaN or infinite: one such element would spoil all others."""
    import tensorflow as tf

    return tf.where(tf.math.is_finite(gradient), gradient, tf.zeros_like(gradient))


def _wrong_only(logits: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    import tensorflow as tf

    return tf.where(tf.one_hot(y, logits.shape[-1], on_value=True, off_value=False), -np.inf, logits)


def of_class(logits: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """The logits [n] of one class a sample."""
    import tensorflow as tf

    return tf.gather(logits, y, axis=1, batch_dims=1)
