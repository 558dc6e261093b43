"""The steps that quantizers are made of, each with the gradient that stands in for its own."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


@tf.custom_gradient  # type: ignore[untyped-decorator]
def round_ste(x: tf.Tensor) -> tuple[tf.Tensor, Any]:
    """Nearest integers, ties away from zero as in TFLite's kernels; the gradient is the identity.

    Bengio, Leonard and Courville, "Estimating or Propagating Gradients Through Stochastic Neurons for
    Conditional Computation", 2013, section 3: the straight-through estimator.
    """
    return tf.sign(x) * tf.floor(tf.abs(x) + 0.5), lambda upstream: upstream


@tf.custom_gradient  # type: ignore[untyped-decorator]
def round_early_ste(x: tf.Tensor, slack: tf.Tensor) -> tuple[tf.Tensor, Any]:
    """Nearest integers, away from zero from one half less `slack` on; the gradient is the identity.

    TFLite's kernels round twice, to 2^-r of a code and then to a code: what lies up to 2^-(r+1) below the
    middle between two codes is rounded up to it first, and then away from zero.
    """
    whole = tf.sign(x) * tf.floor(tf.abs(x) + 0.5 + slack)
    return whole, lambda upstream: (upstream, None)


def snap_ste(x: tf.Tensor, low: int, high: int) -> tf.Tensor:
    """Nearest integers, no less than low and no more than high; the gradient is the identity everywhere."""
    return _snap(x, tf.constant(low, x.dtype), tf.constant(high, x.dtype))


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _snap(x: tf.Tensor, low: tf.Tensor, high: tf.Tensor) -> tuple[tf.Tensor, Any]:
    return tf.clip_by_value(round_ste(x), low, high), lambda upstream: (upstream, None, None)


@tf.custom_gradient  # type: ignore[untyped-decorator]
def sign(x: tf.Tensor) -> tuple[tf.Tensor, Any]:
    """+1 for x >= 0, else -1; the gradient is the identity where |x| <= 1, and zero elsewhere.

    Hubara et al., "Binarized Neural Networks", NeurIPS 2016, eq. 1 and 4.
    """
    inside = tf.cast(tf.abs(x) <= 1, x.dtype)
    return _sign(x), lambda upstream: upstream * inside


@tf.custom_gradient  # type: ignore[untyped-decorator]
def unmasked_sign(x: tf.Tensor) -> tuple[tf.Tensor, Any]:
    """+1 for x >= 0, else -1; the gradient is the identity everywhere."""
    return _sign(x), lambda upstream: upstream


def scaled_gradient(x: tf.Tensor, factor: float) -> tf.Tensor:
    """The argument itself, its gradient multiplied (Esser et al., ICLR 2020, section 2.2)."""
    return _scale(x, tf.constant(factor, x.dtype))


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _scale(x: tf.Tensor, factor: tf.Tensor) -> tuple[tf.Tensor, Any]:
    return tf.identity(x), lambda upstream: (upstream * factor, None)


def _sign(x: tf.Tensor) -> tf.Tensor:
    return tf.where(x >= 0, tf.ones_like(x), -tf.ones_like(x))
