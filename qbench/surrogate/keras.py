"""The float network as a surrogate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qbench.artifacts import Domain, Preprocessing
from qbench.errors import UserError

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
        """The surrogate of a `.keras` file."""
        import keras

        return cls(keras.models.load_model(path, compile=False), preprocessing, domain)

    def logits(self, x: tf.Tensor) -> tf.Tensor:
        """Scores before softmax, [n, classes] float32, of inputs [n, *shape] float32 in the domain."""
        real = x * self._preprocessing.scale + self._preprocessing.offset
        return self._model(real, training=False)


def without_softmax(model: keras.Model) -> keras.Model:
    """The same network with logits out; `model` itself if it gives logits already."""
    import keras

    last = model.layers[-1]
    if isinstance(last, keras.layers.Softmax):
        return keras.Model(model.inputs, last.input)
    if getattr(last, "activation", None) is not keras.activations.softmax:
        return model
    if isinstance(last, keras.layers.Activation):
        return keras.Model(model.inputs, last.input)
    if len(last._inbound_nodes) != 1:
        raise UserError(
            f"the softmax in layer {last.name!r} cannot be taken off",
            cause="the layer is used more than once",
            hint="save the network with logits as its output",
        )
    linear = type(last).from_config({**last.get_config(), "activation": "linear"})
    cut = keras.Model(model.inputs, linear(last.input))
    linear.set_weights(last.get_weights())
    return cut
