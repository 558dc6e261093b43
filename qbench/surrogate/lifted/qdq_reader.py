"""An ONNX file as plain operators and constants."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qbench.errors import UserError
from qbench.formats.onnx_file import Codes, OnnxGraph
from qbench.formats.onnx_reading import infer_shapes, parse_onnx
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
        codes: of a QuantizeLinear or DequantizeLinear; None of others.
        rule: what gradients the graph has.
    """

    index: int
    kind: str
    inputs: tuple[str, ...]
    output: str
    attributes: dict[str, Any]
    constants: dict[str, NDArray[Any]]
    codes: Codes | None
    rule: GradientRule

    @property
    def quantization(self) -> Codes:
        """Of a node that has one."""
        if self.codes is None:
            raise self.refusal("it is no quantizer")
        return self.codes

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
            raise self.refusal(otherwise)

    def refusal(self, cause: str) -> UserError:
        """The error for an operator that cannot be lifted."""
        return UserError(
            f"operator {self.index}, {self.kind}, cannot be lifted into a gradient",
            cause=f"{cause} (it makes {self.output!r})",
            hint="lift the int8.tflite of the bundle instead, or attack the float network",
        )


@dataclass
class QdqGraph:
    """A parsed graph with one input and one output; constants are dequantized already.

    Attributes:
        one_score: whether an output is a single number.
    """

    nodes: list[QdqNode] = field(default_factory=list)
    constants: dict[str, NDArray[Any]] = field(default_factory=dict)
    entry: str = ""
    exit: str = ""
    one_score: bool = False

    def behind(self, tensor: str) -> list[QdqNode]:
        """The operators behind a tensor, the last first: changes of shape and scale, and what feeds them."""
        producers = {node.output: node for node in self.nodes}
        found = []
        node = producers.get(tensor)
        while node is not None:
            found.append(node)
            follows = node.kind in _TRANSPARENT and node.inputs
            node = producers.get(node.inputs[0]) if follows else None
        return found

    def before_softmax(self) -> str:
        """The tensor that goes into a final Softmax, or the output where there is none.

        Of a network with one score, the tensor that goes into a final Sigmoid.
        """
        behind = self.behind(self.exit)
        final = "Sigmoid" if self.one_score else "Softmax"
        return (
            behind[-1].inputs[0] if behind and behind[-1].kind == final and behind[-1].inputs else self.exit
        )

    def ends_in_sigmoid(self) -> bool:
        """Whether the network gives one score that is a probability."""
        return self.one_score and self.before_softmax() != self.exit


def read_qdq(content: bytes, rule: GradientRule) -> QdqGraph:
    """Parse an ONNX file.

    Raises:
        UserError: it is no such file, has several inputs or outputs, or its parts do not fit each other.
    """
    name = "the ONNX model"
    model = parse_onnx(content, name)
    graph = OnnxGraph(model, name)
    sizes = [each.dim_value for each in graph.exit.type.tensor_type.shape.dim[1:]]
    found = QdqGraph(
        constants=dict(graph.constants),
        entry=graph.entry.name,
        exit=graph.exit.name,
        one_score=bool(sizes) and set(sizes) == {1},
    )
    for index, node in enumerate(graph.proto.node):
        if node.op_type == "Constant":
            continue
        parsed = _node(index, node, graph, found.constants, rule)
        if parsed.kind == "DequantizeLinear" and parsed.inputs[0] in found.constants:
            found.constants[parsed.output] = _dequantize(parsed)
        else:
            found.nodes.append(parsed)
    _settle_shapes(found, model, name)
    return found


def _settle_shapes(found: QdqGraph, model: onnx.ModelProto, name: str) -> None:
    """Give every Reshape whose sizes the graph computes, from the batch's as a rule, constant ones."""
    computed = {
        i: node
        for i, node in enumerate(found.nodes)
        if node.kind == "Reshape" and node.has(1) and node.inputs[1] not in found.constants
    }
    if not computed:
        return
    graph = infer_shapes(model, name).graph
    sizes = {
        each.name: [dim.dim_value or -1 for dim in each.type.tensor_type.shape.dim]
        for each in (*graph.value_info, *graph.output)
    }
    for i, node in computed.items():
        shape = sizes.get(node.output, [])
        if shape and -1 not in shape[1:]:
            sizes_name = f"sizes of {node.output}"
            found.constants[sizes_name] = np.array([-1, *shape[1:]])
            found.nodes[i] = replace(node, inputs=(node.inputs[0], sizes_name))


def _node(
    index: int,
    node: onnx.NodeProto,
    graph: OnnxGraph,
    constants: dict[str, NDArray[Any]],
    rule: GradientRule,
) -> QdqNode:
    from onnx.helper import get_attribute_value

    attributes = {each.name: get_attribute_value(each) for each in node.attribute}
    codes = graph.codes(node) if node.op_type in ("QuantizeLinear", "DequantizeLinear") else None
    output = next(iter(node.output), "")
    return QdqNode(index, node.op_type, tuple(node.input), output, attributes, constants, codes, rule)


def _dequantize(node: QdqNode) -> NDArray[np.float32]:
    """Constant weights in float32, with one scale or one along an axis."""
    stored, codes = node.constant(0), node.quantization
    node.require(
        codes.dtype in ("int8", "uint8", "int32"),
        f"its codes are {codes.dtype}; int8, uint8 and, of biases, int32 are supported",
    )
    node.require(stored.dtype.name == codes.dtype, f"{stored.dtype} codes with a zero point of {codes.dtype}")
    shape = [1] * stored.ndim
    if codes.axis is not None:
        fits = -stored.ndim <= codes.axis < stored.ndim and stored.shape[codes.axis] == len(codes.scales)
        node.require(fits, f"{len(codes.scales)} scales do not fit the axis {codes.axis} of {stored.shape}")
        shape[codes.axis] = -1
    centred = stored.astype(np.int64) - codes.zero_points.reshape(shape)
    with np.errstate(over="ignore"):
        real: NDArray[np.float32] = centred.astype(np.float32) * codes.scales.reshape(shape)
    node.require(bool(np.isfinite(real).all()), "its values are beyond float32")
    return real
