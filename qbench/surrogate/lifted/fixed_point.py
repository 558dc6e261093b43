"""TFLite's requantization, bit for bit, in TensorFlow.

An accumulator is multiplied by a real scale in two roundings: a doubling high multiplication by a 32-bit
mantissa, then a rounding right shift (Jacob et al., CVPR 2018, section 2.2; gemmlowp's
SaturatingRoundingDoublingHighMul and RoundingDivideByPOT).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qbench.errors import UserError

if TYPE_CHECKING:
    import tensorflow as tf

FLOAT32_EXACT = 1 << 24
"""Whole numbers up to it are exact in float32."""

_MANTISSA_BITS = 31
_MOST_BITS = 62  # of a product in int64, the sign left out


@dataclass(frozen=True)
class Scale:
    """real = mantissa * 2^(exponent - 31), for each channel or for all.

    Attributes:
        mantissas: int64, in [2^30, 2^31) or 0; negative for a negative scale.
        exponents: int64, at most 31.
    """

    mantissas: NDArray[np.int64]
    exponents: NDArray[np.int64]

    @classmethod
    def of(cls, real: Any) -> Scale:
        """The nearest scales of real values >= 0, a number or [channels].

        Raises:
            UserError: a value is negative, not finite, or 2^31 or more.
        """
        values = np.atleast_1d(np.asarray(real, np.float64))
        if not (np.isfinite(values).all() and (values >= 0).all()):
            raise UserError("a scale is negative or not finite", hint="export the network again")
        fractions, exponents = np.frexp(values)
        mantissas = np.floor(fractions * 2.0**_MANTISSA_BITS + 0.5).astype(np.int64)
        carried = mantissas == 1 << _MANTISSA_BITS
        mantissas, exponents = np.where(carried, mantissas // 2, mantissas), exponents + carried
        vanishing = exponents < -_MANTISSA_BITS
        mantissas, exponents = np.where(vanishing, 0, mantissas), np.where(vanishing, 0, exponents)
        if exponents.max(initial=0) > _MANTISSA_BITS:
            raise UserError("a scale is out of range", cause="it is 2^31 or more", hint="export it again")
        return cls(mantissas, exponents.astype(np.int64))

    def negated(self) -> Scale:
        """The same with the other sign."""
        return Scale(-self.mantissas, self.exponents)

    @property
    def real(self) -> NDArray[np.float64]:
        """The values."""
        real: NDArray[np.float64] = self.mantissas * 2.0 ** (self.exponents - _MANTISSA_BITS)
        return real


def rescale(accumulator: tf.Tensor, scale: Scale, bound: int, *, clamped_at_zero: bool = False) -> tf.Tensor:
    """Accumulator * scale, rounded twice, as TFLite's MultiplyByQuantizedMultiplier with double rounding.

    Both roundings are one floor: of (a m + 2^30 + 2^(30 + s)) / 2^(31 + s) for a m >= 0, and with 2^31 less
    in the numerator for a m < 0 and s > 0, where m is the mantissa and s the right shift.

    Args:
        accumulator: [..., channels] whole numbers of any dtype that holds them.
        scale: for each channel or for all.
        bound: what no accumulator exceeds in size.
        clamped_at_zero: negative results, which will be clamped, may be one too large; saves time.

    Returns:
        int64, same shape.
    """
    import tensorflow as tf

    a = tf.cast(accumulator, tf.int64)
    left = np.maximum(scale.exponents, 0)
    if left.any():
        shifted = a * tf.constant(_single(2**left))
        a = tf.cast(tf.cast(shifted, tf.int32), tf.int64)  # wraps, as the register does
        bound = min(bound << int(left.max()), 1 << 31)
    right = np.maximum(-scale.exponents, 0)
    common = int(right.max())
    fits = bound.bit_length() + _MANTISSA_BITS + common - int(right.min()) <= _MOST_BITS
    widened = common - right if fits else np.zeros_like(right)  # one shift for all channels is faster
    shift = np.array(common) if fits else right
    mantissas = scale.mantissas << widened
    nudge = (1 << 30) + np.where(right > 0, 1 << (30 + right), 0) << widened
    below = np.where(right > 0, 1 << _MANTISSA_BITS, 0) << widened
    product = a * tf.constant(_single(mantissas))
    total = product + tf.constant(_single(nudge))
    if below.any() and not clamped_at_zero:
        sign_bits = tf.bitwise.right_shift(product, tf.constant(63, tf.int64))  # all ones, or none
        total -= tf.bitwise.bitwise_and(sign_bits, tf.constant(_single(below)))
    return tf.bitwise.right_shift(total, tf.constant(_single(shift + _MANTISSA_BITS)))


def round_shift(x: NDArray[np.int64], bits: int) -> NDArray[np.int64]:
    """Divide by 2^bits, to nearest, ties away from zero."""
    found: NDArray[np.int64] = np.sign(x) * ((np.abs(x) + (1 << bits >> 1)) >> bits)
    return found


def _single(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """A scalar where all are equal: it broadcasts faster, and to any rank."""
    first = values.reshape(-1)[:1]
    return first.reshape(()) if (values == first).all() else values
