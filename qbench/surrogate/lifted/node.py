"""What a lowering sees of the operator that it lowers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qbench.errors import UserError
from qbench.surrogate.lifted.gradients import Clamp, GradientRule, integer_operator
from qbench.surrogate.lifted.reader import Graph, GraphTensor, Operator

if TYPE_CHECKING:
    import tensorflow as tf

Lowered = Callable[..., Any]
"""From the values of an operator's data inputs to that of its output."""

# The real bounds of ActivationFunctionType's NONE, RELU, RELU_N1_TO_1 and RELU6.
ACTIVATIONS: dict[int, tuple[float, float]] = {
    0: (-np.inf, np.inf),
    1: (0.0, np.inf),
    2: (-1.0, 1.0),
    3: (0.0, 6.0),
}


@dataclass(frozen=True)
class Node:
    """An operator with its tensors, and the gradient rule of the graph that it is lowered into.

    Values of quantized tensors are codes with the zero point subtracted, float32: whole but under the rule
    `float`.
    """

    operator: Operator
    graph: Graph
    rule: GradientRule

    def has(self, position: int) -> bool:
        """Whether an optional input is there."""
        return position < len(self.operator.inputs) and self.operator.inputs[position] >= 0

    def input(self, position: int) -> GraphTensor:
        """An input tensor."""
        if not self.has(position):
            raise self.refusal(f"input {position} is missing")
        return self.graph.tensors[self.operator.inputs[position]]

    @property
    def output(self) -> GraphTensor:
        """The output tensor."""
        return self.graph.tensors[self.operator.outputs[0]]

    def constant(self, position: int) -> NDArray[Any]:
        """The array of an input that must be known."""
        data = self.input(position).data
        if data is None:
            raise self.refusal(f"input {position} is not a constant")
        return data

    def option(self, name: str) -> Any:
        """A field of the operator's options."""
        if not hasattr(self.operator.options, name):
            raise self.refusal(f"its option {name} is missing")
        return getattr(self.operator.options, name)

    def refusal(self, cause: str) -> UserError:
        """The error for an operator that cannot be lifted."""
        return UserError(
            f"operator {self.operator.index}, {self.operator.name}, cannot be lifted into a gradient",
            cause=cause,
            hint="attack the float network instead, or leave the operator out of the exported network",
        )

    def require_rank(self, *ranks: tuple[int, int]) -> None:
        """Refuse inputs of another number of dimensions; each by its position."""
        for position, rank in ranks:
            shape = self.input(position).shape
            self.require(len(shape) == rank and 0 not in shape, f"input {position} has the shape {shape}")

    def convert(self, lower: Callable[[Node], Lowered]) -> Lowered:
        """The operator as a function; what does not fit in it is told with its name.

        Raises:
            UserError: it cannot be lifted, or its parts do not fit each other.
        """
        try:
            with np.errstate(over="raise", divide="raise", invalid="raise"):
                return self._check(lower(self))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise self._misfit(error) from error

    def _check(self, function: Lowered) -> Lowered:
        """The function, its result of the shape that the file states."""
        import tensorflow as tf

        def compute(*data: Any) -> Any:
            try:
                found = function(*data)
            except (LookupError, TypeError, ValueError, tf.errors.OpError) as error:
                raise self._misfit(error) from error
            stated = self.output.shape[1:]
            fits = found.shape.rank is None or found.shape[1:].is_compatible_with(stated)
            self.require(fits, f"it gives {found.shape}, where the file states {self.output.shape}")
            return found

        return compute

    def _misfit(self, error: Exception) -> UserError:
        said = (str(error).splitlines() or [type(error).__name__])[0]
        return self.refusal(f"its inputs and options do not fit each other: {said}")

    def require(self, holds: bool, otherwise: str) -> None:
        """Refuse the operator unless a condition holds.

        Raises:
            UserError: naming the operator and its index.
        """
        if not holds:
            raise self.refusal(otherwise)

    def require_codes(self, *tensors: GraphTensor) -> None:
        """Refuse tensors that are not int8 with one scale."""
        for tensor in tensors:
            self.require(
                tensor.dtype == "int8" and tensor.quantized,
                f"tensor {tensor.name!r} is {tensor.dtype}, where int8 with one scale is needed",
            )

    def require_int8_or_int16(self, *tensors: GraphTensor) -> None:
        """Refuse tensors that are not all int8, or all int16 with zero point 0, each with one scale."""
        wanted = "int16" if tensors[0].dtype == "int16" else "int8"
        for tensor in tensors:
            self.require(
                tensor.dtype == wanted and tensor.quantized,
                f"tensor {tensor.name!r} is {tensor.dtype}, where {wanted} with one scale is needed",
            )
            self.require(
                wanted == "int8" or tensor.zero_point == 0,
                f"tensor {tensor.name!r} is int16 with zero point {tensor.zero_point}, where 0 is needed",
            )

    def require_same_grid(self, *tensors: GraphTensor) -> None:
        """Refuse quantized inputs that do not have the output's scale and zero point."""
        for tensor in tensors:
            alike = (
                tensor.dtype == self.output.dtype
                and np.array_equal(tensor.scales, self.output.scales)
                and np.array_equal(tensor.zero_points, self.output.zero_points)
            )
            self.require(alike, f"tensor {tensor.name!r} is quantized differently from the output")

    def clamp(self, activation: int | None = None) -> Clamp:
        """The output's range under a fused activation; None takes the one in the options."""
        code = self.option("fusedActivationFunction") if activation is None else activation
        self.require(code in ACTIVATIONS, f"the fused activation {code} is not supported")
        floor, ceiling = (bound / float(self.output.scale) for bound in ACTIVATIONS[code])
        return Clamp(
            low=max(self.output.low, self._nearest(ACTIVATIONS[code][0])),
            high=min(self.output.high, self._nearest(ACTIVATIONS[code][1])),
            floor=floor,
            ceiling=ceiling,
        )

    def _nearest(self, real: float) -> int:
        """The code nearest to a real bound, the zero point subtracted and cut to what codes can be."""
        steps = np.float32(real) / self.output.scale
        rounded = np.copysign(np.floor(np.abs(steps) + np.float32(0.5)), steps)
        return int(np.clip(rounded, self.output.low, self.output.high))

    def integer_operator(self, exact: Lowered, real: Lowered, clamp: Clamp) -> Lowered:
        """The operator under this graph's gradient rule; see `gradients.integer_operator`."""
        return integer_operator(exact, real, clamp, self.rule)


def as_float(x: Any) -> tf.Tensor:
    """Whole numbers as float32, exact as far as a clamp to codes can tell."""
    import tensorflow as tf

    return tf.cast(x, tf.float32)
