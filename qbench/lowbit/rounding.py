"""The steps that quantizers are made of, each with the gradient that stands in for its own."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


@tf.custom_gradient
def rounded(x: tf.Tensor) -> tuple[tf.Tensor, Any]:
    """Nearest integers, ties away from zero as in TFLite's kernels; the gradient is the identity.

    Bengio, Leonard and Courville, "Estimating or Propagating Gradients Through Stochastic Neurons for
    Conditional Computation", 2013, section 3: the straight-through estimator.
    """
    return tf.sign(x) * tf.floor(tf.abs(x) + 0.5), lambda upstream: upstream


@tf.custom_gradient
def sign(x: tf.Tensor) -> tuple[tf.Tensor, Any]:
    """+1 for x >= 0, else -1; the gradient is the identity where |x| <= 1, and zero elsewhere.

    Hubara et al., "Binarized Neural Networks", NeurIPS 2016, eq. 1 and 4.
    """
    inside = tf.cast(tf.abs(x) <= 1, x.dtype)
    return _sign(x), lambda upstream: upstream * inside


@tf.custom_gradient
def unmasked_sign(x: tf.Tensor) -> tuple[tf.Tensor, Any]:
    """+1 for x >= 0, else -1; the gradient is the identity everywhere."""
    return _sign(x), lambda upstream: upstream


def scaled_gradient(x: tf.Tensor, factor: float) -> tf.Tensor:
    """x itself, its gradient multiplied (Esser et al., "Learned Step Size Quantization", ICLR 2020, app. A)."""
    return _scaled(x, tf.constant(factor, x.dtype))


@tf.custom_gradient
def _scaled(x: tf.Tensor, factor: tf.Tensor) -> tuple[tf.Tensor, Any]:
    return tf.identity(x), lambda upstream: (upstream * factor, None)


def _sign(x: tf.Tensor) -> tf.Tensor:
    return tf.where(x >= 0, tf.ones_like(x), -tf.ones_like(x))
