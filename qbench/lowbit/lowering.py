"""A quantized Keras network into the operators of an integer runtime, exactly."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np

from qbench.errors import UserError
from qbench.lowbit.activations import ActivationQuantizer, MovingRange, SignActivation
from qbench.lowbit.folding import Folded, affine, fold, levels_of, move_offset, rounding_slack
from qbench.lowbit.layers import Quantize, QuantizedConv2D, QuantizedDense, QuantizedDepthwiseConv2D
from qbench.lowbit.program import Activation, MaxPool, Pad, Program, ProgramTensor, Reshape, Sum, Weighted
from qbench.lowbit.rewriting import grid_layer

_KERNELS = (QuantizedConv2D, QuantizedDepthwiseConv2D, QuantizedDense)
_AVERAGES = (keras.layers.AveragePooling2D, keras.layers.GlobalAveragePooling2D)
_INT8_MAX = 127


class Lowered(NamedTuple):
    """A low-bit network as integers.

    Attributes:
        program: its operators, weights and tensors.
        network: the same function in Keras: a copy of the network that was lowered, adjusted to the program.
    """

    program: Program
    network: keras.Model


def lower(model: keras.Model) -> Lowered:
    """Lower a trained network that `rewrite` made of integer widths; the network itself stays as it is.

    Every `Quantize` layer becomes an int8 tensor of its name. Codes 0..n lie at the upper end of int8: its
    saturation is the upper clamp, a fused ReLU the lower, and the tensor's scale is the true step. Signs are
    -1 and +1 with a fused RELU_N1_TO_1.

    In the copy the biases move by up to half a unit of an accumulator, to whole numbers, or as far as keeps
    every accumulator away from ties; averages of few codes get a grid that holds them all; and its quantizers
    round as the kernels do. The copy and its program are then one function but for rounding ties, of which
    layers of up to 3 bits have none: there, every runtime gives the same codes.

    Raises:
        UserError: a layer has no integer form where it stands.
    """
    network = keras.models.clone_model(model)
    network.set_weights(model.get_weights())
    lowering = _Lowering()
    output = lowering.tensor(network.output)
    if lowering.entry is None:
        raise _unlowerable(network, "its input is never read")
    return Lowered(Program(network.name, lowering.entry, output, lowering.operators), network)


class _Lowering:
    """Walks from the scores back to the input, and emits operators on the way out."""

    def __init__(self) -> None:
        self.operators: list[Any] = []
        self.known: dict[str, ProgramTensor] = {}
        self.entry: ProgramTensor | None = None

    def tensor(self, x: keras.KerasTensor) -> ProgramTensor:
        """The int8 tensor of a symbolic one, its operators emitted."""
        layer, sources = _origin(x)
        if layer.name not in self.known:
            self.known[layer.name] = self._emit(layer, sources)
        return self.known[layer.name]

    def _emit(self, layer: keras.layers.Layer, sources: list[keras.KerasTensor]) -> ProgramTensor:
        if isinstance(layer, Quantize):
            return self._quantize(layer, sources[0])
        if len(sources) != 1:
            raise _unlowerable(layer, "it is on no grid")
        if isinstance(layer, keras.layers.Dropout):
            return self.tensor(sources[0])
        if isinstance(layer, keras.layers.MaxPooling2D):
            return self._max_pool(layer, self.tensor(sources[0]))
        if isinstance(layer, (keras.layers.Flatten, keras.layers.Reshape)):
            x = self.tensor(sources[0])
            return self._add(Reshape(x, _like(x, layer)))
        if isinstance(layer, keras.layers.ZeroPadding2D):
            x = self.tensor(sources[0])
            return self._add(Pad(x, _like(x, layer), layer.padding))
        raise _unlowerable(layer, "it is on no grid")

    def _quantize(self, layer: Quantize, source: keras.KerasTensor) -> ProgramTensor:
        """The output of a `Quantize`, by what feeds it."""
        producer, sources = _origin(source)
        while isinstance(producer, keras.layers.Dropout):
            producer, sources = _origin(sources[0])
        if isinstance(producer, _AVERAGES):
            return self._average(producer, sources[0], layer)
        y = _place(layer)
        if isinstance(producer, keras.layers.InputLayer):
            self.entry = y
            return y
        if isinstance(producer, keras.layers.Add):
            if len(sources) != 2:
                raise _unlowerable(producer, f"it adds {len(sources)} tensors, not two")
            a, b = (self.tensor(each) for each in sources)
            return self._add(Sum(a, b, y, _clamp(layer.quantizer)))
        normalization = None
        if isinstance(producer, keras.layers.BatchNormalization):
            normalization = producer
            producer, sources = _origin(sources[0])
        if isinstance(producer, _KERNELS):
            return self._weighted(producer, normalization, sources[0], layer.quantizer, y)
        if normalization is not None or not isinstance(layer.quantizer, SignActivation):
            raise _unlowerable(producer, "nothing folds it into an operator")
        return self._sign(self.tensor(source), y)

    def _weighted(
        self,
        layer: keras.layers.Layer,
        normalization: keras.layers.Layer | None,
        source: keras.KerasTensor,
        target: ActivationQuantizer,
        y: ProgramTensor,
    ) -> ProgramTensor:
        """A layer with a kernel, and the batch normalization and the quantizer behind it."""
        x = self.tensor(source)
        levels, scale, factor = levels_of(layer)
        if isinstance(layer, QuantizedDepthwiseConv2D):
            levels = levels.reshape(*levels.shape[:2], 1, -1)
        after = affine(layer, normalization)
        folded = fold(levels, scale, factor, after, x.scale, target)
        move_offset(layer, normalization, folded.offset - after.offset)
        held = ProgramTensor(f"{y.name}_distance", y.shape, 1.0, 0) if folded.needs_sign else y
        target.slack.assign(rounding_slack(folded.scales, x.scale, y.scale))
        self._add(_operator(layer, folded, x, held, "NONE" if folded.needs_sign else _clamp(target)))
        return self._sign(held, y) if folded.needs_sign else y

    def _average(
        self, layer: keras.layers.Layer, source: keras.KerasTensor, target: Quantize
    ) -> ProgramTensor:
        """Average pooling as a depthwise convolution, whose output has a grid of its own."""
        x = self.tensor(source)
        whole = isinstance(layer, keras.layers.GlobalAveragePooling2D)
        size = x.shape[:2] if whole else layer.pool_size
        if not whole and layer.padding != "valid":
            raise _unlowerable(layer, "it averages fewer values at the rim")
        _hold_exactly(target.quantizer, source, x.scale, size[0] * size[1])
        y = _place(target)
        image = (
            ProgramTensor(f"{y.name}_image", (1, 1, x.shape[2]), y.scale, y.zero_point)
            if len(y.shape) == 1
            else y
        )
        channels = x.shape[2]
        scales = np.full(channels, 1 / (_INT8_MAX * size[0] * size[1]))
        target.quantizer.slack.assign(rounding_slack(scales, x.scale, y.scale))
        self._add(
            Weighted(
                "DEPTHWISE_CONV_2D",
                x,
                image,
                weights=np.full((1, *size, channels), _INT8_MAX, np.int8),
                scales=scales,
                bias=np.zeros(channels, np.int32),
                activation="NONE",
                strides=(1, 1) if whole else layer.strides,
            )
        )
        return y if image is y else self._add(Reshape(image, y))

    def _sign(self, x: ProgramTensor, y: ProgramTensor) -> ProgramTensor:
        """+1 for codes at or above the zero point, else -1: twice the code and one is never zero."""
        image = x if len(x.shape) == 3 else self._add(Reshape(x, _image(x)))
        channels = image.shape[2]
        result = y if image is x else _image(y)
        self._add(
            Weighted(
                "DEPTHWISE_CONV_2D",
                image,
                result,
                weights=np.full((1, 1, 1, channels), 2, np.int8),
                scales=np.full(channels, 1 / x.scale),
                bias=np.ones(channels, np.int32),
                activation="RELU_N1_TO_1",
            )
        )
        return y if result is y else self._add(Reshape(result, y))

    def _max_pool(self, layer: keras.layers.Layer, x: ProgramTensor) -> ProgramTensor:
        y = _like(x, layer)
        return self._add(MaxPool(x, y, layer.pool_size, layer.strides, layer.padding.upper()))

    def _add(self, operator: Any) -> ProgramTensor:
        self.operators.append(operator)
        made: ProgramTensor = operator.y
        return made


def _operator(
    layer: Any, folded: Folded, x: ProgramTensor, y: ProgramTensor, activation: Activation
) -> Weighted:
    """The operator of a layer with a kernel, its weights in TFLite's layout."""
    bias, bits = folded.bias.astype(np.int32), layer.weight_quantizer.bits
    if isinstance(layer, QuantizedDense):
        weights = np.ascontiguousarray(folded.weights.T)
        return Weighted("FULLY_CONNECTED", x, y, weights, folded.scales, bias, activation, bits=bits)
    depthwise = isinstance(layer, QuantizedDepthwiseConv2D)
    axes = (2, 0, 1, 3) if depthwise else (3, 0, 1, 2)
    return Weighted(
        "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D",
        x,
        y,
        np.ascontiguousarray(folded.weights.transpose(axes)),
        folded.scales,
        bias,
        activation,
        strides=layer.strides,
        dilation=layer.dilation_rate,
        padding=layer.padding.upper(),
        bits=bits,
    )


def _place(layer: Quantize) -> ProgramTensor:
    """Where the codes of a grid lie in int8."""
    grid = layer.quantizer.grid
    zero_point = 0 if isinstance(layer.quantizer, SignActivation) else _INT8_MAX - grid.high
    return ProgramTensor(layer.name, tuple(layer.output.shape[1:]), grid.step, zero_point)


def _hold_exactly(target: ActivationQuantizer, source: keras.KerasTensor, step: float, count: int) -> None:
    """Put the averages of `count` codes on a grid that has all of them, if there are no more than codes."""
    summed = grid_layer(source)
    if summed is not None and isinstance(target, MovingRange):
        grid = summed.quantizer.grid
        parts = target.high // (count * max(grid.high, -grid.low))
        if parts:
            target.set_step(step / (count * parts))


def _clamp(target: ActivationQuantizer) -> Activation:
    if isinstance(target, SignActivation):
        return "RELU_N1_TO_1"
    return "NONE" if isinstance(target, MovingRange) else "RELU"


def _origin(x: keras.KerasTensor) -> tuple[Any, list[keras.KerasTensor]]:
    """The layer that a symbolic tensor comes from, and what that reads."""
    layer, node, _ = x._keras_history
    return layer, layer._inbound_nodes[node].input_tensors


def _like(x: ProgramTensor, layer: keras.layers.Layer) -> ProgramTensor:
    """The output of a layer that keeps codes as they are."""
    return ProgramTensor(layer.name, tuple(layer.output.shape[1:]), x.scale, x.zero_point)


def _image(x: ProgramTensor) -> ProgramTensor:
    """A row as an image of one pixel."""
    return ProgramTensor(f"{x.name}_image", (1, 1, x.shape[-1]), x.scale, x.zero_point)


def _unlowerable(layer: Any, cause: str) -> UserError:
    return UserError(
        f"{layer.name!r}, a {type(layer).__name__}, cannot be lowered to integers",
        cause=cause,
        hint="train a network of models/ with both widths below 32",
    )
