"""The geometry of an attack by norm: the steepest step, the ball, a random point in it, the input grid."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import Domain
from qbench.quant import Norm, project_codes, round_half_away

if TYPE_CHECKING:
    import tensorflow as tf

# Keeps a zero gradient from becoming NaN; far below any gradient that moves an input.
_TINY = 1e-12


def steepest_step(gradient: tf.Tensor, norm: Norm) -> tf.Tensor:
    """The direction of unit length along which a linear loss rises fastest, sample by sample.

    Linf: the sign of the gradient; L2: the gradient over its length. Zero where the gradient is zero.
    """
    import tensorflow as tf

    if norm == "linf":
        return tf.sign(gradient)
    return gradient / tf.maximum(_lengths(gradient), _TINY)


def project(delta: tf.Tensor, eps: tf.Tensor, norm: Norm) -> tf.Tensor:
    """The nearest perturbation inside the ball of radius eps, sample by sample."""
    import tensorflow as tf

    if norm == "linf":
        return tf.clip_by_value(delta, -eps, eps)
    return delta * tf.minimum(1.0, eps / tf.maximum(_lengths(delta), _TINY))


def shrunk(delta: NDArray[np.float32], eps: float, norm: Norm) -> NDArray[np.float32]:
    """The same as `project`, for arrays [n, *shape] in and out."""
    import tensorflow as tf

    nearest: NDArray[np.float32] = project(tf.constant(delta), tf.constant(eps, tf.float32), norm).numpy()
    return nearest


def _lengths(x: tf.Tensor) -> tf.Tensor:
    """L2 norm of every sample, shaped to broadcast against x."""
    import tensorflow as tf

    axes = list(range(1, x.shape.rank))
    return tf.sqrt(tf.reduce_sum(tf.square(x), axis=axes, keepdims=True))


def random_points(
    shape: tuple[int, ...], eps: float, norm: Norm, keys: Iterable[tuple[int, int, int]]
) -> NDArray[np.float32]:
    """Uniform points in the ball, one a key (seed, input, restart), whatever batch they are drawn in.

    L2: a Gaussian direction and a radius eps * u^(1/d) (Muller, 1959).

    Returns:
        [len(keys), *shape] float32.
    """
    points = []
    for key in keys:
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))
        if norm == "linf":
            points.append(rng.uniform(-eps, eps, shape))
        else:
            direction = rng.normal(size=shape)
            radius = eps * rng.uniform() ** (1 / direction.size)
            points.append(direction * (radius / max(float(np.linalg.norm(direction)), _TINY)))
    return np.asarray(points, np.float32)


def size(delta: NDArray[np.floating[Any]], norm: Norm) -> NDArray[np.float64]:
    """The norm of every perturbation of [n, *shape]: [n] float64."""
    flat = delta.reshape(len(delta), -1).astype(np.float64)
    return np.asarray(np.linalg.norm(flat, np.inf if norm == "linf" else 2, axis=1))


def snap_to_grid(
    x_adv: NDArray[np.float32], x: NDArray[np.float32], domain: Domain, eps: float, norm: Norm
) -> NDArray[np.float32]:
    """Put adversarial inputs [n, *shape] on the domain's grid, without leaving the eps-ball.

    Clean inputs are taken to be on the grid, as pixels are; an element that does not move keeps its bits.
    """
    if domain.step is None:
        raise ValueError(f"domain {domain.name} has no grid")
    levels, clean = (round_half_away((v - domain.low) / domain.step).astype(np.int32) for v in (x_adv, x))
    inside = project_codes(levels, clean, eps_in_codes=eps / domain.step, norm=norm)
    moved = np.clip(domain.low + inside * domain.step, domain.low, domain.high).astype(np.float32)
    return np.where(inside == clean, x, moved)
