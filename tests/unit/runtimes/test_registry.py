"""Finding runtimes, saying what is missing, and the float network."""

import subprocess
import sys

import numpy as np
import pytest

from qbench.artifacts import ArtifactInfo, TensorSpec
from qbench.errors import EnvironmentLacks, UserError
from qbench.runtimes import RUNTIMES, available, open_runtime, runtime_class
from qbench.runtimes.onnx import OnnxRuntime
from qbench.runtimes.tflm import TflmRuntime
from tests.unit.runtimes.conftest import SHAPE, open_file, samples

FLOAT_ENDS = [
    TensorSpec(name="in", shape=SHAPE, dtype="float32"),
    TensorSpec(name="out", shape=(10,), dtype="float32"),
]


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(UserError, match="no runtime 'tflite-reff'") as caught:
        runtime_class("tflite-reff")
    assert "did you mean 'tflite-ref'?" in caught.value.hint


@pytest.mark.parametrize("name", RUNTIMES)
def test_a_class_bears_the_name_it_is_registered_under(name):
    found = runtime_class(name)
    assert found.name == name
    assert found.artifact in ("int8.tflite", "int8.onnx", "float.keras")


def test_a_missing_package_says_what_to_install(tmp_path):
    class Absent(TflmRuntime):
        packages = ("qbench-has-no-such-package",)

    with pytest.raises(EnvironmentLacks, match="needs the package qbench-has-no-such-package") as caught:
        Absent(tmp_path / "int8.tflite", *FLOAT_ENDS)
    assert caught.value.hint == "pip install 'qbench-tinyml[tflm]'"


def test_available_tells_each_runtime():
    found = available()
    assert list(found) == list(RUNTIMES)
    assert found["onnx"] is None
    assert found["tflm"] is None or "qbench-tinyml[tflm]" in found["tflm"]


def test_asking_what_is_available_loads_no_package():
    code = (
        "import sys; from qbench.runtimes import available; available();"
        "sys.exit(any(m in sys.modules for m in ('tensorflow', 'onnxruntime', 'ai_edge_litert', 'keras')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_bundle_without_the_artefact_is_refused(bundle):
    artifacts = {k: v for k, v in bundle.content.artifacts.items() if k != "int8.onnx"}
    assert all(isinstance(each, ArtifactInfo) for each in artifacts.values())
    poorer = bundle.content.model_copy(update={"artifacts": artifacts})
    with pytest.raises(UserError, match=r"has no int8\.onnx") as caught:
        open_runtime("onnx", bundle.path, poorer)
    assert "int8.tflite" in caught.value.hint
    assert isinstance(open_runtime("onnx", bundle.path, bundle.content), OnnxRuntime)


def test_float_is_the_keras_network(folder, network):
    x = samples(70)
    runtime = open_file("float", folder / "float.keras", FLOAT_ENDS, threads=2)
    assert runtime.grid is None
    assert (runtime.info.kernels, runtime.info.threads) == ("float32", 1)
    found = runtime.invoke(x)
    np.testing.assert_allclose(found, network.predict(x, verbose=0), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(runtime.invoke(x[:5]), found[:5])


def test_float_refuses_a_damaged_file_and_another_shape(folder, tmp_path):
    damaged = tmp_path / "float.keras"
    damaged.write_bytes((folder / "float.keras").read_bytes()[:1000])
    with pytest.raises(UserError, match="cannot be loaded as a Keras network"):
        open_file("float", damaged, FLOAT_ENDS)
    other = FLOAT_ENDS[0].model_copy(update={"shape": (28, 28, 1)})
    with pytest.raises(UserError, match=r"has an input of shape \(8, 8, 1\)"):
        open_file("float", folder / "float.keras", [other, FLOAT_ENDS[1]])
