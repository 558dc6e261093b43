"""A lowered network as an ONNX graph in QDQ form: the same codes, scales and clamps as its `.tflite`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qbench.lowbit.program import (
    Activation,
    MaxPool,
    Operator,
    Pad,
    Program,
    ProgramTensor,
    Reshape,
    Sum,
    Weighted,
)

if TYPE_CHECKING:
    import onnx

_OPSET = 17  # of the other graphs that qbench writes
_IR_VERSION = 8  # the one of that operator set
_TO_CHANNELS_FIRST, _TO_CHANNELS_LAST = (0, 3, 1, 2), (0, 2, 3, 1)
_AUTO_PAD = {"SAME": "SAME_UPPER", "VALID": "VALID"}


def program_to_onnx(program: Program) -> bytes:
    """The graph, taking [batch, *shape] float32 as `input` and giving [batch, classes] as `output`.

    Images lie channels first inside, as ONNX Runtime's kernels want them. The clamp to b bits is that of
    QuantizeLinear, whose codes end at 127.
    """
    import onnx
    from onnx import TensorProto, helper

    writer = _Writer()
    real = "input"
    if len(program.input.shape) == 3:
        real = writer.put("Transpose", ["input"], perm=_TO_CHANNELS_FIRST)
    writer.quantize(real, program.input)
    for operator in program.operators:
        writer.write(operator)
    writer.dequantize(program.output, "output")
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *tensor.shape])
        for name, tensor in (("input", program.input), ("output", program.output))
    ]
    graph = helper.make_graph(writer.nodes, "network", ends[:1], ends[1:], writer.constants)
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION, producer_name="qbench"
    )
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


class _Writer:
    """Adds nodes to a graph; an int8 tensor keeps its name."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def put(self, kind: str, inputs: Sequence[str], output: str | None = None, **attributes: Any) -> str:
        """Add a node, and return the name of its output."""
        from onnx import helper

        name = output or f"{kind}_{len(self.nodes)}"
        node = helper.make_node(kind, list(inputs), [name], name=f"{kind}_{len(self.nodes)}", **attributes)
        self.nodes.append(node)
        return name

    def constant(self, value: NDArray[Any]) -> str:
        """Add a constant, and return its name."""
        from onnx import numpy_helper

        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value.copy(order="C"), name))
        return name

    def quantize(self, real: str, tensor: ProgramTensor) -> None:
        """Real values to the codes of a tensor."""
        self.put("QuantizeLinear", [real, *self._grid(tensor)], tensor.name)

    def dequantize(self, tensor: ProgramTensor, output: str | None = None) -> str:
        """The real values of a tensor's codes."""
        return self.put("DequantizeLinear", [tensor.name, *self._grid(tensor)], output)

    def write(self, operator: Operator) -> None:
        """Add one operator between its dequantized inputs and its quantized output."""
        if isinstance(operator, Weighted):
            real = self._clamp(self._weighted(operator), operator.activation)
        elif isinstance(operator, Sum):
            inputs = [self.dequantize(each) for each in (operator.a, operator.b)]
            real = self._clamp(self.put("Add", inputs), operator.activation)
        elif isinstance(operator, MaxPool):
            real = self.put(
                "MaxPool",
                [self.dequantize(operator.x)],
                kernel_shape=operator.size,
                strides=operator.strides,
                auto_pad=_AUTO_PAD[operator.padding],
            )
        elif isinstance(operator, Pad):
            (top, bottom), (left, right) = operator.widths
            widths = self.constant(np.array([0, 0, top, left, 0, 0, bottom, right], np.int64))
            real = self.put("Pad", [self.dequantize(operator.x), widths])
        else:
            real = self._reshape(operator)
        self.quantize(real, operator.y)

    def _weighted(self, layer: Weighted) -> str:
        inputs = [
            self.dequantize(layer.x),
            self._weights(_onnx_layout(layer), layer.scales.astype(np.float32)),
            self._weights(layer.bias, (layer.x.scale * layer.scales).astype(np.float32)),
        ]
        if layer.kind == "FULLY_CONNECTED":
            return self.put("Gemm", inputs, transB=1)
        return self.put(
            "Conv",
            inputs,
            strides=layer.strides,
            dilations=layer.dilation,
            auto_pad=_AUTO_PAD[layer.padding],
            group=layer.x.shape[2] if layer.kind == "DEPTHWISE_CONV_2D" else 1,
        )

    def _weights(self, codes: NDArray[Any], scales: NDArray[np.float32]) -> str:
        zeros = np.zeros(len(scales), codes.dtype)
        inputs = [self.constant(each) for each in (codes, scales, zeros)]
        return self.put("DequantizeLinear", inputs, axis=0)

    def _clamp(self, real: str, activation: Activation) -> str:
        if activation == "NONE":
            return real
        if activation == "RELU":
            return self.put("Relu", [real])
        ends = [self.constant(np.array(end, np.float32)) for end in (-1, 1)]
        return self.put("Clip", [real, *ends])

    def _reshape(self, operator: Reshape) -> str:
        real = self.dequantize(operator.x)
        if len(operator.x.shape) == 3:
            real = self.put("Transpose", [real], perm=_TO_CHANNELS_LAST)
        shape = self.constant(np.array([-1, *operator.y.shape], np.int64))
        real = self.put("Reshape", [real, shape])
        if len(operator.y.shape) == 3:
            real = self.put("Transpose", [real], perm=_TO_CHANNELS_FIRST)
        return real

    def _grid(self, tensor: ProgramTensor) -> tuple[str, str]:
        scale = self.constant(np.array(tensor.scale, np.float32))
        return scale, self.constant(np.array(tensor.zero_point, np.int8))


def _onnx_layout(layer: Weighted) -> NDArray[np.int8]:
    """[out, in, h, w], depthwise [out, 1, h, w], dense [out, in]."""
    if layer.kind == "FULLY_CONNECTED":
        return layer.weights
    return layer.weights.transpose((3, 0, 1, 2) if layer.kind == "DEPTHWISE_CONV_2D" else (0, 3, 1, 2))
