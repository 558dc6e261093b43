"""Random single-operator models: shapes, strides, paddings, activations, quantization, extremes too.

Every case comes from one seed: `draw(operator, seed)`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from . import arithmetic, layers, movement, wide
from .parts import SAMPLES, Array, Draw, Made

__all__ = ["GENERATORS", "SAMPLES", "WIDE", "Case", "draw"]


@dataclass(frozen=True)
class Case:
    """A model, and `SAMPLES` samples for each of its inputs: [SAMPLES, *shape]."""

    operator: str
    seed: int
    model: bytes
    inputs: tuple[Array, ...]


def draw(operator: str, seed: int) -> Case:
    """The case of an operator that a seed stands for."""
    rng = np.random.default_rng([zlib.crc32(operator.encode()), seed])
    model, inputs = GENERATORS[operator](rng)
    return Case(operator, seed, model, inputs)


GENERATORS: dict[str, Callable[[Draw], Made]] = {
    f.__name__: f
    for f in (
        layers.conv_2d,
        layers.depthwise_conv_2d,
        layers.fully_connected,
        layers.fully_connected_per_channel,
        layers.average_pool_2d,
        layers.max_pool_2d,
        arithmetic.mean,
        arithmetic.reduce_max,
        arithmetic.add,
        arithmetic.sub,
        arithmetic.mul,
        arithmetic.maximum,
        arithmetic.minimum,
        movement.concatenation,
        movement.pad,
        movement.padv2,
        movement.reshape,
        movement.expand_dims,
        movement.squeeze,
        movement.transpose,
        arithmetic.softmax,
        arithmetic.logistic,
        arithmetic.tanh,
        arithmetic.relu,
        arithmetic.relu6,
        arithmetic.leaky_relu,
        arithmetic.hard_swish,
        arithmetic.quantize_float,
        arithmetic.requantize,
        arithmetic.dequantize,
        movement.resize_bilinear,
        movement.resize_nearest_neighbor,
        movement.tile,
        movement.strided_slice,
        movement.pack,
        movement.shape_plumbing,
    )
}

# Those that TFLite has a kernel for with 16-bit activations.
_WIDE = (
    "conv_2d",
    "depthwise_conv_2d",
    "fully_connected",
    "fully_connected_per_channel",
    "average_pool_2d",
    "max_pool_2d",
    "mean",
    "reduce_max",
    "add",
    "sub",
    "mul",
    "concatenation",
    "pad",
    "padv2",
    "reshape",
    "expand_dims",
    "squeeze",
    "transpose",
    "softmax",
    "logistic",
    "tanh",
    "relu",
    "relu6",
    "leaky_relu",
    "quantize_float",
    "dequantize",
    "resize_bilinear",
    "resize_nearest_neighbor",
    "strided_slice",
    "pack",
    "shape_plumbing",
)
WIDE = "_int16"
"""How the names of those end."""
GENERATORS |= {f"{name}{WIDE}": wide.widened(GENERATORS[name]) for name in _WIDE}
GENERATORS[f"requantize{WIDE}"] = wide.requantize
