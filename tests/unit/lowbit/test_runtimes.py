"""A lowered network is an ordinary int8 file: the firmware and TFLite Micro answer as the reference does."""

import numpy as np
import pytest

from qbench.exporters.lowbit_tflite import program_to_tflite
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


@pytest.mark.parametrize("network", NETWORKS, ids=lambda each: "{}-w{}a{}-{}".format(*each))
def test_firmware_and_tflite_micro_equal_the_reference(tmp_path, network):
    pytest.importorskip("tflite_micro")
    model, x = settled(*network)
    path = tmp_path / "int8.tflite"
    path.write_bytes(program_to_tflite(lower(model)))
    entry, output = read_specs(path)
    answers = {}
    for name in ("tflite-ref", "host", "tflm"):
        runtime = runtime_class(name)(path, entry, output)
        answers[name] = runtime.invoke(entry.quantization.quantize(x))
        runtime.close()
    assert len(np.unique(answers["tflite-ref"])) > 2  # else equality would say nothing
    np.testing.assert_array_equal(answers["host"], answers["tflite-ref"])
    np.testing.assert_array_equal(answers["tflm"], answers["tflite-ref"])
