"""A network in a `.tflite` file from real inputs to real scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qbench.errors import UserError
from qbench.surrogate.lifted.arithmetic import nearest_code
from qbench.surrogate.lifted.gradients import Clamp, GradientRule, integer_operator
from qbench.surrogate.lifted.network import LiftedNetwork
from qbench.surrogate.lifted.reader import Graph, read_graph

if TYPE_CHECKING:
    import tensorflow as tf


class TfliteClassifier:
    """A network with one input and one output, both int8, uint8, int16 or float32.

    Args:
        content: the file's bytes.
        rule: how gradients cross rounding and clamps.

    Raises:
        UserError: the file is no such classifier, or holds an operator that cannot be lifted.
    """

    def __init__(self, content: bytes, rule: GradientRule) -> None:
        graph = read_graph(content)
        if len(graph.inputs) != 1 or len(graph.outputs) != 1:
            raise UserError(
                f"the network has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs",
                cause="a classifier has one each",
            )
        scores = before_softmax(graph)
        self.sigmoid = ends_in_sigmoid(graph)
        self._rule = rule
        self._network = LiftedNetwork(graph, rule, [scores])
        self._input, self._scores = graph.tensors[graph.inputs[0]], graph.tensors[scores]
        _require_batch(self._network.graph)
        if len(self._scores.shape) < 2 or 0 in self._scores.shape:
            raise UserError(
                f"tensor {self._scores.name!r} has the shape {self._scores.shape}",
                cause="a classifier gives one row of scores an input",
            )
        for tensor in (self._input, self._scores):
            if tensor.dtype != "float32" and not tensor.quantized:
                raise UserError(
                    f"tensor {tensor.name!r} is {tensor.dtype}",
                    cause="a network's ends must be float32, or int8, uint8 or int16 with one scale",
                )

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """Scores [n, classes] of inputs [n, *shape] float32 in the network's unit."""
        import tensorflow as tf

        (scores,) = self._network(self._round(x))
        if self._scores.quantized:
            scores = scores * self._scores.scale
        return tf.reshape(scores, [-1, int(np.prod(self._scores.shape[1:]))])

    def _round(self, x: tf.Tensor) -> tf.Tensor:
        """Inputs as the network takes them: codes of its grid, unless it takes float32."""
        entry = self._input
        if not entry.quantized:
            return x
        rounding = integer_operator(
            lambda x: nearest_code(x, entry),
            lambda x: x / entry.scale,
            Clamp(entry.low, entry.high),
            self._rule,
        )
        return rounding(x)


def _require_batch(graph: Graph) -> None:
    """Refuse a graph that mixes the inputs of a batch.

    Raises:
        UserError: the output of an operator does not begin with the batch.
    """
    batch = graph.tensors[graph.inputs[0]].shape[:1]
    for operator in graph.operators:
        shape = graph.tensors[operator.outputs[0]].shape
        if shape[:1] != batch:
            raise UserError(
                f"operator {operator.index}, {operator.name}, cannot be lifted into a gradient",
                cause=f"its output {shape} does not begin with the batch of {batch}",
                hint="attack the float network instead",
            )


def before_softmax(graph: Graph) -> int:
    """The tensor that goes into a final softmax, or the output where there is none.

    Of a network with one score, the tensor that goes into a final sigmoid.
    """
    (output,) = graph.outputs
    behind = graph.behind(output)
    final = "LOGISTIC" if ends_in_sigmoid(graph) else "SOFTMAX"
    return behind[-1].inputs[0] if behind and behind[-1].name == final else output


def ends_in_sigmoid(graph: Graph) -> bool:
    """Whether a network gives one score that is a probability."""
    (output,) = graph.outputs
    behind = graph.behind(output)
    one = int(np.prod(graph.tensors[output].shape[1:])) == 1
    return bool(one and behind and behind[-1].name == "LOGISTIC")
