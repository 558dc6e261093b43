"""Adam outside of graphs, for attacks that estimate their gradients by queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

_MEAN, _SQUARE, _TINY = 0.9, 0.999, 1e-8


@dataclass
class Adam:
    """Moments of every element, and how often each was updated.

    Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1.

    Attributes:
        mean, square: [n, ...] float32.
        times: [n, ...] int32; an element's bias is corrected by its own number of updates.
    """

    mean: Array
    square: Array
    times: NDArray[np.int32]

    @classmethod
    def over(cls, like: Array) -> Adam:
        """Nothing seen yet, of arrays of this shape."""
        return cls(np.zeros_like(like), np.zeros_like(like), np.zeros(like.shape, np.int32))

    def of(self, index: Any) -> Adam:
        """A copy of some elements, by any NumPy index."""
        return Adam(self.mean[index], self.square[index], self.times[index])

    def put(self, index: Any, part: Adam) -> None:
        """Write such a copy back."""
        self.mean[index], self.square[index] = part.mean, part.square
        self.times[index] = part.times

    def step(self, gradient: Array, rate: float | Array) -> Array:
        """Take a gradient in, and return the step up along it."""
        self.times += 1
        self.mean += (1 - _MEAN) * (gradient - self.mean)
        self.square += (1 - _SQUARE) * (np.square(gradient) - self.square)
        mean = self.mean / (1 - _MEAN**self.times)
        square = self.square / (1 - _SQUARE**self.times)
        return np.asarray(rate * mean / (np.sqrt(square) + _TINY), np.float32)
