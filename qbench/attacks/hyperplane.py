"""The nearest point of a hyperplane, within the domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qbench.artifacts import Domain
from qbench.quant import Norm

if TYPE_CHECKING:
    import tensorflow as tf

# A sum over thousands of float32 values is not known better than by this share.
_RELATIVE_ROUNDING = 1e-6

# Far more than ever taken: each moves the bound past at least one element's, and most past nearly all.
_MOST_ITERATIONS = 50


def plane_distance(gap: tf.Tensor, normal: tf.Tensor, norm: Norm) -> tf.Tensor:
    """The distance to a hyperplane without a domain: gap [n] over the dual norm of the normal [n, *shape].

    Infinite, or NaN on the plane itself, where the normal is zero.
    """
    import tensorflow as tf

    flat = tf.reshape(normal, [tf.shape(normal)[0], -1])
    return gap / tf.norm(flat, ord=1 if norm == "linf" else 2, axis=1)


def reachable(x: tf.Tensor, normal: tf.Tensor, gap: tf.Tensor, domain: Domain) -> tf.Tensor:
    """Whether a linear function can change by `gap` [n] inside the domain: [n] bool; see `step_to_plane`."""
    import tensorflow as tf

    _, room, slope = _way(x, normal, gap, domain)
    return tf.reduce_sum(slope * room, axis=1) >= tf.abs(gap)


def step_to_plane(x: tf.Tensor, normal: tf.Tensor, gap: tf.Tensor, domain: Domain, norm: Norm) -> tf.Tensor:
    """The shortest step that changes a linear function by `gap` without leaving the domain.

    The problem of Croce and Hein, "Minimally Distorted Adversarial Examples with a Fast Adaptive Boundary
    Attack", ICML 2020, section 2.2. Its solution moves element i by min(bound * pace_i, room_i); the pace is
    1 in Linf and |normal_i| in L2. They find the bound by sorting, here Newton's method does: the change is
    concave and piecewise linear in the bound, so that finitely many steps from below are exact.

    Args:
        x: [n, *shape] float32 in the domain.
        normal: [n, *shape], the function's gradient; where one is NaN, so is the step.
        gap: [n], of any sign.
        domain: where x + step must lie.
        norm: "linf" or "l2", in which the step is shortest.

    Returns:
        [n, *shape]: the step; as far as the domain goes where that does not suffice.
    """
    import tensorflow as tf

    direction, room, slope = _way(x, normal, gap, domain)
    pace = tf.sign(slope) if norm == "linf" else slope
    bound = _newton_bound(slope, pace, room, tf.abs(gap))
    return tf.reshape(direction * tf.minimum(bound[:, None] * pace, room), tf.shape(x))


def _way(x: tf.Tensor, normal: tf.Tensor, gap: tf.Tensor, domain: Domain) -> tuple[tf.Tensor, ...]:
    """Of each element, [n, elements]: which way it moves, how far it can, and what that changes."""
    import tensorflow as tf

    flat, slope = (tf.reshape(each, [tf.shape(x)[0], -1]) for each in (x, normal))
    direction = tf.sign(slope) * tf.sign(gap)[:, None]
    return direction, tf.where(direction > 0, domain.high - flat, flat - domain.low), tf.abs(slope)


def _newton_bound(slope: tf.Tensor, pace: tf.Tensor, room: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
    """The bound [n] at which sum(slope * min(bound * pace, room)) is `wanted` [n]; from below."""
    import tensorflow as tf

    gain, most = slope * pace, slope * room

    def tighten(i: tf.Tensor, bound: tf.Tensor, moving: tf.Tensor) -> tuple[tf.Tensor, ...]:
        free = tf.cast(bound[:, None] * pace < room, slope.dtype)
        used = tf.reduce_sum(most * (1 - free), axis=1)
        rate = tf.reduce_sum(gain * free, axis=1)
        following = tf.where(rate > 0, tf.math.divide_no_nan(wanted - used, rate), bound)
        moving = following > bound * (1 + _RELATIVE_ROUNDING)
        return i + 1, tf.where(moving, following, bound), moving

    _, bound, _ = tf.while_loop(
        lambda i, _, moving: tf.reduce_any(moving) & (i < _MOST_ITERATIONS),
        tighten,
        (tf.constant(0), tf.math.divide_no_nan(wanted, tf.reduce_sum(gain, axis=1)), wanted > 0),
        parallel_iterations=1,
    )
    return bound
