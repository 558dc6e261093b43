"""Quantizers of weights: whole levels times one scale, which an int8 kernel can hold."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from qbench.lowbit.calibration import CALIBRATIONS
from qbench.lowbit.rounding import round_ste, scaled_gradient, sign, unmasked_sign

# int8 kernels take weights without a zero point, so that +-127 are their ends.
_INT8_END = 127
_SMALLEST_STEP = 1e-8


@keras.saving.register_keras_serializable("qbench")
class UnitInterval(keras.constraints.Constraint):  # type: ignore[misc]
    """Keeps real-valued weights in [-1, 1], where the gradient of `sign` reaches them.

    Courbariaux, Bengio and David, "BinaryConnect", NeurIPS 2015, section 2.4.
    """

    def __call__(self, w: tf.Tensor) -> tf.Tensor:
        """The weights, clipped."""
        return tf.clip_by_value(w, -1.0, 1.0)


class WeightQuantizer(ABC):
    """A differentiable map of real weights onto `scale * levels`.

    Args:
        bits: width of a weight, 1 to 8.

    Attributes:
        constraint: what the real-valued weights are held to during training, if anything.
        largest: the largest magnitude of a level.
    """

    constraint: keras.constraints.Constraint | None = None

    def __init__(self, bits: int) -> None:
        self.bits = bits

    @property
    @abstractmethod
    def largest(self) -> int:
        """The largest magnitude of a level, at most 127."""

    @abstractmethod
    def levels(self, w: tf.Tensor) -> tf.Tensor:
        """Whole numbers in float32, shape of `w`, with straight-through gradients."""

    @abstractmethod
    def scale(self, w: tf.Tensor) -> tf.Tensor:
        """The real value of one level; a scalar."""

    def __call__(self, w: tf.Tensor) -> tf.Tensor:
        """The weights that the network computes with; shape and dtype of `w`."""
        return self.scale(w) * self.levels(w)

    def build(self, owner: keras.layers.Layer) -> None:  # noqa: B027 - most have nothing to learn
        """Add what is learned to the layer that owns the quantizer."""

    def fit(self, w: NDArray[np.float32]) -> None:  # noqa: B027 - likewise
        """Set what is learned to where training begins from these weights."""

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        return {"bits": self.bits}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> WeightQuantizer:
        """The inverse of `get_config`."""
        return cls(**config)


@keras.saving.register_keras_serializable("qbench")
class SignWeights(WeightQuantizer):
    """-1 and +1: BinaryConnect without chance (Courbariaux et al., 2015, eq. 1), and BNN's weights."""

    constraint: keras.constraints.Constraint | None = UnitInterval()

    def __init__(self, bits: int = 1) -> None:
        super().__init__(bits)

    @property
    def largest(self) -> int:
        """One."""
        return 1

    def levels(self, w: tf.Tensor) -> tf.Tensor:
        """The sign."""
        return sign(w)

    def scale(self, w: tf.Tensor) -> tf.Tensor:
        """One."""
        return tf.ones((), w.dtype)


@keras.saving.register_keras_serializable("qbench")
class ScaledSignWeights(SignWeights):
    """-E|w| and +E|w|: DoReFa-Net at one bit (Zhou et al., 2016, eq. 8)."""

    constraint = None

    def levels(self, w: tf.Tensor) -> tf.Tensor:
        """The sign; multiplied by the scale, its gradient is the identity's."""
        return unmasked_sign(w / self.scale(w))

    def scale(self, w: tf.Tensor) -> tf.Tensor:
        """The mean magnitude, a constant to the gradient."""
        return tf.stop_gradient(tf.reduce_mean(tf.abs(w)))


@keras.saving.register_keras_serializable("qbench")
class DorefaWeights(WeightQuantizer):
    """2 q(tanh(w) / 2 + 1/2) - 1, q rounding to multiples of 1 / (2^b - 1).

    Zhou et al., "DoReFa-Net", 2016, eq. 9, without its division by the largest |tanh(w)|. The levels are the
    odd numbers in +-(2^b - 1). At 8 bits those fit no int8: the whole numbers in +-127 take their place.
    """

    @property
    def largest(self) -> int:
        """2^b - 1, or 127."""
        return min((1 << self.bits) - 1, _INT8_END)

    def levels(self, w: tf.Tensor) -> tf.Tensor:
        """Odd numbers; at 8 bits all whole numbers."""
        bounded = self.bound(w)
        if self.bits == 8:
            return round_ste(_INT8_END * bounded)
        return 2 * round_ste(self.largest * (bounded / 2 + 0.5)) - self.largest

    def scale(self, w: tf.Tensor) -> tf.Tensor:
        """The reciprocal of the largest level."""
        return tf.constant(1 / self.largest, w.dtype)

    def bound(self, w: tf.Tensor) -> tf.Tensor:
        """The weights squeezed into [-1, 1]."""
        return tf.tanh(w)


@keras.saving.register_keras_serializable("qbench")
class DorefaMaxWeights(DorefaWeights):
    """The original DoReFa-Net: tanh(w) divided by its largest magnitude (Zhou et al., 2016, eq. 9)."""

    def bound(self, w: tf.Tensor) -> tf.Tensor:
        """tanh(w), stretched so that one weight of the layer is at an end."""
        squeezed = tf.tanh(w)
        return squeezed / tf.reduce_max(tf.abs(squeezed))


@keras.saving.register_keras_serializable("qbench")
class LearnedStepWeights(WeightQuantizer):
    """s * round(clip(w / s)) with a learned step s, one a layer.

    Esser et al., "Learned Step Size Quantization", ICLR 2020, eq. 1 to 5, section 2.2 for the scale of the
    step's gradient. Theirs begins at 2 bits: at one bit the levels are the signs. -128 is left out at 8 bits.
    """

    step: keras.Variable

    @property
    def lowest(self) -> int:
        """The least level: one further from zero than the highest, as two's complement has it."""
        return -1 if self.bits == 1 else -self.largest

    @property
    def largest(self) -> int:
        """2^(b-1), or 127."""
        return min(1 << (self.bits - 1), _INT8_END)

    @property
    def highest(self) -> int:
        """The greatest level."""
        return max((1 << (self.bits - 1)) - 1, 1)

    def levels(self, w: tf.Tensor) -> tf.Tensor:
        """Signs at one bit, else whole numbers from `lowest` to `highest`."""
        inside = w / self.scale(w)
        if self.bits == 1:
            return sign(inside)
        return round_ste(tf.clip_by_value(inside, self.lowest, self.highest))

    def scale(self, w: tf.Tensor) -> tf.Tensor:
        """The learned step."""
        size = int(np.prod(w.shape))
        step = tf.abs(tf.convert_to_tensor(self.step)) + _SMALLEST_STEP
        return scaled_gradient(step, (size * self.highest) ** -0.5)

    def build(self, owner: keras.layers.Layer) -> None:
        """One step, a scalar."""
        self.step = owner.add_weight(name="weight_step", shape=(), initializer="ones")

    def fit(self, w: NDArray[np.float32]) -> None:
        """2 E|w| / sqrt(highest) (Esser et al., section 2.1)."""
        self.step.assign(2 * np.mean(np.abs(w)) / np.sqrt(self.highest) + _SMALLEST_STEP)


@keras.saving.register_keras_serializable("qbench")
class CalibratedWeights(LearnedStepWeights):
    """The grid of `LearnedStepWeights` with a step fitted to trained weights.

    Args:
        bits: 2 to 8.
        calibration: one of `qbench.lowbit.calibration.CALIBRATIONS`.
    """

    def __init__(self, bits: int, calibration: str) -> None:
        super().__init__(bits)
        self.calibration = calibration

    def fit_step(self, w: NDArray[np.float32]) -> float:
        """The step for these weights."""
        return CALIBRATIONS[self.calibration](w, self.lowest, self.highest)

    def fit(self, w: NDArray[np.float32]) -> None:
        """One step for all weights."""
        self.step.assign(self.fit_step(w))

    def get_config(self) -> dict[str, Any]:
        """Width and calibration."""
        return {**super().get_config(), "calibration": self.calibration}
