"""Which of TensorFlow's operators a network may hold: those that compute, and do nothing else.

TensorFlow executes a graph as a program: WriteFile writes a file when the graph is run, and graphs are run
while they are read (constants are folded). A graph from a stranger is therefore held against this list before
it is imported.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from qbench.errors import UserError

ALLOWED = frozenset(
    [
        "Abs",
        "Add",
        "AddN",
        "AddV2",
        "All",
        "Any",
        "ArgMax",
        "ArgMin",
        "AvgPool",
        "AvgPool3D",
        "BatchMatMul",
        "BatchMatMulV2",
        "BatchToSpaceND",
        "BiasAdd",
        "BroadcastArgs",
        "BroadcastTo",
        "Cast",
        "Ceil",
        "ClipByValue",
        "Concat",
        "ConcatV2",
        "Const",
        "Conv2D",
        "Conv3D",
        "Cos",
        "Cumsum",
        "DepthToSpace",
        "DepthwiseConv2dNative",
        "Div",
        "DivNoNan",
        "Einsum",
        "Elu",
        "EnsureShape",
        "Equal",
        "Erf",
        "Erfc",
        "Exp",
        "ExpandDims",
        "Expm1",
        "FakeQuantWithMinMaxArgs",
        "FakeQuantWithMinMaxVars",
        "FakeQuantWithMinMaxVarsPerChannel",
        "Fill",
        "Floor",
        "FloorDiv",
        "FloorMod",
        "FusedBatchNorm",
        "FusedBatchNormV2",
        "FusedBatchNormV3",
        "Gather",
        "GatherNd",
        "GatherV2",
        "Greater",
        "GreaterEqual",
        "Identity",
        "IdentityN",
        "InvertPermutation",
        "L2Loss",
        "LRN",
        "LeakyRelu",
        "Less",
        "LessEqual",
        "LinSpace",
        "Log",
        "Log1p",
        "LogSoftmax",
        "LogicalAnd",
        "LogicalNot",
        "LogicalOr",
        "MatMul",
        "Max",
        "MaxPool",
        "MaxPool3D",
        "MaxPoolV2",
        "Maximum",
        "Mean",
        "Min",
        "Minimum",
        "MirrorPad",
        "Mul",
        "Neg",
        "NoOp",
        "NotEqual",
        "OneHot",
        "OnesLike",
        "Pack",
        "Pad",
        "PadV2",
        "PartitionedCall",
        "Placeholder",
        "PlaceholderWithDefault",
        "Pow",
        "PreventGradient",
        "Prod",
        "QuantizeAndDequantizeV2",
        "QuantizeAndDequantizeV3",
        "QuantizeAndDequantizeV4",
        "Range",
        "Rank",
        "ReadVariableOp",
        "RealDiv",
        "Reciprocal",
        "Relu",
        "Relu6",
        "Reshape",
        "ResizeBilinear",
        "ResizeNearestNeighbor",
        "ReverseV2",
        "Rint",
        "Roll",
        "Round",
        "Rsqrt",
        "ScatterNd",
        "Select",
        "SelectV2",
        "Selu",
        "Shape",
        "ShapeN",
        "Sigmoid",
        "Sign",
        "Sin",
        "Size",
        "Slice",
        "Softmax",
        "Softplus",
        "Softsign",
        "SpaceToBatchND",
        "SpaceToDepth",
        "Split",
        "SplitV",
        "Sqrt",
        "Square",
        "SquaredDifference",
        "Squeeze",
        "StatefulPartitionedCall",
        "StopGradient",
        "StridedSlice",
        "Sub",
        "Sum",
        "Tan",
        "Tanh",
        "Tile",
        "TopKV2",
        "Transpose",
        "TruncateDiv",
        "Unpack",
        "VarHandleOp",
        "Where",
        "ZerosLike",
        "If",
        "StatelessIf",
        "While",
        "StatelessWhile",
        "Merge",
        "Switch",
        "LoopCond",
        "Enter",
        "Exit",
        "NextIteration",
        "TensorListFromTensor",
        "TensorListGetItem",
        "TensorListLength",
        "TensorListReserve",
        "TensorListSetItem",
        "TensorListStack",
    ]
)


def check_operators(graph_def: Any, name: str) -> None:
    """Refuse a graph with an operator that may do more than compute, in its functions as well.

    Args:
        graph_def: a `GraphDef`, not yet imported.
        name: what an error calls it.

    Raises:
        UserError: it has such an operator, which is named.
    """
    check_nodes(graph_def.node, name)
    for function in graph_def.library.function:
        check_nodes(function.node_def, name)


def check_nodes(nodes: Iterable[Any], name: str) -> None:
    """Refuse such operators among nodes; see `check_operators`."""
    for node in nodes:
        if node.op not in ALLOWED:
            raise UserError(
                f"{name} holds the operator {node.op} ({node.name!r}), which qbench does not run",
                cause="a graph may hold operators that compute, and none that reach files or the network",
                hint="export the network without it; if it only computes, please report it",
            )


def closure(name: str, functions: Mapping[str, Any]) -> list[Any]:
    """A function of a library and all those that it calls, by any attribute; unknown names are left out."""
    found: dict[str, Any] = {}
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in found or current not in functions:
            continue
        found[current] = functions[current]
        for node in functions[current].node_def:
            for value in node.attr.values():
                waiting += [value.func.name, *(each.name for each in value.list.func)]
    return list(found.values())
