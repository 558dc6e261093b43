"""What the rounding and the clamps of the integer network pass back."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import numpy as np

from qbench.errors import unknown_name

if TYPE_CHECKING:
    import tensorflow as tf

GradientRule = Literal["ste", "clipped-ste", "identity-relu", "smooth", "float"]
"""How a gradient crosses an operator that rounds to codes and clamps them.

ste: the rounding and the saturation of codes count as the identity; fused activations keep their gradient.
    Bengio, Leonard and Courville, arXiv 1308.3432 (2013), the straight-through estimator.
clipped-ste: the same, and 0 wherever a code was clamped, but in the scores. Hubara et al., "Binarized Neural
    Networks", NeurIPS 2016, eq. 4.
identity-relu: fused activations count as the identity too, a backward pass differentiable approximation.
    Athalye, Carlini and Wagner, "Obfuscated Gradients Give a False Sense of Security", ICML 2018, 4.1. For
    comparison: on ResNet-8, PGD at 1/255 leaves 0.63 of the images with it, and 0.02 with the others.
smooth: as clipped-ste, and the rounding has the slope of a staircase of sigmoids. Gong et al.,
    "Differentiable Soft Quantization", ICCV 2019, section 3.
float: no rounding and no saturation, in either direction: the dequantized network.
"""

GRADIENTS: tuple[GradientRule, ...] = get_args(GradientRule)

# Of the sigmoid between two codes: the slope goes from 0.55 at a code to 1.3 half-way to the next.
_STEEPNESS = 4.0

_INFINITY = math.inf


def find_rule(name: str) -> GradientRule:
    """The rule of that name.

    Raises:
        UserError: there is none; the nearest name is suggested.
    """
    if name not in GRADIENTS:
        raise unknown_name("gradient rule", name, GRADIENTS)
    return name


def rule_for_scores(rule: GradientRule) -> GradientRule:
    """The rule of the operator that gives the scores: no saturation stops the gradient there.

    Else an input whose true class has saturated its score could not be attacked: the loss would have no slope
    in the one direction that matters.
    """
    return "ste" if rule in ("clipped-ste", "smooth") else rule


@dataclass(frozen=True)
class Clamp:
    """What an operator's output is clamped to, in codes with the zero point subtracted.

    Attributes:
        low, high: whole; from the dtype and the fused activation.
        floor, ceiling: real; from the fused activation alone, infinite without one.
    """

    low: int
    high: int
    floor: float = -_INFINITY
    ceiling: float = _INFINITY


Function = Callable[..., Any]


def integer_operator(exact: Function, real: Function, clamp: Clamp, rule: GradientRule) -> Function:
    """An operator with the integer semantics forward and a rule's gradient backward.

    Args:
        exact: from inputs to whole output codes, before the clamp; float32.
        real: the same without rounding, differentiable.
        clamp: of the output.
        rule: what to pass back.

    Returns:
        From inputs to output; codes are float32 with the zero point subtracted.
    """
    import tensorflow as tf

    if rule == "float":
        return lambda *inputs: _limit(real(*inputs), clamp.floor, clamp.ceiling)

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def operator(*inputs: tf.Tensor) -> tuple[tf.Tensor, Function]:
        raw = exact(*inputs)
        codes = tf.clip_by_value(raw, float(clamp.low), float(clamp.high))

        def gradient(upstream: tf.Tensor) -> Any:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(inputs)
                softened = _staircase(real(*inputs)) if rule == "smooth" else real(*inputs)
            through = _through(rule, upstream, raw, codes, clamp)
            return tape.gradient(softened, list(inputs), output_gradients=through)

        return codes, gradient

    return cast("Function", operator)


def _limit(x: tf.Tensor, low: float, high: float) -> tf.Tensor:
    import tensorflow as tf

    x = tf.maximum(x, np.float32(low)) if low > -_INFINITY else x
    return tf.minimum(x, np.float32(high)) if high < _INFINITY else x


def _through(
    rule: GradientRule,
    upstream: tf.Tensor,
    raw: tf.Tensor,
    codes: tf.Tensor,
    clamp: Clamp,
) -> tf.Tensor:
    """The part of an upstream gradient that crosses the rounding and the clamp."""
    import tensorflow as tf

    if rule == "identity-relu":
        return upstream
    if rule == "ste":
        limited = _limit(raw, _whole(clamp.floor), _whole(clamp.ceiling))
        return upstream if limited is raw else tf.where(limited == raw, upstream, 0.0)
    return tf.where(codes == raw, upstream, 0.0)


def _whole(bound: float) -> float:
    """The code nearest to a real bound."""
    return bound if math.isinf(bound) else math.floor(bound + 0.5)


def _staircase(x: tf.Tensor) -> tf.Tensor:
    """A staircase of sigmoids that meets the whole numbers; the mean of its slope is 1."""
    import tensorflow as tf

    below = tf.floor(x)
    first = 1 / (1 + math.exp(_STEEPNESS / 2))
    step = tf.sigmoid(_STEEPNESS * (x - below - 0.5))
    return below + (step - first) / (1 - 2 * first)
