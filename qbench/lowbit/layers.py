"""Keras layers that compute with quantized weights, and one that quantizes activations."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from qbench.lowbit.activations import ActivationQuantizer
from qbench.lowbit.weights import WeightQuantizer


@keras.saving.register_keras_serializable("qbench")
class Quantize(keras.layers.Layer):  # type: ignore[misc]
    """Puts a tensor on the grid of a quantizer; in place of a ReLU, it is the ReLU too."""

    def __init__(self, quantizer: ActivationQuantizer, **options: Any) -> None:
        super().__init__(**options)
        self.quantizer = quantizer

    def build(self, input_shape: Any) -> None:
        """What the quantizer learns."""
        self.quantizer.build(self, input_shape[-1])
        self.built = True

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Same shape, on the grid."""
        return self.quantizer(x, training=training)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """As the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        stored = keras.saving.serialize_keras_object(self.quantizer)
        return {**super().get_config(), "quantizer": stored}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Quantize:
        """The inverse of `get_config`."""
        return cls(**{**config, "quantizer": _restore(config["quantizer"])})


class _QuantizedKernel:
    """What layers with a quantized kernel share; mixed in before a Keras layer.

    Args:
        weight_quantizer: of the kernel; biases stay real, as int8 kernels hold them in 32 bits.
    """

    def __init__(self, *args: Any, weight_quantizer: WeightQuantizer, **options: Any) -> None:
        super().__init__(*args, **options)
        self.weight_quantizer = weight_quantizer

    def build(self, input_shape: Any) -> None:
        """The kernel, and what its quantizer learns."""
        super().build(input_shape)  # type: ignore[misc]
        self.weight_quantizer.build(self)

    def save_own_variables(self, store: Any) -> None:
        """Store the variables by name; Keras's own layers store only those that they know."""
        for weight in self.weights:  # type: ignore[attr-defined]
            store[weight.name] = weight.numpy()

    def load_own_variables(self, store: Any) -> None:
        """The inverse of `save_own_variables`."""
        for weight in self.weights:  # type: ignore[attr-defined]
            weight.assign(store[weight.name])

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        stored = keras.saving.serialize_keras_object(self.weight_quantizer)
        return {**super().get_config(), "weight_quantizer": stored}  # type: ignore[misc]

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The inverse of `get_config`."""
        return cls(**{**config, "weight_quantizer": _restore(config["weight_quantizer"])})

    def _quantized_kernel(self) -> tf.Tensor:
        return self.weight_quantizer(tf.convert_to_tensor(self.kernel))  # type: ignore[attr-defined]

    def _with_bias(self, x: tf.Tensor) -> tf.Tensor:
        return x + self.bias if self.use_bias else x  # type: ignore[attr-defined]


@keras.saving.register_keras_serializable("qbench")
class QuantizedConv2D(_QuantizedKernel, keras.layers.Conv2D):  # type: ignore[misc]
    """Conv2D with a quantized kernel, without an activation of its own."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """The convolution, [n, height, width, filters]."""
        return self._with_bias(
            keras.ops.conv(x, self._quantized_kernel(), self.strides, self.padding, None, self.dilation_rate)
        )


@keras.saving.register_keras_serializable("qbench")
class QuantizedDepthwiseConv2D(_QuantizedKernel, keras.layers.DepthwiseConv2D):  # type: ignore[misc]
    """DepthwiseConv2D with a quantized kernel, without an activation of its own."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """The convolution of every channel, [n, height, width, channels * multiplier]."""
        kernel = self._quantized_kernel()
        return self._with_bias(
            keras.ops.depthwise_conv(x, kernel, self.strides, self.padding, None, self.dilation_rate)
        )


@keras.saving.register_keras_serializable("qbench")
class QuantizedDense(_QuantizedKernel, keras.layers.Dense):  # type: ignore[misc]
    """Dense with a quantized kernel, without an activation of its own."""

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """The product, [n, units]."""
        del training
        return self._with_bias(tf.matmul(x, self._quantized_kernel()))


def is_low_bit(model: keras.Model) -> bool:
    """Whether a network holds quantized weights or activations."""
    return any(isinstance(layer, (Quantize, _QuantizedKernel)) for layer in model.layers)


def _restore(stored: Any) -> Any:
    return keras.saving.deserialize_keras_object(stored) if isinstance(stored, dict) else stored
