"""The deployed integer network itself as a surrogate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from qbench.artifacts import Domain, Preprocessing
from qbench.errors import UserError
from qbench.surrogate.lifted.arithmetic import nearest_code
from qbench.surrogate.lifted.gradients import Clamp, GradientRule, find_rule, integer_operator
from qbench.surrogate.lifted.network import LiftedNetwork
from qbench.surrogate.lifted.reader import Graph, read_graph

if TYPE_CHECKING:
    import tensorflow as tf

_TRANSPARENT = {"DEQUANTIZE", "QUANTIZE", "RESHAPE"}
"""What may stand between a final softmax and the output."""


class LiftedSurrogate:
    """An integer `.tflite` network with the scores of TFLite's reference kernels, and a gradient.

    The forward pass equals TFLite's reference kernels element for element, with the input rounded to the
    network's grid, under every rule but `float`. Scores are the dequantized output; if the network ends in a
    SOFTMAX, they are the dequantized input of that SOFTMAX, since its 8-bit output has no gradient to climb
    once it saturates. Exact on CPUs; on a GPU convolutions may be computed by transforms that round.

    Args:
        content: the file's bytes; input and output int8, uint8 or float32.
        preprocessing: from the domain to the network's input unit.
        domain: of the inputs.
        rule: how gradients cross rounding and clamps; one of `GRADIENTS`.

    Attributes:
        name: "lifted:" and the rule.

    Raises:
        UserError: there is no such rule; or the file is no `.tflite`, is no classifier with one input and one
            output, or holds an operator that cannot be lifted, which is named with its index.
    """

    def __init__(
        self, content: bytes, preprocessing: Preprocessing, domain: Domain, rule: str = "clipped-ste"
    ) -> None:
        self._rule: GradientRule = find_rule(rule)
        self.name = f"lifted:{rule}"
        self.domain = domain
        self._preprocessing = preprocessing
        graph = read_graph(content)
        if len(graph.inputs) != 1 or len(graph.outputs) != 1:
            raise UserError(
                f"the network has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs",
                cause="a classifier has one each",
            )
        scores = before_softmax(graph)
        self._network = LiftedNetwork(graph, self._rule, [scores])
        self._input, self._scores = graph.tensors[graph.inputs[0]], graph.tensors[scores]
        for tensor in (self._input, self._scores):
            if tensor.dtype != "float32" and not tensor.quantized:
                raise UserError(
                    f"tensor {tensor.name!r} is {tensor.dtype}",
                    cause="a network's ends must be float32, or int8 or uint8 with one scale",
                )

    @classmethod
    def load(
        cls, path: Path, preprocessing: Preprocessing, domain: Domain, rule: str = "clipped-ste"
    ) -> LiftedSurrogate:
        """The surrogate of a `.tflite` file."""
        return cls(path.read_bytes(), preprocessing, domain, rule)

    def logits(self, x: tf.Tensor) -> tf.Tensor:
        """Scores [n, classes] float32 of inputs [n, *shape] float32 in the domain."""
        import tensorflow as tf

        real = x * np.float32(self._preprocessing.scale) + np.float32(self._preprocessing.offset)
        (scores,) = self._network(self._rounded(real))
        if self._scores.quantized:
            scores = scores * self._scores.scale
        return tf.reshape(scores, [-1, int(np.prod(self._scores.shape[1:]))])

    def _rounded(self, real: tf.Tensor) -> tf.Tensor:
        """Inputs as the network takes them: codes of its grid, unless it takes float32."""
        entry = self._input
        if not entry.quantized:
            return real
        rounding = integer_operator(
            lambda x: nearest_code(x, entry),
            lambda x: x / entry.scale,
            Clamp(entry.low, entry.high),
            self._rule,
        )
        return rounding(real)


def before_softmax(graph: Graph) -> int:
    """The tensor that goes into a final softmax, or the output where there is none."""
    index = graph.outputs[0]
    operator = graph.producers.get(index)
    while operator is not None and operator.name in _TRANSPARENT:
        operator = graph.producers.get(operator.inputs[0])
    return operator.inputs[0] if operator is not None and operator.name == "SOFTMAX" else index
