"""A network as an integer runtime computes it: int8 tensors, and the operators between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Activation = Literal["NONE", "RELU", "RELU_N1_TO_1"]
Padding = Literal["SAME", "VALID"]


@dataclass(frozen=True)
class ProgramTensor:
    """An int8 tensor: real = scale * (code - zero_point).

    Attributes:
        name: of the Keras layer whose output it holds.
        shape: without the batch.
    """

    name: str
    shape: tuple[int, ...]
    scale: float
    zero_point: int


@dataclass(frozen=True)
class Weighted:
    """A convolution or a dense layer, requantized to its output and clamped.

    Attributes:
        weights: int8 in TFLite's layout: [out, h, w, in], depthwise [1, h, w, out], dense [out, in].
        scales: [out] float64, the real value of one weight code.
        bias: [out] int32, in units of the input's scale times `scales`.
        bits: width of a weight of the network that was trained; None where the weights are not its own.
    """

    kind: Literal["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"]
    x: ProgramTensor
    y: ProgramTensor
    weights: NDArray[np.int8]
    scales: NDArray[np.float64]
    bias: NDArray[np.int32]
    activation: Activation
    strides: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: Padding = "VALID"
    bits: int | None = None


@dataclass(frozen=True)
class Sum:
    """The sum of two tensors, requantized and clamped."""

    a: ProgramTensor
    b: ProgramTensor
    y: ProgramTensor
    activation: Activation


@dataclass(frozen=True)
class MaxPool:
    """The greatest code of every window."""

    x: ProgramTensor
    y: ProgramTensor
    size: tuple[int, int]
    strides: tuple[int, int]
    padding: Padding


@dataclass(frozen=True)
class Pad:
    """Zeros around an image; `widths` is ((top, bottom), (left, right))."""

    x: ProgramTensor
    y: ProgramTensor
    widths: tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Reshape:
    """The same codes in another shape."""

    x: ProgramTensor
    y: ProgramTensor


Operator = Weighted | Sum | MaxPool | Pad | Reshape


@dataclass
class Program:
    """Operators in the order of their execution."""

    name: str
    input: ProgramTensor
    output: ProgramTensor
    operators: list[Operator] = field(default_factory=list)

    @property
    def weight_bytes_saved(self) -> int:
        """How many bytes fewer the weights take if each takes no more than its bits."""
        own = (each for each in self.operators if isinstance(each, Weighted) and each.bits is not None)
        return sum(each.weights.size - -(-each.weights.size * (each.bits or 0) // 8) for each in own)
