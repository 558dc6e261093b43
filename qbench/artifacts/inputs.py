"""What inputs are: their domain, their preprocessing, tensors, and the data set they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from qbench.artifacts.base import Record
from qbench.frontends import FRONT_ENDS
from qbench.quant import CodeType, Quantization

if TYPE_CHECKING:
    import tensorflow as tf

# An element of an input, which is float32; and a distance of two inputs, by any norm.
Value = Annotated[float, Field(ge=-3.5e38, le=3.5e38)]


Distance = Annotated[float, Field(gt=0, le=1e60)]


class Domain(Record):
    """The values that an input may take, and so what a perturbation budget means.

    Attributes:
        name: "image", "int8-features", "features" or "waveform".
        low, high: bounds of every element; a budget is stated in the same unit.
        step: the width of one grid level (1/255 for images), or None when inputs are continuous.
    """

    name: Literal["image", "int8-features", "features", "waveform"]
    low: Value
    high: Value
    step: Annotated[float, Field(gt=0)] | None

    @model_validator(mode="after")
    def _is_wide(self) -> Domain:
        if not self.low <= self.high:
            raise ValueError(f"low, {self.low:g}, is above high, {self.high:g}")
        return self


class Preprocessing(Record):
    """What the network expects of an input of the domain: network input = scale * x + offset.

    Attributes:
        front_end: of a waveform, what computes the features x; one of `qbench.frontends.FRONT_ENDS`.
    """

    scale: float = 1.0
    offset: float = 0.0
    front_end: str | None = None

    @field_validator("front_end")
    @classmethod
    def _is_known(cls, front_end: str | None) -> str | None:
        if front_end is not None and front_end not in FRONT_ENDS:
            raise ValueError(f"there is no front end {front_end!r}; known: {', '.join(FRONT_ENDS)}")
        return front_end

    @field_validator("scale")
    @classmethod
    def _tells_inputs_apart(cls, scale: float) -> float:
        if scale == 0:
            raise ValueError("a scale of 0 makes all inputs the same")
        return scale

    def apply(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """From the domain to the network's own input unit; float32, same shape, or that of the features."""
        if self.front_end is not None:
            x = FRONT_ENDS[self.front_end].apply(x)
        return (x * np.float32(self.scale) + np.float32(self.offset)).astype(np.float32)

    def traced(self, x: tf.Tensor) -> tf.Tensor:
        """The same in a graph."""
        if self.front_end is not None:
            x = FRONT_ENDS[self.front_end].traced(x)
        return x * np.float32(self.scale) + np.float32(self.offset)

    def features_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of what the network gets of an input [*shape] of the domain."""
        return shape if self.front_end is None else FRONT_ENDS[self.front_end].shape(shape[0])

    def invert(self, real: NDArray[np.float32]) -> NDArray[np.float32]:
        """From the network's own input unit back to the domain, or to the features; float32, same shape."""
        return ((real - np.float32(self.offset)) / np.float32(self.scale)).astype(np.float32)


class TensorSpec(Record):
    """An input or output tensor of an artefact; `shape` is without the batch dimension."""

    name: str
    shape: tuple[int, ...]
    dtype: Literal["int8", "uint8", "int16", "float32"]
    scale: float | None = None
    zero_point: int | None = None

    @property
    def quantization(self) -> Quantization | None:
        """The affine map of an integer tensor; None for float32."""
        if self.scale is None or self.zero_point is None or self.dtype == "float32":
            return None
        dtype: CodeType = self.dtype
        return Quantization(self.scale, self.zero_point, dtype)


class DataInfo(Record):
    """The data set that an artefact was made with.

    Attributes:
        values: of a regression, how many true values an input has; None where inputs have labels.
    """

    name: str
    fingerprint: str
    domain: Domain
    classes: tuple[str, ...]
    input_shape: tuple[int, ...]
    values: int | None = None
