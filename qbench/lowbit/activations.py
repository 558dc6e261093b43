"""Quantizers of activations: whole codes times one step, with zero among the codes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from qbench.lowbit.calibration import CALIBRATIONS
from qbench.lowbit.rounding import round_early_ste, scaled_gradient, sign, snap_ste

_SMALLEST_STEP = 1e-8
# Of the moving range: the weight of what was seen before.
_MOMENTUM = 0.99
# The range ends so far beyond its last code: averages of few levels would else be ties between two codes.
_OVERHANG = 0.3


class Grid(NamedTuple):
    """The values step * code, for whole codes from low to high."""

    step: float
    low: int
    high: int


class ActivationQuantizer(ABC):
    """A differentiable map of real values onto a grid.

    Attributes:
        low, high: the least and greatest code; the real value of code 0 is 0.
        slack: [channels], how far below one half a rounding begins; 0 until the network is lowered, which
            sets it to what the integer kernel does.
    """

    low: int
    high: int
    slack: keras.Variable

    @abstractmethod
    def __call__(self, x: tf.Tensor, *, training: bool) -> tf.Tensor:
        """Values on the grid, shape and dtype of `x`, with straight-through gradients."""

    @property
    @abstractmethod
    def grid(self) -> Grid:
        """The grid as it stands."""

    def build(self, owner: keras.layers.Layer, channels: int) -> None:
        """Add what is learned, tracked or set to the layer that owns the quantizer."""
        self.slack = owner.add_weight(name="slack", shape=(channels,), initializer="zeros", trainable=False)

    def fit(self, x: NDArray[np.float32]) -> None:  # noqa: B027 - most are trained, or known beforehand
        """Set the grid to hold these values, without training."""

    @abstractmethod
    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor."""

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ActivationQuantizer:
        """The inverse of `get_config`."""
        return cls(**config)

    def _on_grid(self, x: tf.Tensor, step: Any) -> tf.Tensor:
        return step * self._whole(tf.clip_by_value(x / step, float(self.low), float(self.high)))

    def _whole(self, codes: tf.Tensor) -> tf.Tensor:
        return round_early_ste(codes, tf.convert_to_tensor(self.slack))


@keras.saving.register_keras_serializable("qbench")
class UnitLevels(ActivationQuantizer):
    """q(clip(x, 0, 1)), q rounding to multiples of 1 / (2^b - 1): DoReFa-Net's activations.

    Zhou et al., "DoReFa-Net", 2016, eq. 11. The study's q(min(1, |x|)) is the same behind a ReLU, which this
    takes the place of.
    """

    def __init__(self, bits: int) -> None:
        self.bits, self.low, self.high = bits, 0, 2**bits - 1

    def __call__(self, x: tf.Tensor, *, training: bool) -> tf.Tensor:
        """Multiples of the step in [0, 1]; the gradient is 1 there, and zero outside."""
        del training
        return self._whole(tf.clip_by_value(x, 0.0, 1.0) * self.high) / self.high

    @property
    def grid(self) -> Grid:
        """Steps of 1 / (2^b - 1)."""
        return Grid(1 / self.high, self.low, self.high)

    def get_config(self) -> dict[str, Any]:
        """The width."""
        return {"bits": self.bits}


@keras.saving.register_keras_serializable("qbench")
class SignActivation(ActivationQuantizer):
    """-1 and +1, in place of a ReLU: the activations of binarized networks (Hubara et al., 2016)."""

    low, high = -1, 1

    def __call__(self, x: tf.Tensor, *, training: bool) -> tf.Tensor:
        """The sign; its gradient reaches |x| <= 1."""
        del training
        return sign(x)

    @property
    def grid(self) -> Grid:
        """Steps of one; the code 0 never occurs."""
        return Grid(1.0, self.low, self.high)

    def get_config(self) -> dict[str, Any]:
        """Nothing."""
        return {}


@keras.saving.register_keras_serializable("qbench")
class LearnedStepActivation(ActivationQuantizer):
    """s * round(clip(x / s, 0, 2^b - 1)) with a learned step s (Esser et al., ICLR 2020, eq. 1 to 5)."""

    step: keras.Variable
    started: keras.Variable

    def __init__(self, bits: int) -> None:
        self.bits, self.low, self.high = bits, 0, 2**bits - 1

    def build(self, owner: keras.layers.Layer, channels: int) -> None:
        """The step, and whether a first batch has set it."""
        super().build(owner, channels)
        self.step = owner.add_weight(name="step", shape=(), initializer="ones")
        self.started = owner.add_weight(name="started", shape=(), initializer="zeros", trainable=False)

    def __call__(self, x: tf.Tensor, *, training: bool) -> tf.Tensor:
        """Multiples of the step; the first training batch sets it to 2 E|x| / sqrt(2^b - 1)."""
        if training:
            first = 2 * tf.reduce_mean(tf.nn.relu(x)) / self.high**0.5
            self.step.assign(tf.where(self.started > 0, self.step.value, first))
            self.started.assign(1.0)
        step = tf.abs(tf.convert_to_tensor(self.step)) + _SMALLEST_STEP
        features = int(np.prod(x.shape[1:]))
        return self._on_grid(x, scaled_gradient(step, (features * self.high) ** -0.5))

    @property
    def grid(self) -> Grid:
        """Steps as learned."""
        return Grid(float(abs(self.step.numpy())) + _SMALLEST_STEP, self.low, self.high)

    def get_config(self) -> dict[str, Any]:
        """The width."""
        return {"bits": self.bits}


@keras.saving.register_keras_serializable("qbench")
class CalibratedActivation(LearnedStepActivation):
    """The grid of `LearnedStepActivation` with a step fitted to the values behind a ReLU.

    Args:
        bits: 2 to 8.
        calibration: one of `qbench.lowbit.calibration.CALIBRATIONS`.
    """

    def __init__(self, bits: int, calibration: str) -> None:
        super().__init__(bits)
        self.calibration = calibration

    def fit(self, x: NDArray[np.float32]) -> None:
        """The step for these values."""
        self.step.assign(CALIBRATIONS[self.calibration](np.maximum(x, 0), self.low, self.high))
        self.started.assign(1.0)

    def get_config(self) -> dict[str, Any]:
        """Width and calibration."""
        return {**super().get_config(), "calibration": self.calibration}


@keras.saving.register_keras_serializable("qbench")
class MovingRange(ActivationQuantizer):
    """Eight bits over the moving average of a tensor's largest magnitude.

    Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
    Inference", CVPR 2018, section 3.1. For what stays at 8 bits: sums, averages, the scores.

    Args:
        signed: codes in -128..127, else in 0..255.
    """

    largest: keras.Variable
    started: keras.Variable

    def __init__(self, signed: bool = True) -> None:
        self.signed = signed
        self.low, self.high = (-128, 127) if signed else (0, 255)

    def build(self, owner: keras.layers.Layer, channels: int) -> None:
        """The moving range, and whether a first batch has set it."""
        super().build(owner, channels)
        self.largest = owner.add_weight(name="largest", shape=(), initializer="ones", trainable=False)
        self.started = owner.add_weight(name="started", shape=(), initializer="zeros", trainable=False)

    def __call__(self, x: tf.Tensor, *, training: bool) -> tf.Tensor:
        """Multiples of the step; the gradient is zero beyond the range."""
        if training:
            found = tf.stop_gradient(tf.reduce_max(tf.abs(x)))
            moved = self.largest.value * _MOMENTUM + found * (1 - _MOMENTUM)
            self.largest.assign(tf.where(self.started > 0, moved, found))
            self.started.assign(1.0)
        return self._on_grid(
            x, (tf.convert_to_tensor(self.largest) + _SMALLEST_STEP) / (self.high - _OVERHANG)
        )

    def set_step(self, step: float) -> None:
        """Take a step in place of the tracked range's."""
        self.largest.assign(step * (self.high - _OVERHANG) - _SMALLEST_STEP)

    def fit(self, x: NDArray[np.float32]) -> None:
        """The largest magnitude: what stays at 8 bits can afford not to be clipped."""
        self.largest.assign(np.abs(x).max())
        self.started.assign(1.0)

    @property
    def grid(self) -> Grid:
        """The range in 127 or 255 steps."""
        step = (self.largest.numpy() + np.float32(_SMALLEST_STEP)) / np.float32(self.high - _OVERHANG)
        return Grid(float(step), self.low, self.high)

    def get_config(self) -> dict[str, Any]:
        """Whether it is signed."""
        return {"signed": self.signed}


@keras.saving.register_keras_serializable("qbench")
class FixedRange(ActivationQuantizer):
    """Eight bits over a known interval that holds zero, such as that of a network's input.

    255 steps, if a whole number of them lies below zero; else 127 on either side of it, as the pixels of
    [-1, 1] would all be ties on a grid with zero in it that is as fine as theirs.
    """

    def __init__(self, lowest: float, highest: float) -> None:
        self.lowest, self.highest = lowest, highest
        step = (highest - lowest) / 255
        whole = abs(lowest / step - round(lowest / step)) < 1e-3
        self.step = float(np.float32(step if whole else max(-lowest, highest) / 127))
        self.low = round(lowest / step) if whole else -128
        self.high = self.low + 255

    def __call__(self, x: tf.Tensor, *, training: bool) -> tf.Tensor:
        """Multiples of the step; the gradient is the identity: inputs are within the interval."""
        del training
        return self.step * snap_ste(x / self.step, self.low, self.high)

    @property
    def grid(self) -> Grid:
        """The interval in steps."""
        return Grid(self.step, self.low, self.high)

    def get_config(self) -> dict[str, Any]:
        """The interval."""
        return {"lowest": self.lowest, "highest": self.highest}
