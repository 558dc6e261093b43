"""The arithmetic of lowering: levels, scale, bias and batch normalization as int8 weights and biases."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from qbench.lowbit.activations import ActivationQuantizer, SignActivation

_INT8_END = 127
# Beyond this a bias could overflow the 32-bit accumulator together with the products.
_LARGEST_BIAS = 1 << 29
# The multiplier of a channel that does not depend on its input: any that leaves room for the bias.
_CONSTANT_MULTIPLIER = 2.0**-20
# How many accumulators on either side of a tie a kernel's second rounding, or a float's, can reach.
_TIE_REACH = 1.1


@dataclass(frozen=True)
class Affine:
    """What follows a layer's products in each channel: y = gain * products + offset; both [out] float64."""

    gain: NDArray[np.float64]
    offset: NDArray[np.float64]


@dataclass(frozen=True)
class Folded:
    """A layer in integers.

    Attributes:
        weights: levels times a whole factor, with their sign turned where the gain is negative; the layout of
            the levels, output channels last.
        scales: [out], the real value of one weight code.
        bias: [out] int64, in units of the input's step times `scales`.
        offset: [out], the `Affine.offset` that the bias stands for exactly.
        needs_sign: whether the accumulator can be zero, so that its sign takes an operator of its own.
    """

    weights: NDArray[np.int8]
    scales: NDArray[np.float64]
    bias: NDArray[np.int64]
    offset: NDArray[np.float64]
    needs_sign: bool = False


def affine(layer: keras.layers.Layer, normalization: keras.layers.Layer | None) -> Affine:
    """Bias and batch normalization, as they are at inference."""
    out = layer.output.shape[-1]
    bias = _array(layer.bias) if layer.use_bias else np.zeros(out)
    if normalization is None:
        return Affine(np.ones(out), bias)
    gain = 1 / np.sqrt(_array(normalization.moving_variance) + normalization.epsilon)
    if normalization.scale:
        gain = gain * _array(normalization.gamma)
    shift = _array(normalization.beta) if normalization.center else np.zeros(out)
    return Affine(gain, (bias - _array(normalization.moving_mean)) * gain + shift)


def levels_of(layer: keras.layers.Layer) -> tuple[NDArray[np.int64], float, int]:
    """The whole levels of a quantized kernel, the real value of one, and the factor that int8 has room for.

    TFLite rounds a bias to a whole number of the accumulator: the larger the numbers, the less that matters.
    """
    quantizer, kernel = layer.weight_quantizer, tf.convert_to_tensor(layer.kernel)
    levels = np.rint(quantizer.levels(kernel).numpy()).astype(np.int64)
    return levels, float(quantizer.scale(kernel).numpy()), _INT8_END // quantizer.largest


def fold(
    levels: NDArray[np.int64],
    scale: float,
    factor: int,
    after: Affine,
    step: float,
    target: ActivationQuantizer,
) -> Folded:
    """Integers that compute `target(after.gain * step * scale * (codes . levels) + after.offset)`.

    Args:
        levels: [..., out].
        scale: the real value of one level.
        factor: what the levels are multiplied by.
        after: what follows the products.
        step: of the input's grid.
        target: the quantizer of the output.
    """
    unit = after.gain * scale * step
    constant = np.abs(unit) <= np.abs(after.offset) * factor / _LARGEST_BIAS
    turned = np.where(constant, 0, np.where(unit < 0, -factor, factor))
    weights = (levels * turned).astype(np.int8)
    if isinstance(target, SignActivation):
        return _fold_sign(weights, np.abs(unit), constant, after.offset, factor, step)
    scales = np.where(
        constant, _CONSTANT_MULTIPLIER * target.grid.step / step, np.abs(after.gain) * scale / factor
    )
    bias = np.rint(np.clip(after.offset / (step * scales), -_LARGEST_BIAS, _LARGEST_BIAS))
    bias += np.where(constant, 0, _away_from_ties(bias, step * scales / target.grid.step, factor, target))
    return Folded(weights, scales, bias.astype(np.int64), bias * step * scales)


def _away_from_ties(
    bias: NDArray[np.float64], multiplier: NDArray[np.float64], factor: int, target: ActivationQuantizer
) -> NDArray[np.float64]:
    """The least change of each bias that keeps all accumulators out of reach of any runtime's rounding.

    An accumulator is its bias and a multiple of the factor; a code of the output changes at a few of them.
    What lies less than one beside such a place is rounded one way by TFLite's reference kernels, which round
    twice, and another by runtimes that round once. Where codes are too many for the factor, nothing changes.

    Args:
        bias: [out], whole.
        multiplier: [out], codes of the output in one accumulator.
        factor: what the levels are multiplied by.
        target: the quantizer of the output.
    """
    grid = target.grid
    edges = (np.arange(grid.low, grid.high) + 0.5)[:, np.newaxis] / multiplier
    changes = np.array(sorted(range(-(factor // 2), factor - factor // 2), key=abs), np.float64)
    beside = np.mod(edges - bias - changes[:, np.newaxis, np.newaxis] + factor / 2, factor) - factor / 2
    free = (np.abs(beside) > _TIE_REACH).all(axis=1)
    return np.where(free.any(axis=0), changes[free.argmax(axis=0)], 0.0)


def _fold_sign(
    weights: NDArray[np.int8],
    unit: NDArray[np.float64],
    constant: NDArray[np.bool_],
    offset: NDArray[np.float64],
    factor: int,
    step: float,
) -> Folded:
    """The accumulator's sign: +1 from the least whole threshold on, never zero if levels lie two apart."""
    safe = np.where(constant, 1.0, unit)
    threshold = np.where(constant, np.where(offset >= 0, 0, 1), np.ceil(-offset / safe))
    bias = -factor * threshold.astype(np.int64) + factor // 2
    # The real threshold moves to halfway between two accumulators, out of reach of float rounding.
    moved = np.where(constant, offset, (0.5 - threshold) * safe)
    return Folded(weights, np.full(len(unit), 1 / step), bias, moved, needs_sign=factor == 1)


def rounding_slack(scales: NDArray[np.float64], step_in: float, step_out: float) -> NDArray[np.float32]:
    """How far below one half a kernel begins to round up, [out], in codes of its output.

    TFLite's kernels multiply the accumulator by a 31-bit fraction in [1/2, 1), round, and shift right by r
    bits with another rounding (Jacob et al., CVPR 2018, section 2.2): 2^-(r+1).
    """
    single = np.float32(step_in).astype(np.float64) * scales.astype(np.float32)
    _, exponent = np.frexp(single / np.float64(np.float32(step_out)))
    return np.where(exponent < 0, 2.0 ** (exponent - 1.0), 0.0).astype(np.float32)


def move_offset(
    layer: keras.layers.Layer, normalization: keras.layers.Layer | None, change: NDArray[np.float64]
) -> None:
    """Add to what follows a layer's products, [out]; where nothing can be added there is nothing to round."""
    if normalization is not None and normalization.center:
        normalization.beta.assign_add(change.astype(np.float32))
    elif normalization is not None:
        normalization.moving_mean.assign_sub((change / affine(layer, normalization).gain).astype(np.float32))
    elif layer.use_bias:
        layer.bias.assign_add(change.astype(np.float32))


def _array(variable: keras.Variable) -> NDArray[np.float64]:
    return np.asarray(variable.numpy(), np.float64)
