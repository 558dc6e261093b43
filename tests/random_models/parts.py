"""What the random models are made of: codes, zero points, scales, shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Draw = np.random.Generator
Made = tuple[bytes, tuple[Array, ...]]
"""A model, and samples for each of its inputs."""

SAMPLES = 4


def codes(rng: Draw, shape: tuple[int, ...], dtype: str = "int8") -> Array:
    """Samples of codes: uniform, the two ends, and one that is mostly at the ends."""
    info = np.iinfo(dtype)
    values = rng.integers(info.min, info.max + 1, (SAMPLES, *shape))
    values[1] = rng.choice([info.min, info.max])
    values[2] = rng.choice([info.min, info.min + 1, 0, info.max - 1, info.max], shape)
    return values.astype(dtype)


def zero(rng: Draw) -> int:
    """A zero point, often at one end."""
    return int(rng.choice([-128, 127, 0, -1, int(rng.integers(-128, 128))]))


def scale(rng: Draw, low: float = 1e-3, high: float = 1.0) -> float:
    """A scale, log-uniform; sometimes a power of two, which makes ties."""
    value = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    return float(np.float32(2.0 ** np.round(np.log2(value)) if rng.random() < 0.25 else value))


def other_scale(rng: Draw, scale: float) -> float:
    """The scale of an output whose input has `scale`: alike, equal, or far away."""
    kind = rng.random()
    if kind < 0.15:
        return scale
    if kind < 0.3:
        return float(np.float32(scale * 2.0 ** rng.integers(-9, 10)))
    return float(np.float32(scale * np.exp(rng.uniform(-2, 2))))


def dims(rng: Draw, rank: int, most: int = 7) -> tuple[int, ...]:
    return tuple(int(d) for d in rng.integers(1, most + 1, rank))
