"""A lowered network as an ordinary int8 `.tflite`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qbench.lowbit.program import MaxPool, Operator, Pad, Program, ProgramTensor, Reshape, Sum, Weighted

if TYPE_CHECKING:
    from qbench.exporters.flatbuffer import ModelBuilder

# The versions of the operators that compute in int8 (TFLite's register_ref.cc).
_VERSIONS = {"CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 4, "ADD": 2, "MAX_POOL_2D": 2, "PAD": 2}


def program_to_tflite(program: Program) -> bytes:
    """The flatbuffer, taking and giving one int8 input; the same program gives the same bytes."""
    from qbench.exporters.flatbuffer import ModelBuilder

    writer = _Writer(ModelBuilder())
    entry = writer.index(program.input)
    for operator in program.operators:
        writer.write(operator)
    return writer.model.build([entry], [writer.index(program.output)])


class _Writer:
    """Adds operators to a model; tensors are known by their names."""

    def __init__(self, model: ModelBuilder) -> None:
        self.model = model
        self._indices: dict[str, int] = {}

    def index(self, tensor: ProgramTensor) -> int:
        """The tensor's number, added when it is first named."""
        if tensor.name not in self._indices:
            self._indices[tensor.name] = self.model.tensor(
                (1, *tensor.shape), "int8", tensor.scale, tensor.zero_point, name=tensor.name
            )
        return self._indices[tensor.name]

    def write(self, operator: Operator) -> None:
        """Add one operator."""
        if isinstance(operator, Weighted):
            self._weighted(operator)
        elif isinstance(operator, Sum):
            options = {"fusedActivationFunction": _activation(operator.activation)}
            self._put("ADD", [operator.a, operator.b], operator.y, "AddOptions", **options)
        elif isinstance(operator, MaxPool):
            (height, width), (down, across) = operator.size, operator.strides
            self._put(
                "MAX_POOL_2D",
                [operator.x],
                operator.y,
                "Pool2DOptions",
                filterHeight=height,
                filterWidth=width,
                strideH=down,
                strideW=across,
                padding=_padding(operator.padding),
            )
        elif isinstance(operator, Pad):
            widths = self.model.constant(np.array([(0, 0), *operator.widths, (0, 0)], np.int32))
            self._put("PAD", [operator.x, widths], operator.y, "PadOptions")
        elif isinstance(operator, Reshape):
            shape = self.model.constant(np.array([-1, *operator.y.shape], np.int32))
            self._put("RESHAPE", [operator.x, shape], operator.y, "ReshapeOptions")

    def _weighted(self, layer: Weighted) -> None:
        """A layer with weights: one scale a layer where all are equal, else one an output channel."""
        axis = 3 if layer.kind == "DEPTHWISE_CONV_2D" else 0
        scales = layer.scales.astype(np.float32)
        if layer.kind == "FULLY_CONNECTED" and (scales == scales[0]).all():
            scales = scales[:1]
        weights = self.model.constant(layer.weights, scales, axis=axis)
        bias = self.model.constant(layer.bias, np.float32(layer.x.scale) * scales)
        options: dict[str, Any] = {"fusedActivationFunction": _activation(layer.activation)}
        if layer.kind != "FULLY_CONNECTED":
            options |= {
                "padding": _padding(layer.padding),
                "strideH": layer.strides[0],
                "strideW": layer.strides[1],
                "dilationHFactor": layer.dilation[0],
                "dilationWFactor": layer.dilation[1],
            }
        if layer.kind == "DEPTHWISE_CONV_2D":
            options["depthMultiplier"] = layer.y.shape[-1] // layer.x.shape[-1]
        table = {
            "CONV_2D": "Conv2DOptions",
            "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
            "FULLY_CONNECTED": "FullyConnectedOptions",
        }[layer.kind]
        self._put(layer.kind, [layer.x, weights, bias], layer.y, table, **options)

    def _put(
        self, name: str, inputs: list[ProgramTensor | int], y: ProgramTensor, table: str, **options: Any
    ) -> None:
        sources = [self.index(each) if isinstance(each, ProgramTensor) else each for each in inputs]
        version = _VERSIONS.get(name, 1)
        self.model.operator(name, sources, [self.index(y)], table, version=version, **options)


def _activation(name: str) -> int:
    from tensorflow.lite.python import schema_py_generated as schema

    return int(getattr(schema.ActivationFunctionType, name))


def _padding(name: str) -> int:
    from tensorflow.lite.python import schema_py_generated as schema

    return int(getattr(schema.Padding, name))
