"""A float network into the same network at low bit widths."""

from __future__ import annotations

from typing import Any

import keras

from qbench.artifacts.inputs import Domain, Preprocessing
from qbench.artifacts.networks import LowBit
from qbench.errors import UserError
from qbench.lowbit import schemes
from qbench.lowbit.activations import FixedRange, MovingRange, SignActivation
from qbench.lowbit.layers import Quantize, QuantizedConv2D, QuantizedDense, QuantizedDepthwiseConv2D

# Layers with a kernel: the float one, the quantized one, and the name of its kernel's constraint.
_KERNELS = {
    keras.layers.Conv2D: (QuantizedConv2D, "kernel_constraint"),
    keras.layers.DepthwiseConv2D: (QuantizedDepthwiseConv2D, "depthwise_constraint"),
    keras.layers.Dense: (QuantizedDense, "kernel_constraint"),
}
_AVERAGES = (keras.layers.AveragePooling2D, keras.layers.GlobalAveragePooling2D)
# What leaves values on the grid that they are on.
_KEEPING = (
    keras.layers.MaxPooling2D,
    keras.layers.GlobalMaxPooling2D,
    keras.layers.Flatten,
    keras.layers.Reshape,
    keras.layers.Dropout,
    keras.layers.ZeroPadding2D,
)
_OTHERS = (
    keras.layers.InputLayer,
    keras.layers.BatchNormalization,
    keras.layers.ReLU,
    keras.layers.Activation,
    keras.layers.Add,
    *_AVERAGES,
    *_KEEPING,
)


def rewrite(model: keras.Model, lowbit: LowBit, input_range: tuple[float, float] | None) -> keras.Model:
    """The network with quantized layers in the places of its own, and with its weights.

    Kernels are quantized, and every ReLU becomes an activation quantizer. If no width is 32, so that an
    integer runtime could compute the network, whatever else a kernel, a sum or an average reads is held at 8
    bits, and so are input and scores: then every tensor of the network has its twin in an integer runtime.

    Args:
        model: of convolutions, dense layers, batch normalization, ReLU, sums, pooling and dropout.
        lowbit: the widths.
        input_range: the least and greatest value of an input element, in the network's unit; None if unknown.

    Raises:
        UserError: the method is not defined for these widths, or a layer has no quantized form.
    """
    schemes.check(lowbit, schemes.ALL)
    _check_layers(model)
    rewriter = _Rewriter(model, lowbit, input_range)
    rewritten = keras.models.clone_model(
        keras.Model(model.inputs[0], model.outputs[0], name=model.name),
        clone_function=rewriter.replace,
        call_function=rewriter.call,
    )
    if lowbit.integer:
        scores = rewriter.put_on_grid(rewritten.output)
        rewritten = keras.Model(rewritten.inputs[0], scores, name=model.name)
    _copy_weights(model, rewritten)
    return rewritten


def input_range(domain: Domain, preprocessing: Preprocessing) -> tuple[float, float] | None:
    """The ends of an input element in the network's own unit; None where inputs have no grid."""
    if domain.step is None:
        return None
    low, high = sorted(preprocessing.scale * end + preprocessing.offset for end in (domain.low, domain.high))
    return low, high


def grid_layer(tensor: keras.KerasTensor) -> Quantize | None:
    """The layer that put a symbolic tensor on a grid; None if it is on none."""
    layer, node, _ = tensor._keras_history
    if isinstance(layer, Quantize):
        return layer
    if isinstance(layer, _KEEPING):
        return grid_layer(layer._inbound_nodes[node].input_tensors[0])
    return None


class _Rewriter:
    """What `clone_model` asks: a layer for a layer, and how to call it."""

    def __init__(self, model: keras.Model, lowbit: LowBit, input_range: tuple[float, float] | None) -> None:
        self.lowbit, self.input_range = lowbit, input_range
        kernels = [layer for layer in model.layers if type(layer) in _KERNELS]
        self.ends = {kernels[0].name, kernels[-1].name}
        self.fused = {layer.name for layer in kernels if layer.get_config()["activation"] == "relu"}
        self._held: dict[int, keras.KerasTensor] = {}

    def replace(self, layer: keras.layers.Layer) -> keras.layers.Layer:
        """The layer's quantized form, without a fused activation; a twin of what has none."""
        if type(layer) in _KERNELS:
            return self._kernel(layer)
        if _is_relu(layer):
            return self._activation(layer.name)
        return type(layer).from_config(layer.get_config())

    def call(self, layer: keras.layers.Layer, *args: Any, **options: Any) -> Any:
        """The layer's output, its inputs held at 8 bits where it computes in integers."""
        inputs = args[0]
        if self.lowbit.integer and self._computes(layer, inputs):
            inputs = (
                [self.put_on_grid(x) for x in inputs]
                if isinstance(inputs, list)
                else self.put_on_grid(inputs)
            )
        result = layer(inputs, *args[1:], **options)
        if layer.name in self.fused:
            result = self._activation(layer.name + "_relu")(result)
        return result

    def put_on_grid(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """The tensor on a grid: as it is, or at 8 bits."""
        if grid_layer(x) is not None:
            return x
        if id(x) not in self._held:
            layer, node, _ = x._keras_history
            name = "input" if isinstance(layer, keras.layers.InputLayer) else layer.name
            self._held[id(x)] = Quantize(self._range(layer, node), name=f"{name}_int8")(x)
        return self._held[id(x)]

    def _range(self, layer: Any, node: int) -> Any:
        """Eight bits for the output of a layer."""
        if isinstance(layer, keras.layers.InputLayer) and self.input_range is not None:
            return FixedRange(*self.input_range)
        if isinstance(layer, _AVERAGES):
            source = grid_layer(layer._inbound_nodes[node].input_tensors[0])
            return MovingRange(signed=source is None or source.quantizer.low < 0)
        return MovingRange()

    def _computes(self, layer: keras.layers.Layer, inputs: Any) -> bool:
        """Whether an integer kernel reads the layer's inputs from memory."""
        if isinstance(layer, Quantize):  # a sign behind a sum looks at what is left of it in 8 bits
            producer = inputs._keras_history.operation
            return isinstance(layer.quantizer, SignActivation) and not isinstance(
                producer, (keras.layers.BatchNormalization, *_QUANTIZED)
            )
        return isinstance(layer, (*_QUANTIZED, *_AVERAGES, *_KEEPING, keras.layers.Add))

    def _kernel(self, layer: keras.layers.Layer) -> keras.layers.Layer:
        quantized, constraint = _KERNELS[type(layer)]
        config = layer.get_config()
        if config["activation"] == "relu":
            config = {**config, "activation": "linear"}
        quantizer = schemes.weight_quantizer(self.lowbit, end=layer.name in self.ends)
        if quantizer is None:
            return type(layer).from_config(config)
        config.pop("quantization_config", None)
        return quantized.from_config(
            {**config, constraint: quantizer.constraint, "weight_quantizer": quantizer}
        )

    def _activation(self, name: str) -> keras.layers.Layer:
        quantizer = schemes.activation_quantizer(self.lowbit)
        return keras.layers.ReLU(name=name) if quantizer is None else Quantize(quantizer, name=name)


_QUANTIZED = (QuantizedConv2D, QuantizedDepthwiseConv2D, QuantizedDense)


def _is_relu(layer: keras.layers.Layer) -> bool:
    """A plain ReLU, without an upper end, a leak or a threshold."""
    if isinstance(layer, keras.layers.ReLU):
        return layer.max_value is None and not layer.negative_slope and not layer.threshold
    return isinstance(layer, keras.layers.Activation) and layer.get_config()["activation"] == "relu"


def _check_layers(model: keras.Model) -> None:
    """Refuse what has no quantized form."""
    if not any(type(layer) in _KERNELS for layer in model.layers):
        raise UserError(f"the network {model.name!r} has no convolution and no dense layer to quantize")
    for layer in model.layers:
        fused = layer.get_config().get("activation", "linear") if type(layer) in _KERNELS else "linear"
        known = type(layer) in (*_KERNELS, *_OTHERS) and fused in ("linear", "relu")
        if isinstance(layer, (keras.layers.ReLU, keras.layers.Activation)):
            known = _is_relu(layer)
        if not known:
            raise UserError(
                f"the layer {layer.name!r} of {model.name!r}, a {type(layer).__name__}, has no low-bit form",
                cause="convolutions, dense layers, batch normalization, plain ReLUs, sums and pooling have",
                hint="train from a network of models/, or replace the layer; leave out a softmax at the end",
            )


def _copy_weights(model: keras.Model, rewritten: keras.Model) -> None:
    """Give the rewritten network the float network's weights, and begin its quantizers from them."""
    for layer in (each for each in model.layers if each.weights):
        twin = rewritten.get_layer(layer.name)
        weights = {each.name: each for each in twin.weights}
        for weight in layer.weights:
            weights[weight.name].assign(weight)
        if isinstance(twin, _QUANTIZED):
            twin.weight_quantizer.fit(twin.kernel.numpy())
