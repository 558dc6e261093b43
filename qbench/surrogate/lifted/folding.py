"""Shapes as data: the integer operators that converters leave behind, computed once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.surrogate.lifted.movement import slice_index
from qbench.surrogate.lifted.node import Node
from qbench.surrogate.lifted.reader import Graph


def fold_shapes(graph: Graph) -> Graph:
    """The graph without the operators whose outputs follow from shapes and constants.

    Shapes have the batch that the file states.
    """
    tensors = list(graph.tensors)
    kept = []
    for operator in graph.operators:
        node = Node(operator, replace(graph, tensors=tuple(tensors)), "float")
        known = all(i < 0 or tensors[i].data is not None for i in operator.inputs)
        if operator.name == "SHAPE" or (operator.name in _FOLDED and known):
            tensors[operator.outputs[0]] = replace(node.output, data=_compute(node))
        else:
            kept.append(operator)
    return replace(graph, tensors=tuple(tensors), operators=tuple(kept))


def _compute(node: Node) -> NDArray[Any]:
    """The output of an operator on constants."""
    try:
        found = _FOLDED[node.operator.name](node).astype(node.output.dtype)
        return np.asarray(found.reshape(node.output.shape))
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise node.refusal(f"its inputs and options do not fit each other: {error}") from error


def _inputs(node: Node) -> list[NDArray[Any]]:
    return [node.constant(i) for i in range(len(node.operator.inputs))]


_FOLDED: dict[str, Callable[[Node], NDArray[Any]]] = {
    "SHAPE": lambda node: np.array(node.input(0).shape),
    "STRIDED_SLICE": lambda node: np.asarray(node.constant(0)[slice_index(node)]),
    "PACK": lambda node: np.stack(_inputs(node), node.option("axis")),
    "CONCATENATION": lambda node: np.concatenate(_inputs(node), node.option("axis")),
    "RESHAPE": lambda node: node.constant(0),
    "EXPAND_DIMS": lambda node: node.constant(0),
    "SQUEEZE": lambda node: node.constant(0),
}
