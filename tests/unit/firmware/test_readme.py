"""The example of the firmware's README compiles, runs, and classifies as TFLite's reference kernels do."""

import ctypes
import re
import subprocess

import numpy as np
import pytest

from qbench.data import load_dataset
from qbench.places import firmware_sources
from tests.unit.firmware.sources import runtime_sources
from tests.unit.runtimes.conftest import open_file

SOURCES = firmware_sources()


@pytest.fixture(scope="module")
def classify(tmp_path_factory):
    """The function of the example."""
    folder = tmp_path_factory.mktemp("example")
    (example,) = re.findall(r"```c\n(.*?)```", (SOURCES / "README.md").read_text(), re.DOTALL)
    (folder / "example.c").write_text(example)
    sources = [folder / "example.c", *runtime_sources()]
    flags = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off", "-fPIC", "-shared"]
    library = folder / "example.so"
    command = ["cc", *flags, f"-I{SOURCES}", "-o", library, *sources, "-lm"]
    subprocess.run(list(map(str, command)), check=True)
    return ctypes.CDLL(str(library)).classify


def test_the_example_classifies(bundle, classify):
    digits = load_dataset("digits")
    runtime = open_file("tflite-ref", bundle.path / "int8.tflite")
    x = bundle.content.preprocessing.apply(digits.inputs(digits.test.x[:50]))
    codes = runtime.input.quantization.quantize(x)
    model = (bundle.path / "int8.tflite").read_bytes()
    context = ctypes.create_string_buffer(4096)
    found = [classify(context, model, len(model), row.tobytes()) for row in codes]
    assert found == runtime.invoke(codes).argmax(axis=1).tolist()


def test_a_damaged_model_is_refused(bundle, classify):
    model = (bundle.path / "int8.tflite").read_bytes()[:1000]
    assert (
        classify(ctypes.create_string_buffer(4096), model, len(model), np.zeros(64, np.int8).tobytes()) == -1
    )
