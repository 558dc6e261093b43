"""Packed models: the same outputs from fewer bytes, and nothing that harms from a hostile one."""

from __future__ import annotations

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from qbench.boards.packed_weights import IDENTIFIER, pack_weights
from qbench.errors import UserError
from qbench.runtimes.hostlib import HostModel
from tests.random_models.builder import ModelBuilder
from tests.random_models.cases import GENERATORS, draw
from tests.random_models.coarse import coarse, levels, network

WIDTHS = (1, 2, 4)


def _images(count: int) -> np.ndarray:
    return np.random.default_rng(5).integers(-128, 128, (count, 1, 8, 8, 4)).astype(np.int8)


@pytest.mark.parametrize("bits", WIDTHS)
def test_a_packed_network_computes_the_same(bits: int) -> None:
    model, x = network(bits), _images(50)
    packed = pack_weights(model)
    (whole,), (found,) = HostModel(model).run(x), HostModel(packed.content).run(x)
    assert len(np.unique(whole, axis=0)) > 40
    np.testing.assert_array_equal(found, whole)
    assert {each.bits for each in packed.constants} == {bits}


@pytest.mark.parametrize("bits", WIDTHS)
@pytest.mark.parametrize("operator", GENERATORS)
def test_every_operator_reads_packed_constants(operator: str, bits: int) -> None:
    for seed in range(6):
        case = draw(operator, seed)
        model = coarse(case.model, bits)
        packed = HostModel(pack_weights(model).content)
        for whole, found in zip(HostModel(model).run(*case.inputs), packed.run(*case.inputs), strict=True):
            np.testing.assert_array_equal(found, whole)


def test_any_values_are_packed_in_the_fewest_bits_that_tell_them_apart() -> None:
    def bits_of(*values: int) -> list[int]:
        m = ModelBuilder()
        x, y = m.tensor((1, 200), scale=0.1), m.tensor((1, 200), scale=0.1)
        b = m.constant(np.resize(np.array(values, np.int8), (1, 200)), 0.1)
        m.operator("ADD", [x, b], [y], "AddOptions", version=2)
        return [each.bits for each in pack_weights(m.build([x], [y])).constants]

    assert bits_of(7) == [1]
    assert bits_of(-128, 127) == [1]
    assert bits_of(0, 3, 9) == [2]
    assert bits_of(*range(5)) == [4]
    assert bits_of(*range(-8, 8)) == [4]
    assert bits_of(*range(-8, 9)) == []


def test_the_saving_is_that_of_the_file() -> None:
    model = network(2)
    packed = pack_weights(model)
    saved = sum(each.values - each.bytes for each in packed.constants)
    assert packed.original_bytes == len(model)
    assert len(model) - len(packed.content) == pytest.approx(saved, abs=64)  # alignment
    dense = max(packed.constants, key=lambda each: each.values)
    assert (dense.values, dense.bytes) == (2560, 1 + 4 + 640)


def test_the_same_model_gives_the_same_bytes() -> None:
    assert pack_weights(network(4)).content == pack_weights(network(4)).content


def test_a_model_with_nothing_to_pack_stays_as_it_is() -> None:
    model = draw("conv_2d", 1).model
    found = pack_weights(model)
    assert found.constants == ()
    assert found.content is model


@pytest.mark.parametrize("content", [b"", b"QBP1" * 8, b"\x10\0\0\0TFL3\xff\xff\xff\xff"])
def test_what_is_no_model_is_told(content: bytes) -> None:
    with pytest.raises(UserError, match=r"no \.tflite file|cannot be read"):
        pack_weights(content)


def test_a_layer_is_unpacked_only_while_it_runs() -> None:
    """Of four layers one after the other, one at a time takes memory."""
    rng, m = np.random.default_rng(0), ModelBuilder()
    x = [m.tensor((1, 128), scale=0.1) for _ in range(5)]
    for i in range(4):
        weights = m.constant(rng.choice(levels(1), (128, 128)), 0.01)
        m.operator("FULLY_CONNECTED", [x[i], weights], [x[i + 1]], "FullyConnectedOptions", version=4)
    model = m.build([x[0]], [x[4]])
    layer = 128 * 128
    grown = HostModel(pack_weights(model).content).arena - HostModel(model).arena
    assert layer <= grown <= layer + 256


def _write(model: schema.ModelT, identifier: bytes) -> bytes:
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), identifier)
    return bytes(builder.Output())


def test_other_runtimes_refuse_a_packed_model() -> None:
    content = pack_weights(network(2)).content
    assert content[4:8] == IDENTIFIER
    with pytest.raises(ValueError, match="not a valid Flatbuffer"):
        Interpreter(model_content=content)
    with pytest.raises(ValueError, match="Unsupported data type 64"):
        Interpreter(model_content=_write(schema.ModelT.InitFromPackedBuf(content), b"TFL3"))


def test_tflite_micro_which_reads_no_identifier_refuses_it_too() -> None:
    runtime = pytest.importorskip("tflite_micro.python.tflite_micro").runtime
    with pytest.raises(RuntimeError, match="failed to allocate"):
        runtime.Interpreter.from_bytes(pack_weights(network(2)).content)


@pytest.mark.parametrize(
    "change",
    [lambda d: d[:-1], lambda d: np.append(d, d[-1]), lambda d: np.r_[d[:1] * 2, d[1:]], lambda d: d[:0]],
    ids=["short", "long", "other bits", "empty"],
)
def test_a_packed_constant_of_the_wrong_length_is_refused(change) -> None:
    model = schema.ModelT.InitFromPackedBuf(pack_weights(network(2)).content)
    buffer = max((each for each in model.buffers if each.data is not None), key=lambda each: len(each.data))
    buffer.data = change(np.asarray(buffer.data, np.uint8))
    with pytest.raises(UserError) as caught:
        HostModel(_write(model, IDENTIFIER))
    assert caught.value.cause == "a packed constant has not the length that its shape and bits ask for"
