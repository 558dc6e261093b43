"""The geometry of an attack by norm: the steepest step, the ball, a random point in it, the input grid."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import Domain
from qbench.quant import Norm, project_codes, round_half_away

if TYPE_CHECKING:
    import tensorflow as tf

# Keeps a zero gradient from becoming NaN; far below any gradient that moves an input.
_TINY = 1e-12

# Of the elements, in a step in L1: SLIDE's 99th percentile.
_MOVED_SHARE = 0.01


def steepest_step(gradient: tf.Tensor, norm: Norm) -> tf.Tensor:
    """The direction of unit length along which a linear loss rises fastest, sample by sample.

    Linf: the sign of the gradient; L2: the gradient over its length. Zero where the gradient is zero.
    L1: equal steps of the hundredth of the elements with the largest gradients, as in SLIDE (Tramer and
    Boneh, "Adversarial Training and Robustness for Multiple Perturbations", NeurIPS 2019, algorithm 1). The
    steepest step would move a single element, and a climb would take hundreds.
    """
    import tensorflow as tf

    if norm == "linf":
        return tf.sign(gradient)
    if norm == "l2":
        return gradient / tf.maximum(_lengths(gradient), _TINY)
    flat = tf.reshape(gradient, [tf.shape(gradient)[0], -1])
    moved = math.ceil(_MOVED_SHARE * math.prod(gradient.shape[1:]))
    smallest = tf.math.top_k(tf.abs(flat), moved).values[:, -1:]
    step = tf.where(tf.abs(flat) >= smallest, tf.sign(flat), 0.0)
    step /= tf.maximum(tf.reduce_sum(tf.abs(step), axis=1, keepdims=True), 1.0)
    return tf.reshape(step, tf.shape(gradient))


def unit_l1(gradient: tf.Tensor) -> tf.Tensor:
    """Gradients [n, *shape], each over its L1 length; zero where the gradient is zero."""
    import tensorflow as tf

    axes = list(range(1, gradient.shape.rank))
    return gradient / tf.maximum(tf.reduce_sum(tf.abs(gradient), axis=axes, keepdims=True), _TINY)


def project(delta: tf.Tensor, eps: tf.Tensor, norm: Norm) -> tf.Tensor:
    """The nearest perturbation inside the ball of radius eps, sample by sample."""
    import tensorflow as tf

    if norm == "linf":
        return tf.clip_by_value(delta, -eps, eps)
    if norm == "l2":
        return delta * tf.minimum(1.0, eps / tf.maximum(_lengths(delta), _TINY))
    return _project_l1(delta, eps)


def _project_l1(delta: tf.Tensor, eps: tf.Tensor) -> tf.Tensor:
    """Every element moved towards zero by one threshold a sample.

    Duchi et al., "Efficient Projections onto the l1-Ball for Learning in High Dimensions", ICML 2008, fig. 1.
    Their threshold is the largest of (sum of the k largest sizes - eps) / k over all k, or zero.
    """
    import tensorflow as tf

    flat = tf.reshape(delta, [tf.shape(delta)[0], -1])
    sizes = tf.abs(flat)
    counts = tf.range(1.0, tf.cast(tf.shape(flat)[1], flat.dtype) + 1.0)
    excess = tf.cumsum(tf.sort(sizes, axis=1, direction="DESCENDING"), axis=1) - eps
    threshold = tf.maximum(tf.reduce_max(excess / counts, axis=1, keepdims=True), 0.0)
    lowered = tf.maximum(sizes - threshold, 0.0)
    # The sum over thousands of float32 values is not exact; the rim is.
    lowered *= tf.minimum(1.0, eps / tf.maximum(tf.reduce_sum(lowered, axis=1, keepdims=True), _TINY))
    return tf.reshape(tf.sign(flat) * lowered, tf.shape(delta))


def confinement(x: tf.Tensor, eps: tf.Tensor, norm: Norm, domain: Domain) -> Callable[[tf.Tensor], tf.Tensor]:
    """A function from points [n, *shape] to the nearest of the ball around x, then moved into the domain."""
    import tensorflow as tf

    if norm == "linf":  # both are boxes: met once, outside of any loop
        low, high = tf.maximum(x - eps, domain.low), tf.minimum(x + eps, domain.high)
        return lambda point: tf.clip_by_value(point, low, high)
    return lambda point: tf.clip_by_value(x + project(point - x, eps, norm), domain.low, domain.high)


def shrink(delta: NDArray[np.float32], eps: float, norm: Norm) -> NDArray[np.float32]:
    """The same as `project`, for arrays [n, *shape] in and out."""
    import tensorflow as tf

    nearest: NDArray[np.float32] = project(tf.constant(delta), tf.constant(eps, tf.float32), norm).numpy()
    return nearest


def _lengths(x: tf.Tensor) -> tf.Tensor:
    """L2 norm of every sample, shaped to broadcast against x."""
    import tensorflow as tf

    axes = list(range(1, x.shape.rank))
    return tf.sqrt(tf.reduce_sum(tf.square(x), axis=axes, keepdims=True))


def lengths(delta: tf.Tensor, norm: Norm) -> tf.Tensor:
    """The norm of every perturbation of [n, *shape]: [n] float32. `size` is the same for arrays."""
    import tensorflow as tf

    flat = tf.reshape(delta, [tf.shape(delta)[0], -1])
    return tf.norm(flat, ord={"linf": np.inf, "l2": 2, "l1": 1}[norm], axis=1)


def random_points(
    shape: tuple[int, ...], eps: float, norm: Norm, keys: Iterable[tuple[int, int, int]]
) -> NDArray[np.float32]:
    """Uniform points in the ball, one a key (seed, input, restart), whatever batch they are drawn in.

    L2: a Gaussian direction and a radius eps * u^(1/d) (Muller, 1959). L1: d of d + 1 spacings with random
    signs, from exponential variates (Devroye, "Non-Uniform Random Variate Generation", 1986, section V.2).

    Returns:
        [len(keys), *shape] float32.
    """
    points = []
    for key in keys:
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))
        if norm == "linf":
            points.append(rng.uniform(-eps, eps, shape))
        elif norm == "l2":
            direction = rng.normal(size=shape)
            radius = eps * rng.uniform() ** (1 / direction.size)
            points.append(direction * (radius / max(float(np.linalg.norm(direction)), _TINY)))
        else:
            signed = rng.laplace(size=shape)
            points.append(signed * (eps / (np.abs(signed).sum() + rng.exponential())))
    return np.asarray(points, np.float32)


def widest(width: float, elements: int, norm: Norm) -> float:
    """The largest distance of two inputs whose elements differ by `width` at most."""
    return width * {"linf": 1.0, "l2": math.sqrt(elements), "l1": float(elements)}[norm]


def differ(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which inputs [n] of [n, *shape] are not the same in both."""
    return np.asarray((a != b).any(axis=tuple(range(1, a.ndim))))


def snap_to_grid(
    x_adv: NDArray[np.float32], x: NDArray[np.float32], domain: Domain, eps: float, norm: Norm
) -> NDArray[np.float32]:
    """Put adversarial inputs [n, *shape] on the domain's grid, without leaving the eps-ball.

    Clean inputs are taken to be on the grid, as pixels are; an element that does not move keeps its bits.
    """
    if domain.step is None:
        raise ValueError(f"domain {domain.name} has no grid")
    places, origins = ((v - domain.low) / domain.step for v in (x_adv, x))
    levels, clean = (round_half_away(each).astype(np.int32) for each in (places, origins))
    inside = project_codes(levels, clean, eps_in_codes=eps / domain.step, norm=norm, wanted=places)
    moved = np.clip(domain.low + inside * domain.step, domain.low, domain.high).astype(np.float32)
    return np.where(inside == clean, x, moved)
