"""A Keras network into TFLite flatbuffers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from qbench.errors import UserError

if TYPE_CHECKING:
    import keras


# The int8 converter crashes the process on these (TensorFlow 2.18).
_LOOPS = {"LoopCond", "While", "StatelessWhile"}


def to_float_tflite(model: keras.Model) -> bytes:
    """The network in float32."""
    return _convert(_converter(model))


Activations = Literal["int8", "int16"]


def to_int8_tflite(
    model: keras.Model,
    samples: NDArray[np.float32],
    activations: Activations = "int8",
    *,
    per_tensor_dense: bool = False,
) -> bytes:
    """The network in full integer form: int8 weights, each output channel with its scale.

    Args:
        model: takes [n, *shape] float32 in its own unit.
        samples: [n, *shape] in that unit; activation ranges are fitted on them.
        activations: their type, and that of the ends; with int16, biases and sums have 64 bits.
        per_tensor_dense: one scale for all outputs of a fully connected layer.

    Raises:
        UserError: the network has an operator without an integer form.
    """
    import tensorflow as tf

    converter = _converter(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([sample[np.newaxis]] for sample in samples)
    kernels, ends = {
        "int8": (tf.lite.OpsSet.TFLITE_BUILTINS_INT8, tf.int8),
        "int16": (tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8, tf.int16),
    }[activations]
    converter.target_spec.supported_ops = [kernels]
    converter.inference_input_type = converter.inference_output_type = ends
    converter._experimental_disable_per_channel_quantization_for_dense_layers = per_tensor_dense
    return _convert(converter)


def _converter(model: keras.Model) -> Any:
    """A converter of the network with its weights frozen to constants."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    signature = tf.TensorSpec((1, *model.inputs[0].shape[1:]), tf.float32, name="input")
    forward = tf.function(lambda x: model(x, training=False), input_signature=[signature])
    frozen = convert_variables_to_constants_v2(forward.get_concrete_function())
    if any(node.op in _LOOPS for node in frozen.graph.as_graph_def().node):
        raise UserError(
            "the network holds a loop, which has no integer form",
            cause="a recurrent layer",
            hint="build its recurrent layers with unroll=True",
        )
    return tf.lite.TFLiteConverter.from_concrete_functions([frozen], tf.Module())


def _convert(converter: Any) -> bytes:
    from tensorflow.lite.python.convert import ConverterError

    try:
        content: bytes = converter.convert()
    except (ConverterError, ValueError, RuntimeError) as error:
        raise UserError(
            "the network cannot be converted to TFLite",
            cause=(str(error).splitlines() or [type(error).__name__])[0],
            hint="replace operators that TFLite has no integer kernel for",
        ) from error
    return content
