"""Structure-aware mutations of `.tflite` files against the lifted reader."""

from __future__ import annotations

import struct

import flatbuffers
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from random_models.cases import GENERATORS, draw

from qbench.surrogate.lifted.classifier import TfliteClassifier
from tests.mutations.common import COUNT, EXTREMES, hold

# Operators of one data input; the others come in with the digits network.
OPERATORS = [
    name
    for name in GENERATORS
    if len(draw(name, 0).inputs) == 1 and name not in ("softmax", "logistic", "tanh", "hard_swish")
]


@pytest.fixture(scope="module")
def subjects(bundle):
    """Small models to mutate: one an operator, and a whole network."""
    return [draw(name, seed).model for name in OPERATORS for seed in (0, 1)] + [
        (bundle.path / "int8.tflite").read_bytes()
    ] * 6


def read(content):
    """Lift a file, and compute with it."""
    classifier = TfliteClassifier(content, "clipped-ste")
    shape = classifier._input.shape[1:]
    classifier(tf.zeros((2, *shape)))


def tables(table, seen=None):
    """All tables below one, itself included."""
    seen = [] if seen is None else seen
    seen.append(table)
    for value in vars(table).values():
        for each in value if isinstance(value, list) else [value]:
            if hasattr(each, "Pack"):
                tables(each, seen)
    return seen


def change_field(rng, model):
    """Another number in any field of any table."""
    found = tables(model)
    table = found[rng.integers(len(found))]
    numbers = [k for k, v in vars(table).items() if isinstance(v, (int, np.integer)) and k != "version"]
    arrays = [k for k, v in vars(table).items() if isinstance(v, np.ndarray) and 0 < len(v) < 4096]
    fields = numbers + arrays
    if not fields:
        return
    name = fields[rng.integers(len(fields))]
    value = getattr(table, name)
    if name in numbers:
        setattr(table, name, type(value)(_other(rng, int(value))))
        return
    changed = value.copy()
    place = rng.integers(len(changed))
    kinds = np.iinfo(changed.dtype) if changed.dtype.kind in "iu" else None
    new = _other(rng, int(changed[place]) if kinds else 1)
    if kinds:
        changed[place] = np.clip(new, kinds.min, kinds.max)
    else:
        changed[place] = rng.choice([np.nan, np.inf, 0.0, -1.0, 1e-38, 1e38])
    setattr(table, name, changed[: rng.integers(len(changed) + 1)] if rng.random() < 0.2 else changed)


def change_lists(rng, model):
    """Leave out, repeat or swap an operator, a tensor or a buffer."""
    graph = model.subgraphs[0]
    items = [graph.operators, graph.tensors, model.buffers, model.operatorCodes][rng.integers(4)]
    i, j = rng.integers(len(items), size=2)
    kind = rng.integers(3)
    if kind == 0 and len(items) > 1:
        del items[i]
    elif kind == 1:
        items.insert(i, items[j])
    else:
        items[i], items[j] = items[j], items[i]


def rewire(rng, model):
    """Another tensor at an operator's or the graph's ends, or one less."""
    graph = model.subgraphs[0]
    table = graph.operators[rng.integers(len(graph.operators))] if rng.random() < 0.8 else graph
    name = ("inputs", "outputs")[rng.integers(2)]
    ends = np.array(getattr(table, name), np.int32)
    if len(ends):
        ends[rng.integers(len(ends))] = rng.integers(-1, len(graph.tensors) + 1)
    setattr(table, name, ends[: rng.integers(len(ends) + 1)] if rng.random() < 0.3 else ends)


def cut_data(rng, model):
    """A constant of another length, or of other bytes."""
    full = [each for each in model.buffers if each.data is not None and len(each.data)]
    buffer = full[rng.integers(len(full))] if full else model.buffers[0]
    data = np.array(buffer.data if buffer.data is not None else [], np.uint8)
    if rng.random() < 0.5 and len(data):
        data = rng.integers(0, 256, len(data)).astype(np.uint8)
    else:
        data = data[: rng.integers(len(data) + 1)]
    buffer.data = data
    if rng.random() < 0.3:
        buffer.data, buffer.offset, buffer.size = (
            None,
            int(rng.integers(0, 1 << 20)),
            int(rng.integers(1 << 10)),
        )


def _other(rng, value):
    choice = rng.integers(3)
    return int(
        (value + rng.integers(-2, 3), EXTREMES[rng.integers(len(EXTREMES))], rng.integers(-8, 16))[choice]
    )


def mutated(subjects, number):
    """The file of a number; the same each time."""
    rng = np.random.default_rng([number, 11])
    content = subjects[rng.integers(len(subjects))]
    if rng.random() < 0.15:
        flipped = bytearray(content)
        for place in rng.integers(8, len(flipped), rng.integers(1, 5)):
            flipped[place] = rng.integers(256)
        return bytes(flipped[: rng.integers(8, len(flipped))] if rng.random() < 0.2 else flipped)
    while True:
        model = schema.ModelT.InitFromPackedBuf(content)
        for _ in range(rng.integers(1, 3)):
            (change_field, change_field, change_lists, rewire, cut_data)[rng.integers(5)](rng, model)
        builder = flatbuffers.Builder(1024)
        try:
            builder.Finish(model.Pack(builder), b"TFL3")
        except (struct.error, TypeError, ValueError, OverflowError, AttributeError, AssertionError):
            continue  # no such file can be written
        return bytes(builder.Output())


def test_mutated_files_are_read_or_refused(subjects):
    ends = hold(read, lambda number: mutated(subjects, number))
    assert min(ends["read"], ends["refused"]) > COUNT / 50
