"""An integer network's own intermediate tensors, and each layer's real result before it is quantized."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.errors import UserError
from qbench.runtimes.tflite import TfliteReferenceRuntime, inner_grid, make_interpreter
from qbench.surrogate.lifted.folding import fold_shapes
from qbench.surrogate.lifted.gradients import Clamp
from qbench.surrogate.lifted.network import OPERATORS
from qbench.surrogate.lifted.node import Lowered, Node
from qbench.surrogate.lifted.reader import Graph, Operator, read_graph

# Operators that move or choose codes and round nothing.
_MOVES = frozenset(
    {
        "CONCATENATION",
        "EXPAND_DIMS",
        "MAXIMUM",
        "MAX_POOL_2D",
        "MINIMUM",
        "PACK",
        "PAD",
        "PADV2",
        "REDUCE_MAX",
        "RESHAPE",
        "RESIZE_NEAREST_NEIGHBOR",
        "SQUEEZE",
        "STRIDED_SLICE",
        "TILE",
        "TRANSPOSE",
    }
)
# In codes, from -1 to 1.
_SIGN_WIDTH = 2
# Whose output is probabilities: no activation that a later layer sees.
_ENDS = frozenset(("SOFTMAX",))


@dataclass(frozen=True)
class Layer:
    """An operator that quantizes its result.

    Attributes:
        index: in the file.
        operator: its name in the file format.
        tensor: the name of its output.
        data: indices of its data inputs.
        output: index of its output.
        real: from the values of its inputs to its result before rounding and saturation.
    """

    index: int
    operator: str
    tensor: str
    data: tuple[int, ...]
    output: int
    real: Lowered


class LayerProbe:
    """A `.tflite` on TFLite's reference kernels, every tensor kept.

    Codes are given with the zero point subtracted, and real results in the same unit, so that both are the
    layer's values over its output scale.

    Args:
        path: of the file; its input int8, uint8 or float32.

    Attributes:
        layers: in the order of the file.
        inner_grid: of the QUANTIZE behind a float32 input; None if there is none.

    Raises:
        UserError: the file is damaged, or holds an operator that cannot be lifted.
        EnvironmentLacks: TensorFlow is missing.
    """

    def __init__(self, path: Path) -> None:
        content = path.read_bytes()
        self._graph = fold_shapes(read_graph(content))
        package, _ = TfliteReferenceRuntime.package()
        self._interpreter = make_interpreter(content, "BUILTIN_REF", package, keep_tensors=True)
        self._interpreter.allocate_tensors()
        self.layers = tuple(_layers(self._graph))
        self.inner_grid = inner_grid(self._interpreter)

    def values(self, x: NDArray[Any]) -> dict[int, NDArray[np.float32]]:
        """By tensor index, the values [n, ...] of every layer's inputs and outputs.

        Args:
            x: [n, *shape] in the input's own dtype; codes if it is quantized.
        """
        wanted = sorted({index for layer in self.layers for index in (*layer.data, layer.output)})
        rows = [self._tensors(each, wanted) for each in x]
        return {index: np.concatenate([row[index] for row in rows]) for index in wanted}

    def real(self, layer: Layer, values: dict[int, NDArray[np.float32]]) -> NDArray[np.float32]:
        """A layer's results [n, ...] before rounding and saturation, from the codes that go into it."""
        import tensorflow as tf

        found: NDArray[np.float32] = layer.real(*(tf.constant(values[index]) for index in layer.data)).numpy()
        return found

    def _tensors(self, x: NDArray[Any], wanted: list[int]) -> dict[int, NDArray[np.float32]]:
        (entry,) = self._interpreter.get_input_details()
        self._interpreter.set_tensor(entry["index"], x[None])
        self._interpreter.invoke()
        return {index: self._value(index) for index in wanted}

    def _value(self, index: int) -> NDArray[np.float32]:
        tensor = self._graph.tensors[index]
        if tensor.data is not None:
            codes: NDArray[Any] = tensor.data
        else:
            codes = self._interpreter.get_tensor(index)
        if tensor.quantized:
            codes = codes.astype(np.int64) - tensor.zero_point
        return np.asarray(codes, np.float32)


def _layers(graph: Graph) -> Iterator[Layer]:
    for operator in graph.operators:
        output = graph.tensors[operator.outputs[0]]
        if operator.name in _MOVES | _ENDS or not output.quantized:
            continue
        kind = OPERATORS.get(operator.name)
        if kind is None:
            raise UserError(
                f"operator {operator.index}, {operator.name}, has no known real result",
                hint="leave this network out of the study of the value shift",
            )
        yield Layer(
            index=operator.index,
            operator=operator.name,
            tensor=output.name,
            data=_data(operator, kind.data_inputs),
            output=operator.outputs[0],
            real=kind.lower(_node(operator, graph)),
        )


class _BeforeActivation(Node):
    """An operator without its fused activation."""

    def clamp(self, activation: int | None = None) -> Clamp:
        """The range of the codes alone."""
        del activation
        return super().clamp(activation=0)


def _node(operator: Operator, graph: Graph) -> Node:
    """What gives the real result: behind the activation, but before one that leaves a sign of it.

    A network of 1-bit activations is lowered to a clamp to -1 and 1, which is then its quantizer.
    """
    node = Node(operator, graph, "float")
    if hasattr(operator.options, "fusedActivationFunction"):
        clamp = node.clamp()
        if clamp.high - clamp.low <= _SIGN_WIDTH:
            return _BeforeActivation(operator, graph, "float")
    return node


def _data(operator: Operator, count: int | None) -> tuple[int, ...]:
    return tuple(operator.inputs[:count])
