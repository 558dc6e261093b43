"""Structure-aware mutations of ONNX files against the reader of their quantization and the lifted one."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import tensorflow as tf
from google.protobuf.message import EncodeError
from onnx import TensorProto

from qbench.errors import UserError
from qbench.formats.onnx_file import onnx_specs
from qbench.surrogate.lifted.qdq import QdqClassifier
from tests.mutations.common import COUNT, EXTREMES, hold
from tests.unit.surrogate.test_lifted_qdq import network


@pytest.fixture(scope="module")
def subjects(bundle):
    """Small graphs to mutate."""
    made = [network(), network(group=2, softmax=False), network(group=6), network(pool="MaxPool")]
    return [*made, (bundle.path / "int8.onnx").read_bytes()]


def read(content):
    """Read a file's ends, lift it, and compute with it."""
    entry, _ = onnx_specs(content)
    classifier = QdqClassifier(content, "clipped-ste")
    if int(np.prod(entry.shape)) > 1 << 20:
        raise UserError("an input of this size would fill the test's memory")
    classifier(tf.zeros((2, *entry.shape)))


def messages(message, found=None):
    """All messages below one, itself included."""
    found = [] if found is None else found
    found.append(message)
    for field, value in message.ListFields():
        if field.message_type is not None:
            for each in value if _repeated(message, field) else [value]:
                messages(each, found)
    return found


def _repeated(message, field):
    return hasattr(getattr(message, field.name), "append") or hasattr(getattr(message, field.name), "add")


def change_field(rng, model):
    """Another number, string or list in any field of any message."""
    found = [each for each in messages(model) if each.ListFields()]
    message = found[rng.integers(len(found))]
    plain = [field for field, _ in message.ListFields() if field.message_type is None]
    if not plain:
        return
    field = plain[rng.integers(len(plain))]
    if _repeated(message, field):
        values = list(getattr(message, field.name))
        place = rng.integers(len(values))
        values[place] = _other(rng, values[place], values)
        values = values[: rng.integers(len(values) + 1)] if rng.random() < 0.2 else values
        message.ClearField(field.name)
        getattr(message, field.name).extend(values)
    elif rng.random() < 0.2:
        message.ClearField(field.name)
    else:
        setattr(message, field.name, _other(rng, getattr(message, field.name), []))


def _other(rng, value, beside):
    if isinstance(value, (int, np.integer)):
        return int((value + rng.integers(-2, 3), EXTREMES[rng.integers(len(EXTREMES))])[rng.integers(2)])
    if isinstance(value, float):
        return float(rng.choice([np.nan, np.inf, 0.0, -1.0, 1e-38, 1e38]))
    if beside and rng.random() < 0.5:
        return beside[rng.integers(len(beside))]
    if isinstance(value, bytes):
        data = bytearray(value)
        if data and rng.random() < 0.5:
            data[rng.integers(len(data))] = rng.integers(256)
        return bytes(data if rng.random() < 0.5 else data[: rng.integers(len(data) + 1)])
    return str(rng.choice(["", "Conv", "Reshape", "QuantizeLinear", "input", "w", "ai.onnx", value]))


def change_nodes(rng, model):
    """Leave out, repeat or swap nodes or constants, or rewire one."""
    graph = model.graph
    items = graph.node if rng.random() < 0.6 else graph.initializer
    if not len(items):
        return
    i, j = (int(each) for each in rng.integers(len(items), size=2))
    kind = rng.integers(4)
    copies = [type(each).FromString(each.SerializeToString()) for each in items]
    if kind == 0:
        del copies[i]
    elif kind == 1:
        copies.insert(i, copies[j])
    elif kind == 2:
        copies[i], copies[j] = copies[j], copies[i]
    elif items is graph.node and len(copies[i].input) and len(copies[j].output):
        copies[i].input[rng.integers(len(copies[i].input))] = copies[j].output[0]
    del items[:]
    items.extend(copies)


def change_type(rng, model):
    """A constant of another type."""
    if len(model.graph.initializer):
        each = model.graph.initializer[rng.integers(len(model.graph.initializer))]
        each.data_type = int(rng.choice(list(TensorProto.DataType.values())))


def mutated(subjects, number):
    """The file of a number; the same each time."""
    rng = np.random.default_rng([number, 12])
    content = subjects[rng.integers(len(subjects))]
    if rng.random() < 0.1:
        flipped = bytearray(content)
        for place in rng.integers(0, len(flipped), rng.integers(1, 5)):
            flipped[place] = rng.integers(256)
        return bytes(flipped)
    while True:
        model = onnx.load_from_string(content)
        try:
            for _ in range(rng.integers(1, 3)):
                (change_field, change_field, change_nodes, change_type)[rng.integers(4)](rng, model)
            return bytes(model.SerializeToString())
        except (EncodeError, ValueError, TypeError):
            continue  # no such file can be written


def test_mutated_files_are_read_or_refused(subjects):
    ends = hold(read, lambda number: mutated(subjects, number))
    assert min(ends["read"], ends["refused"]) > COUNT / 50
