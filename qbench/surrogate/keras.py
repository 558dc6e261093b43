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
    """A Keras network with its preprocessing, giving logits even if the file ends in a softmax.

    Of a network with one score, a final sigmoid is left out likewise.

    Args:
        model: takes [n, *shape] float32 in its own unit.
        preprocessing: from the domain to that unit.
        domain: of the inputs.

    Raises:
        UserError: the network ends in a softmax or sigmoid that cannot be taken off.
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

        return tf.cast(self._model(self._preprocessing.traced(x), training=False), tf.float32)


def without_softmax(model: keras.Model) -> keras.Model:
    """The same network with logits out.

    Cuts a final softmax layer or operation off, or makes the activation of the last layer linear; of a
    network with one score, a sigmoid.

    Args:
        model: with one input and one output.

    Raises:
        UserError: the outputs are probabilities, and the network's graph does not tell where from.
    """
    import keras

    whole = keras.Model(model.inputs[0], model.outputs[0])
    final = "sigmoid" if _has_one_score(whole) else "softmax"
    if not (ends_in_sigmoid(whole) if _has_one_score(whole) else _gives_probabilities(whole)):
        return whole
    last, fed = _last_operation(whole)
    if isinstance(last, keras.Model):
        return keras.Model(whole.input, without_softmax(last)(fed))
    if hasattr(last, "before_sigmoid"):
        return keras.Model(whole.input, last.before_sigmoid()(fed))
    if _is(last, final):
        return keras.Model(whole.input, fed)
    if _applies(last, final):
        config = {**last.get_config(), "activation": "linear", "name": f"{last.name}_logits"}
        linear = type(last).from_config(config)
        cut = keras.Model(whole.input, linear(fed))
        linear.set_weights(last.get_weights())
        return cut
    raise UserError(
        f"the network {model.name!r} gives probabilities, and its {final} cannot be taken off",
        cause=f"it is no final {final.capitalize()} or Activation, nor the activation of the last layer",
        hint="save the network with logits as its output",
    )


def ends_in_sigmoid(model: keras.Model) -> bool:
    """Whether a network gives one score that is a probability.

    Args:
        model: with one input and one output.
    """
    import keras

    last, _ = _last_operation(keras.Model(model.inputs[0], model.outputs[0]))
    if not _has_one_score(model) or isinstance(last, keras.Model):
        return _has_one_score(model) and ends_in_sigmoid(last)
    return getattr(last, "sigmoid", False) or _is(last, "sigmoid") or _applies(last, "sigmoid")


def _has_one_score(model: keras.Model) -> bool:
    return tuple(model.outputs[0].shape[1:]) == (1,)


def _gives_probabilities(model: keras.Model) -> bool:
    """Whether the outputs for some noise look like softmax's: none negative, with sum 1."""
    noise = np.random.default_rng(0).normal(size=(8, *model.input_shape[1:])).astype(np.float32)
    out = np.asarray(model(noise, training=False), np.float64)
    return bool(are_probabilities(out).all())


def _last_operation(model: keras.Model) -> tuple[Any, Any]:
    """What computes the output, and the symbolic tensor that goes into it."""
    operation, node, _ = model.output._keras_history
    return operation, operation._inbound_nodes[node].input_tensors[0]


def _is(last: Any, final: str) -> bool:
    """Whether an operation is the final activation, and nothing else."""
    import keras

    own = type(last).__name__.lower() == final
    return own or (_applies(last, final) and isinstance(last, keras.layers.Activation))


def _applies(last: Any, final: str) -> bool:
    """Whether a layer has the final activation as its own."""
    import keras

    return getattr(last, "activation", None) is getattr(keras.activations, final)
