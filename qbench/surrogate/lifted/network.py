"""A file's graph, lowered operator by operator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from qbench.errors import UserError
from qbench.surrogate.lifted import arithmetic, movement, pooling, softmax, tables, weighted
from qbench.surrogate.lifted.folding import fold_shapes
from qbench.surrogate.lifted.gradients import GradientRule, rule_for_scores
from qbench.surrogate.lifted.node import Lowered, Node
from qbench.surrogate.lifted.reader import Graph, GraphTensor

if TYPE_CHECKING:
    import tensorflow as tf


class _Kind(NamedTuple):
    """How an operator is lowered, and how many of its inputs are data; None: all."""

    lower: Callable[[Node], Lowered]
    data_inputs: int | None = 1


OPERATORS: dict[str, _Kind] = {
    "ADD": _Kind(arithmetic.add, 2),
    "AVERAGE_POOL_2D": _Kind(pooling.average_pool_2d),
    "CONCATENATION": _Kind(movement.concatenation, None),
    "CONV_2D": _Kind(weighted.conv_2d),
    "DEPTHWISE_CONV_2D": _Kind(weighted.depthwise_conv_2d),
    "DEQUANTIZE": _Kind(arithmetic.dequantize),
    "EXPAND_DIMS": _Kind(movement.reshape),
    "FULLY_CONNECTED": _Kind(weighted.fully_connected),
    "HARD_SWISH": _Kind(tables.hard_swish),
    "LEAKY_RELU": _Kind(tables.leaky_relu),
    "LOGISTIC": _Kind(tables.logistic),
    "MAXIMUM": _Kind(arithmetic.maximum, 2),
    "MAX_POOL_2D": _Kind(pooling.max_pool_2d),
    "MEAN": _Kind(pooling.mean),
    "MINIMUM": _Kind(arithmetic.minimum, 2),
    "MUL": _Kind(arithmetic.mul, 2),
    "PACK": _Kind(movement.pack, None),
    "PAD": _Kind(movement.pad),
    "PADV2": _Kind(movement.pad),
    "QUANTIZE": _Kind(arithmetic.quantize),
    "REDUCE_MAX": _Kind(pooling.reduce_max),
    "RELU": _Kind(tables.relu),
    "RELU6": _Kind(tables.relu6),
    "RESHAPE": _Kind(movement.reshape),
    "RESIZE_BILINEAR": _Kind(movement.resize_bilinear),
    "RESIZE_NEAREST_NEIGHBOR": _Kind(movement.resize_nearest_neighbor),
    "SOFTMAX": _Kind(softmax.softmax),
    "SQUEEZE": _Kind(movement.reshape),
    "STRIDED_SLICE": _Kind(movement.strided_slice),
    "SUB": _Kind(arithmetic.sub, 2),
    "TANH": _Kind(tables.tanh),
    "TILE": _Kind(movement.tile),
    "TRANSPOSE": _Kind(movement.transpose),
}


class LiftedNetwork:
    """A graph as TensorFlow functions; values are as in `Node`.

    Args:
        graph: of the file.
        rule: what gradients the operators have; see `rule_for_scores` on those that give outputs.
        outputs: the tensors to compute; None takes the graph's outputs.

    Attributes:
        graph: without the operators on shapes.

    Raises:
        UserError: an operator is not supported, or not in this form.
    """

    def __init__(self, graph: Graph, rule: GradientRule, outputs: Sequence[int] | None = None) -> None:
        self.graph = fold_shapes(graph)
        self.outputs = tuple(self.graph.outputs if outputs is None else outputs)
        last = {operator.index for index in self.outputs for operator in self.graph.behind(index)}
        self._steps: list[tuple[Lowered, tuple[int, ...], int]] = []
        for operator in self.graph.operators:
            if operator.index not in self._find_needed():
                continue
            node = Node(operator, self.graph, rule_for_scores(rule) if operator.index in last else rule)
            if operator.name not in OPERATORS:
                known = ", ".join(OPERATORS)
                raise node.refusal(f"it is not supported; supported are {known}")
            kind = OPERATORS[operator.name]
            data = operator.inputs[: kind.data_inputs]
            self._steps.append((node.convert(kind.lower), data, operator.outputs[0]))

    def _find_needed(self) -> set[int]:
        """The operators that the outputs depend on."""
        needed: set[int] = set()
        waiting = list(self.outputs)
        while waiting:
            operator = self.graph.producers.get(waiting.pop())
            if operator is not None and operator.index not in needed:
                needed.add(operator.index)
                waiting.extend(operator.inputs)
        return needed

    def __call__(self, *inputs: tf.Tensor) -> list[tf.Tensor]:
        """Values of the outputs, from those of the graph's inputs."""
        values = dict(zip(self.graph.inputs, inputs, strict=True))
        for function, data, output in self._steps:
            values[output] = function(*(self._value(values, index) for index in data))
        return [self._value(values, index) for index in self.outputs]

    def _value(self, values: dict[int, tf.Tensor], index: int) -> tf.Tensor:
        if index in values:
            return values[index]
        tensor = self.graph.tensors[index]
        if tensor.data is None:
            raise UserError(
                f"tensor {tensor.name!r} has no value", cause="the file's operators do not run in order"
            )
        return _constant(tensor)


def _constant(tensor: GraphTensor) -> tf.Tensor:
    """The value of a constant: codes with the zero point subtracted, or what is stored."""
    import tensorflow as tf

    assert tensor.data is not None  # noqa: S101 - the caller looked
    if tensor.quantized:
        return tf.constant((tensor.data.astype(np.int64) - tensor.zero_point).astype(np.float32))
    return tf.constant(tensor.data)
