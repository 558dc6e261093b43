"""Log-mel spectra of a waveform, with arrays as a device computes them, and in a graph with a gradient."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qbench.frontends.mel import mel_matrix

if TYPE_CHECKING:
    import tensorflow as tf

# Of a power before its logarithm.
_LEAST = 1e-30


@dataclass(frozen=True)
class LogMel:
    """Frames of a pre-emphasized waveform, their power in mel bands, in decibels on a range of 0 to 1.

    Attributes:
        name: as typed after `--front-end`.
        rate: samples a second.
        emphasis: y[n] = x[n] - emphasis x[n - 1].
        frame, hop: samples of a frame, and from one to the next.
        bands: of the mel scale, from 0 to half the rate.
        offset, width: decibels: a feature is (10 log10(power) + offset) / width, cut to [0, 1].
    """

    name: str
    rate: int
    emphasis: float
    frame: int
    hop: int
    bands: int
    offset: float
    width: float

    def shape(self, samples: int) -> tuple[int, ...]:
        """Of the features of so many samples: frames, 1, bands; no frames where there are too few."""
        return (max(0, 1 + (samples - self.frame) // self.hop), 1, self.bands)

    def apply(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Features [n, frames, 1, bands] float32 of waveforms [n, samples] float32 in [-1, 1]."""
        wave = x.astype(np.float64)
        wave[:, 1:] -= self.emphasis * x[:, :-1]
        starts = np.arange(self.shape(x.shape[1])[0]) * self.hop
        frames = wave[:, starts[:, None] + np.arange(self.frame)] * np.hamming(self.frame)
        power = np.maximum(np.abs(np.fft.rfft(frames)) ** 2 / self.frame, _LEAST)
        decibels = 10 * np.log10(power @ self._mel_matrix)
        features = np.clip((decibels + self.offset) / self.width, 0, 1)
        return np.asarray(features[:, :, np.newaxis], np.float32)

    def traced(self, x: tf.Tensor) -> tf.Tensor:
        """The same in a graph, in float32."""
        import tensorflow as tf

        wave = tf.concat([x[:, :1], x[:, 1:] - self.emphasis * x[:, :-1]], axis=1)
        window = tf.constant(np.hamming(self.frame), tf.float32)
        spectrum = tf.signal.rfft(tf.signal.frame(wave, self.frame, self.hop) * window)
        power = tf.square(tf.math.real(spectrum)) + tf.square(tf.math.imag(spectrum))
        power = tf.maximum(power / self.frame, _LEAST)
        mel = tf.tensordot(power, tf.constant(self._mel_matrix, tf.float32), 1)
        decibels = (10 / math.log(10)) * tf.math.log(mel)
        return tf.clip_by_value((decibels + self.offset) / self.width, 0.0, 1.0)[:, :, tf.newaxis]

    @cached_property
    def _mel_matrix(self) -> NDArray[np.float64]:
        return mel_matrix(self.frame // 2 + 1, self.rate, self.bands, 0.0, self.rate / 2)


# Of MLPerf Tiny's streaming wakeword benchmark.
WAKEWORD = LogMel(
    name="wakeword",
    rate=16_000,
    emphasis=1 - 2**-5,
    frame=1024,
    hop=512,
    bands=40,
    offset=52,
    width=64,
)
