"""An ONNX graph in QDQ form as a differentiable TensorFlow graph.

Values are float32, laid out as in ONNX; between QuantizeLinear and DequantizeLinear they are codes with
the zero point subtracted. What lies between the quantizers runs in float32, as ONNX defines it: a runtime
that fuses it into integer kernels may land on the other side of a rounding tie.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qbench.errors import UserError
from qbench.surrogate.lifted.gradients import GradientRule, rule_for_scores
from qbench.surrogate.lifted.qdq_operators import lower
from qbench.surrogate.lifted.qdq_reader import QdqNode, read_qdq

if TYPE_CHECKING:
    import tensorflow as tf


class QdqClassifier:
    """The graph as a TensorFlow function, up to the tensor that goes into a final Softmax.

    Args:
        content: the file's bytes.
        rule: how gradients cross QuantizeLinear; all else has its own.

    Raises:
        UserError: the file cannot be read, or holds an operator that cannot be lifted.
    """

    def __init__(self, content: bytes, rule: GradientRule) -> None:
        self._graph = read_qdq(content, rule)
        self._output = self._graph.before_softmax()
        self.sigmoid = self._graph.ends_in_sigmoid()
        last = {node.index for node in self._graph.behind(self._output)}
        needed, waiting = set(), {self._output}
        for node in reversed(self._graph.nodes):
            if node.output in waiting:
                needed.add(node.index)
                waiting.update(node.inputs)
        self._steps = [
            (lower(replace(node, rule=rule_for_scores(rule)) if node.index in last else node), node)
            for node in self._graph.nodes
            if node.index in needed
        ]

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """Scores [n, classes] of inputs [n, *shape] float32 in the network's unit."""
        import tensorflow as tf

        values = {self._graph.entry: x}
        if self._output not in {node.output for _, node in self._steps}:
            raise UserError("the network's output is not computed from its input")
        for function, node in self._steps:
            data = [self._value(values, name, node) for name in node.inputs]
            values[node.output] = function(*data)
        scores = values[self._output]
        if scores.shape.rank is None or scores.shape.rank < 2 or None in scores.shape[1:]:
            raise UserError(
                f"the network's scores have the shape {scores.shape}",
                cause="a classifier gives one row of scores an input",
            )
        return tf.reshape(scores, [-1, int(np.prod(scores.shape[1:]))])

    def _value(self, values: dict[str, tf.Tensor], name: str, node: QdqNode) -> Any:
        """Of an operand: computed, a constant, or None where it is left out."""
        if not name:
            return None
        found = values.get(name, self._graph.constants.get(name))
        node.require(found is not None, f"its input {name!r} has no value")
        return found
