"""A lowered network is an ordinary int8 file: the firmware and TFLite Micro answer as the reference does."""

import numpy as np
import pytest

from qbench.exporters.lowbit_onnx import program_to_onnx
from qbench.exporters.lowbit_tflite import program_to_tflite
from qbench.formats.onnx_file import onnx_specs
from qbench.lowbit.lowering import lower
from qbench.runtimes import runtime_class
from qbench.runtimes.specs import read_specs
from tests.unit.lowbit.networks import settled

NETWORKS = [
    ("digits-cnn", 1, 1, "dorefa"),
    ("digits-cnn", 4, 2, "dorefa"),
    ("digits-cnn", 8, 8, "lsq"),
    ("resnet8", 1, 1, "bnn"),
    ("resnet8", 2, 2, "dorefa"),
    ("resnet8", 3, 4, "lsq"),
    ("dscnn", 1, 1, "dorefa"),
    ("dscnn", 4, 4, "dorefa"),
    ("study-cnn", 2, 1, "dorefa"),
]


NAMED = "{0[0]}-w{0[1]}a{0[2]}-{0[3]}".format


@pytest.mark.parametrize("network", NETWORKS, ids=NAMED)
def test_firmware_and_tflite_micro_equal_the_reference(tmp_path, network):
    pytest.importorskip("tflite_micro")
    model, x = settled(*network)
    path = tmp_path / "int8.tflite"
    path.write_bytes(program_to_tflite(lower(model).program))
    entry, output = read_specs(path)
    answers = {}
    for name in ("tflite-ref", "host", "tflm"):
        runtime = runtime_class(name)(path, entry, output)
        answers[name] = runtime.invoke(entry.quantization.quantize(x))
        runtime.close()
    assert len(np.unique(answers["tflite-ref"])) > 2  # else equality would say nothing
    np.testing.assert_array_equal(answers["host"], answers["tflite-ref"])
    np.testing.assert_array_equal(answers["tflm"], answers["tflite-ref"])


@pytest.mark.parametrize(
    "network",
    [
        ("digits-cnn", 2, 2, "lsq"),
        ("digits-cnn", 1, 4, "dorefa"),
        ("dscnn", 3, 2, "dorefa"),
        ("study-cnn", 2, 3, "dorefa"),
    ],
    ids=NAMED,
)
def test_where_no_accumulator_is_a_tie_every_runtime_computes_the_same(tmp_path, network):
    model, x = settled(*network, count=100)
    program = lower(model).program
    path, graph = tmp_path / "int8.tflite", tmp_path / "int8.onnx"
    path.write_bytes(program_to_tflite(program))
    graph.write_bytes(program_to_onnx(program))
    entry, output = read_specs(path)
    codes = entry.quantization.quantize(x)
    wanted = runtime_class("tflite-ref")(path, entry, output).invoke(codes).astype(int)
    xnnpack = runtime_class("tflite")(path, entry, output).invoke(codes).astype(int)
    onnx = runtime_class("onnx-exact")(graph, *onnx_specs(graph.read_bytes())).invoke(codes).astype(int)
    for found in (xnnpack, onnx):
        assert np.abs(found - wanted).max() <= 1  # scores have 256 codes, too many to keep from ties
        assert np.mean(found != wanted) < 0.05
