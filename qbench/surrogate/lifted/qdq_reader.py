"""An ONNX file as plain operators and constants."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qbench.errors import UserError
from qbench.surrogate.lifted.gradients import GradientRule

if TYPE_CHECKING:
    import onnx

_TRANSPARENT = {"QuantizeLinear", "DequantizeLinear", "Identity", "Reshape", "Flatten", "Squeeze"}


@dataclass(frozen=True)
class QdqNode:
    """An operator of an ONNX graph.

    Attributes:
        index: its place in the graph.
        kind: as ONNX calls it.
        inputs: tensor names; an empty one stands for an operand that is left out.
        output: the name of the first output.
        attributes: by name.
        constants: of the graph, by tensor name.
        rule: what gradients the graph has.
    """

    index: int
    kind: str
    inputs: tuple[str, ...]
    output: str
    attributes: dict[str, Any]
    constants: dict[str, NDArray[Any]]
    rule: GradientRule

    def has(self, position: int) -> bool:
        """Whether an optional input is there."""
        return position < len(self.inputs) and bool(self.inputs[position])

    def constant(self, position: int) -> NDArray[Any]:
        """The array of an input that must be known."""
        self.require(
            self.has(position) and self.inputs[position] in self.constants,
            f"input {position} is not a constant",
        )
        return self.constants[self.inputs[position]]

    def require(self, holds: bool, otherwise: str) -> None:
        """Refuse the operator unless a condition holds.

        Raises:
            UserError: naming the operator and its index.
        """
        if not holds:
            raise UserError(
                f"operator {self.index}, {self.kind}, cannot be lifted into a gradient",
                cause=otherwise,
                hint="lift the int8.tflite of the bundle instead, or attack the float network",
            )


@dataclass
class QdqGraph:
    """A parsed graph with one input and one output; constants are dequantized already."""

    nodes: list[QdqNode] = field(default_factory=list)
    constants: dict[str, NDArray[Any]] = field(default_factory=dict)
    entry: str = ""
    exit: str = ""

    def behind(self, tensor: str) -> list[QdqNode]:
        """The operators behind a tensor, the last first: changes of shape and scale, and what feeds them."""
        producers = {node.output: node for node in self.nodes}
        found = []
        node = producers.get(tensor)
        while node is not None:
            found.append(node)
            node = producers.get(node.inputs[0]) if node.kind in _TRANSPARENT else None
        return found

    def before_softmax(self) -> str:
        """The tensor that goes into a final Softmax, or the output where there is none."""
        behind = self.behind(self.exit)
        return behind[-1].inputs[0] if behind and behind[-1].kind == "Softmax" else self.exit


def read_qdq(content: bytes, rule: GradientRule) -> QdqGraph:
    """Parse an ONNX file.

    Raises:
        UserError: it is no such file, or has several inputs or outputs.
    """
    import onnx

    try:
        model = onnx.load_from_string(content)
    except Exception as error:  # protobuf's and onnx's errors share no base class
        raise UserError(
            "this is neither a .tflite nor an ONNX file", cause=f"{type(error).__name__}: {error}"
        ) from error
    graph = model.graph
    found = QdqGraph(constants={each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer})
    inputs = [each.name for each in graph.input if each.name not in found.constants]
    if len(inputs) != 1 or len(graph.output) != 1:
        raise UserError(
            f"the network has {len(inputs)} inputs and {len(graph.output)} outputs",
            cause="a classifier has one each",
        )
    found.entry, found.exit = inputs[0], graph.output[0].name
    for index, node in enumerate(graph.node):
        parsed = _node(index, node, found.constants, rule)
        if parsed.kind == "Constant":
            found.constants[parsed.output] = onnx.numpy_helper.to_array(parsed.attributes["value"])
        elif parsed.kind == "DequantizeLinear" and parsed.inputs[0] in found.constants:
            found.constants[parsed.output] = _dequantized(parsed)
        else:
            found.nodes.append(parsed)
    _settle_shapes(found, model)
    return found


def _settle_shapes(found: QdqGraph, model: onnx.ModelProto) -> None:
    """Give every Reshape whose sizes the graph computes, from the batch's as a rule, constant ones."""
    import onnx

    computed = {
        i: node
        for i, node in enumerate(found.nodes)
        if node.kind == "Reshape" and node.inputs[1] not in found.constants
    }
    if not computed:
        return
    graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    sizes = {
        each.name: [dim.dim_value or -1 for dim in each.type.tensor_type.shape.dim]
        for each in (*graph.value_info, *graph.output)
    }
    for i, node in computed.items():
        shape = sizes.get(node.output, [])
        if shape and -1 not in shape[1:]:
            name = f"sizes of {node.output}"
            found.constants[name] = np.array([-1, *shape[1:]])
            found.nodes[i] = replace(node, inputs=(node.inputs[0], name))


def _node(
    index: int, node: onnx.NodeProto, constants: dict[str, NDArray[Any]], rule: GradientRule
) -> QdqNode:
    from onnx.helper import get_attribute_value

    attributes = {each.name: get_attribute_value(each) for each in node.attribute}
    return QdqNode(index, node.op_type, tuple(node.input), node.output[0], attributes, constants, rule)


def _dequantized(node: QdqNode) -> NDArray[np.float32]:
    """Constant weights in float32, with one scale or one along an axis."""
    codes, scale = node.constant(0), node.constant(1)
    zero_point = node.constant(2) if node.has(2) else np.zeros_like(scale, codes.dtype)
    shape = [1] * codes.ndim
    if scale.size > 1:
        shape[node.attributes.get("axis", 1)] = -1
    centred = codes.astype(np.int64) - zero_point.astype(np.int64).reshape(shape if scale.ndim else ())
    real: NDArray[np.float32] = centred.astype(np.float32) * scale.reshape(shape if scale.ndim else ())
    return real
