"""Graphs of several operators: lifetimes, memory done in place, several outputs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from qbench.runtimes.hostlib import HostModel
from tests.random_models.builder import ModelBuilder
from tests.random_models.cases import SAMPLES, Case
from tests.random_models.oracles import host, litert_ref

SHAPE = (1, 4, 4, 3)


def _random_graph(seed: int) -> Case:
    """Operators that keep a shape or flatten it, each reading any tensors made before; some are outputs."""
    rng = np.random.default_rng(seed)
    m = ModelBuilder()
    tensors = [m.tensor(SHAPE, scale=0.05, zero_point=int(rng.integers(-10, 10))) for _ in range(2)]
    flat = []
    for _ in range(int(rng.integers(3, 14))):
        a, b = (int(i) for i in rng.choice(tensors, 2))
        kind = rng.choice(["RELU", "ADD", "MUL", "MEAN", "RESHAPE", "TRANSPOSE"])
        zero = int(rng.integers(-10, 10))
        if kind == "RESHAPE":
            flat.append(m.tensor((1, 48), scale=0.05, zero_point=0))
            shape = m.constant(np.array([1, 48], np.int32))
            m.operator("RESHAPE", [a, shape], [flat[-1]], "ReshapeOptions")
            continue
        tensors.append(m.tensor(SHAPE, scale=float(rng.uniform(0.03, 0.08)), zero_point=zero))
        if kind == "RELU":
            m.operator("RELU", [a], tensors[-1:])
        elif kind in ("ADD", "MUL"):
            m.operator(str(kind), [a, b], tensors[-1:], f"{kind.capitalize()}Options", version=2)
        elif kind == "MEAN":
            small = m.tensor((1, 1, 1, 3), scale=0.05, zero_point=zero)
            axes = m.constant(np.array([1, 2], np.int32))
            m.operator("MEAN", [a, axes], [small], "ReducerOptions", version=2, keepDims=True)
            m.operator("ADD", [b, small], tensors[-1:], "AddOptions", version=2)
        else:
            same = m._graph.tensors[a].quantization
            m._graph.tensors[tensors[-1]].quantization = same
            order = m.constant(np.array([0, 2, 1, 3], np.int32))
            m.operator("TRANSPOSE", [a, order], tensors[-1:], "TransposeOptions", version=2)
    made = tensors[2:] + flat
    others = [int(i) for i in rng.choice(made, min(len(made), int(rng.integers(0, 3))), replace=False)]
    outputs = sorted({made[-1], *others})
    codes = tuple(rng.integers(-128, 128, (SAMPLES, *SHAPE)).astype(np.int8) for _ in range(2))
    return Case("graph", seed, m.build(tensors[:2], outputs), codes)


def test_random_graphs_equal_the_reference() -> None:
    wrong = []
    for seed in range(300):
        case = _random_graph(seed)
        pairs = zip(litert_ref(case), host(case), strict=True)
        if not all(np.array_equal(a, b) for a, b in pairs):
            wrong.append(seed)
    assert wrong == []


def test_a_chain_done_in_place_needs_one_buffer() -> None:
    def chain(length: int) -> int:
        m = ModelBuilder()
        tensors = [m.tensor((1, 4096), scale=0.05) for _ in range(length + 1)]
        for a, b in pairwise(tensors):
            m.operator("ADD", [a, a], [b], "AddOptions", version=2)
        return HostModel(m.build(tensors[:1], tensors[-1:])).arena

    assert 4096 <= chain(1) < 4096 + 1000
    assert chain(9) - chain(8) < 1000


@pytest.mark.parametrize("count", [2, 5])
def test_tensors_that_live_together_do_not_share(count: int) -> None:
    m = ModelBuilder()
    x = m.tensor((1, 1000), scale=0.05)
    branches = [m.tensor((1, 1000), scale=0.05) for _ in range(count)]
    for branch in branches:
        m.operator("LEAKY_RELU", [x], [branch], "LeakyReluOptions", alpha=0.5)
    assert HostModel(m.build([x], branches)).arena >= count * 1000
