"""The float network as a surrogate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from qbench.artifacts import Domain, Preprocessing
from qbench.errors import UserError
from qbench.surrogate.keras_file import open_keras
from qbench.surrogate.scoring import are_probabilities

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


class KerasSurrogate:
    """A Keras classifier with its preprocessing, giving logits even if the file ends in a softmax.

    Args:
        model: takes [n, *shape] float32 in its own unit.
        preprocessing: from the domain to that unit.
        domain: of the inputs.

    Raises:
        UserError: the network ends in a softmax that cannot be taken off.
    """

    name = "float"

    def __init__(self, model: keras.Model, preprocessing: Preprocessing, domain: Domain) -> None:
        self.domain = domain
        self._model = without_softmax(model)
        self._preprocessing = preprocessing

    @classmethod
    def load(cls, path: Path, preprocessing: Preprocessing, domain: Domain) -> KerasSurrogate:
        """The surrogate of a bundle's `float.keras`."""
        return cls(open_keras(path), preprocessing, domain)

    def logits(self, x: tf.Tensor) -> tf.Tensor:
        """Scores before softmax, [n, classes] float32, of inputs [n, *shape] float32 in the domain."""
        import tensorflow as tf

        real = x * self._preprocessing.scale + self._preprocessing.offset
        return tf.cast(self._model(real, training=False), tf.float32)


def without_softmax(model: keras.Model) -> keras.Model:
    """The same network with logits out.

    Cuts a final softmax layer or operation off, or makes the activation of the last layer linear.

    Args:
        model: with one input and one output.

    Raises:
        UserError: the outputs are probabilities, and the network's graph does not tell where from.
    """
    import keras

    whole = keras.Model(model.inputs[0], model.outputs[0])
    if not _gives_probabilities(whole):
        return whole
    last, fed = _last_operation(whole)
    if isinstance(last, keras.Model):
        return keras.Model(whole.input, without_softmax(last)(fed))
    if type(last).__name__ == "Softmax" or (_has_softmax(last) and isinstance(last, keras.layers.Activation)):
        return keras.Model(whole.input, fed)
    if _has_softmax(last):
        config = {**last.get_config(), "activation": "linear", "name": f"{last.name}_logits"}
        linear = type(last).from_config(config)
        cut = keras.Model(whole.input, linear(fed))
        linear.set_weights(last.get_weights())
        return cut
    raise UserError(
        f"the network {model.name!r} gives probabilities, and its softmax cannot be taken off",
        cause="it is neither a final Softmax or Activation nor the activation of the last layer",
        hint="save the network with logits as its output",
    )


def _gives_probabilities(model: keras.Model) -> bool:
    """Whether the outputs for some noise look like softmax's: none negative, with sum 1."""
    noise = np.random.default_rng(0).normal(size=(8, *model.input_shape[1:])).astype(np.float32)
    out = np.asarray(model(noise, training=False), np.float64)
    return bool(are_probabilities(out).all())


def _last_operation(model: keras.Model) -> tuple[Any, Any]:
    """What computes the output, and the symbolic tensor that goes into it."""
    operation, node, _ = model.output._keras_history
    return operation, operation._inbound_nodes[node].input_tensors[0]


def _has_softmax(layer: Any) -> bool:
    import keras

    return getattr(layer, "activation", None) is keras.activations.softmax
