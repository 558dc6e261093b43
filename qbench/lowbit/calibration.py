"""Post-training quantization: the step of a grid from the values that it is to hold."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

_PERCENTILE = 99.99
# Steps that are tried, as fractions of the one that clips nothing.
_FRACTIONS = np.arange(1, 101) / 100
_BINS = 4096


def minmax(x: NDArray[np.float32], low: int, high: int) -> float:
    """The least step whose codes low..high reach every value, so that none is clipped.

    Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
    Inference", CVPR 2018, section 3.
    """
    return _reaching(float(x.min()), float(x.max()), low, high)


def percentile(x: NDArray[np.float32], low: int, high: int) -> float:
    """As `minmax`, of all values but the outermost 0.01 % on either side.

    Wu et al., "Integer Quantization for Deep Learning Inference", 2020, section 3.3.
    """
    least, greatest = np.percentile(x, [100 - _PERCENTILE, _PERCENTILE])
    return _reaching(float(least), float(greatest), low, high)


def mse(x: NDArray[np.float32], low: int, high: int) -> float:
    """The step of the least mean squared error, of a hundred up to that of `minmax`.

    Nagel et al., "A White Paper on Neural Network Quantization", 2021, section 3.1.
    """
    values, counts = _tally(x)
    largest = minmax(x, low, high)
    steps = largest * _FRACTIONS
    errors = [
        np.sum(counts * (values - step * np.clip(np.rint(values / step), low, high)) ** 2) for step in steps
    ]
    return float(steps[int(np.argmin(errors))])


CALIBRATIONS: dict[str, Callable[[NDArray[np.float32], int, int], float]] = {
    "minmax": minmax,
    "percentile": percentile,
    "mse": mse,
}


def _reaching(least: float, greatest: float, low: int, high: int) -> float:
    below = least / low if low < 0 else 0.0
    return max(greatest / high, below, float(np.finfo(np.float32).tiny))


def _tally(x: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Values and how often each occurs, in bins if there are many."""
    if x.size <= _BINS:
        return x.ravel().astype(np.float64), np.ones(x.size, np.int64)
    counts, edges = np.histogram(x, _BINS)
    return (edges[1:] + edges[:-1]) / 2, counts
