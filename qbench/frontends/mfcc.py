"""Mel-frequency cepstral coefficients, with arrays as a device computes them, and in a graph."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qbench.frontends.mel import mel_matrix

if TYPE_CHECKING:
    import tensorflow as tf

# Added to a magnitude before its logarithm.
_LEAST = 1e-6
# A power that is far below that when it is a magnitude.
_SILENCE = 1e-24


@dataclass(frozen=True)
class Mfcc:
    """Frames of a waveform whose peak is 1, their magnitude in mel bands, the cosine transform of its log.

    The transform is the DCT-II over the bands, with the factor sqrt(2 / bands).

    Attributes:
        name: as typed after `--front-end`.
        rate: samples a second.
        frame, hop: samples of a frame, and from one to the next.
        fft: samples of the Fourier transform, at least a frame.
        bands: of the mel scale, from `low` to `high` Hz.
        coefficients: that are kept, the first ones.
    """

    name: str
    rate: int
    frame: int
    hop: int
    fft: int
    bands: int
    low: float
    high: float
    coefficients: int

    def shape(self, samples: int) -> tuple[int, ...]:
        """Of the features of so many samples: frames, coefficients, 1; no frames where there are too few."""
        return (max(0, 1 + (samples - self.frame) // self.hop), self.coefficients, 1)

    def apply(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Features [n, frames, coefficients, 1] float32 of waveforms [n, samples] float32 in [-1, 1]."""
        peak = x.max(axis=1, keepdims=True).astype(np.float64)
        scaled = x / np.where(peak > 0, peak, 1.0)  # of silence, as it is
        starts = np.arange(self.shape(x.shape[1])[0]) * self.hop
        frames = scaled[:, starts[:, None] + np.arange(self.frame)] * self._window
        magnitude = np.abs(np.fft.rfft(frames, self.fft))
        found = np.log(magnitude @ self._mel_matrix + _LEAST) @ self._cosines
        return np.asarray(found[..., np.newaxis], np.float32)

    def traced(self, x: tf.Tensor) -> tf.Tensor:
        """The same in a graph, in float32."""
        import tensorflow as tf

        peak = tf.reduce_max(x, axis=1, keepdims=True)
        scaled = x / tf.where(peak > 0, peak, tf.ones_like(peak))
        frames = tf.signal.frame(scaled, self.frame, self.hop) * tf.constant(self._window, tf.float32)
        spectrum = tf.signal.rfft(frames, [self.fft])
        power = tf.square(tf.math.real(spectrum)) + tf.square(tf.math.imag(spectrum))
        magnitude = tf.sqrt(tf.maximum(power, _SILENCE))  # the root of 0 has no gradient
        mel = tf.tensordot(magnitude, tf.constant(self._mel_matrix, tf.float32), 1)
        logs = tf.math.log(mel + _LEAST)
        return tf.tensordot(logs, tf.constant(self._cosines, tf.float32), 1)[..., tf.newaxis]

    @cached_property
    def _window(self) -> NDArray[np.float64]:
        """Hann's, periodic."""
        return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self.frame) / self.frame))

    @cached_property
    def _mel_matrix(self) -> NDArray[np.float64]:
        return mel_matrix(self.fft // 2 + 1, self.rate, self.bands, self.low, self.high)

    @cached_property
    def _cosines(self) -> NDArray[np.float64]:
        """[bands, coefficients]."""
        angle = np.pi * (np.arange(self.bands)[:, None] + 0.5) * np.arange(self.coefficients) / self.bands
        return np.asarray(np.sqrt(2 / self.bands) * np.cos(angle))


# Of MLPerf Tiny's keyword spotting benchmark.
KEYWORDS = Mfcc(
    name="keywords",
    rate=16_000,
    frame=480,
    hop=320,
    fft=512,
    bands=40,
    low=20.0,
    high=4000.0,
    coefficients=10,
)
