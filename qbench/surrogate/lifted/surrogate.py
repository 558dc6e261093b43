"""The deployed integer network itself as a surrogate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qbench.artifacts import Domain, Preprocessing
from qbench.errors import UserError
from qbench.formats.tflite_file import is_tflite
from qbench.surrogate.lifted.classifier import TfliteClassifier, ends_in_sigmoid
from qbench.surrogate.lifted.gradients import find_rule
from qbench.surrogate.lifted.qdq import QdqClassifier
from qbench.surrogate.lifted.qdq_reader import read_qdq
from qbench.surrogate.lifted.reader import read_graph

if TYPE_CHECKING:
    import tensorflow as tf


class LiftedSurrogate:
    """An integer network, from its `.tflite` or QDQ `.onnx` file, with a gradient.

    Of a `.tflite` the forward pass equals TFLite's reference kernels element for element, with the input
    rounded to the network's grid, under every rule but `float`. That holds on CPUs; on a GPU convolutions may
    be computed by transforms that round. Of an `.onnx` see `qdq`. Scores are the dequantized output; if the
    network ends in a softmax, they are the dequantized input of that softmax, since its 8-bit output has no
    gradient to climb once it saturates.

    Args:
        content: the file's bytes; input and output int8, uint8, int16 or float32.
        preprocessing: from the domain to the network's input unit.
        domain: of the inputs.
        rule: how gradients cross rounding and clamps; one of `GRADIENTS`.

    Attributes:
        name: "lifted:" and the rule.
        sigmoid: whether the network gives one score that is a probability; `logits` has it before that.

    Raises:
        UserError: there is no such rule; or the file is no classifier with one input and one output, or
            holds an operator that cannot be lifted, which is named with its index.
    """

    def __init__(
        self, content: bytes, preprocessing: Preprocessing, domain: Domain, rule: str = "clipped-ste"
    ) -> None:
        from tensorflow import autograph

        known = find_rule(rule)
        self.name = f"lifted:{known}"
        self.domain = domain
        self._preprocessing = preprocessing
        lift = TfliteClassifier if is_tflite(content) else QdqClassifier
        network = lift(content, known)
        self.sigmoid = network.sigmoid
        # There is no control flow to convert, and much to look through.
        self._scores: Callable[[Any], Any] = autograph.experimental.do_not_convert(network)

    @classmethod
    def load(
        cls, path: Path, preprocessing: Preprocessing, domain: Domain, rule: str = "clipped-ste"
    ) -> LiftedSurrogate:
        """The surrogate of a `.tflite` or QDQ `.onnx` file.

        Raises:
            UserError: as above, or the file cannot be read.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise UserError(f"cannot read {path}", cause=error.strerror) from error
        return cls(content, preprocessing, domain, rule)

    def logits(self, x: tf.Tensor) -> tf.Tensor:
        """Scores [n, classes] float32 of inputs [n, *shape] float32 in the domain."""
        return self._scores(self._preprocessing.traced(x))


def final_sigmoid(content: bytes) -> bool:
    """Whether an integer network, a `.tflite` or QDQ `.onnx` file, gives one score that is a probability.

    Raises:
        UserError: the file cannot be read.
    """
    if is_tflite(content):
        return ends_in_sigmoid(read_graph(content))
    return read_qdq(content, "float").ends_in_sigmoid()
