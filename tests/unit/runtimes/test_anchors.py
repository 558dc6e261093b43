"""MLPerf Tiny's vendor files on real data: the known figures of each runtime, and how far they are apart."""

import numpy as np
import pytest
import tensorflow as tf

from qbench.data import load_dataset
from qbench.runtimes.specs import read_specs
from tests.unit.runtimes.conftest import open_file

pytestmark = pytest.mark.slow

FIRST = 2000


def differing(a, b):
    """Share of inputs with different labels."""
    return np.mean(a.argmax(1) != b.argmax(1))


@pytest.fixture(scope="module")
def cifar(data_root):
    """CIFAR-10-JPEG's test images, as the codes that ResNet-8 takes (pixel - 128), and their labels."""
    file = data_root / "cifar10-jpeg-test.zip"
    if not file.is_file():
        pytest.skip(f"{file.name} is not in QBENCH_DATA")
    test = load_dataset(str(file)).test
    return (test.x.astype(np.int16) - 128).astype(np.int8), test.y


@pytest.fixture(scope="module")
def answers(data_root, cifar):
    """Outputs by runtime: all images, or the first 2,000, by how fast the runtime is."""
    path = data_root / "mlperf-tiny" / "ic-resnet8" / "int8.tflite"
    if not path.is_file():
        pytest.skip("ResNet-8 is not in QBENCH_DATA")
    counts = {"tflite": None, "tflite-builtin": None, "tflite-ref": FIRST}
    return {name: open_file(name, path, threads=2).invoke(cifar[0][:count]) for name, count in counts.items()}


@pytest.mark.parametrize(
    ("name", "count", "accuracy"),
    [
        ("tflite", 10_000, 0.7542),
        ("tflite-builtin", 10_000, 0.7555),
        ("tflite", FIRST, 0.7485),
        ("tflite-builtin", FIRST, 0.7470),
        ("tflite-ref", FIRST, 0.7490),
    ],
)
def test_resnet8_scores_as_known(answers, cifar, name, count, accuracy):
    found = np.mean(answers[name][:count].argmax(1) == cifar[1][:count])
    if name == "tflite":  # XNNPACK chooses its kernels by the CPU
        assert found == pytest.approx(accuracy, abs=0.004)
    else:
        assert found == pytest.approx(accuracy, abs=1e-9)


def test_resnet8_is_three_functions(answers):
    """Labels differ for 3.5 % (XNNPACK, reference), 3.8 % (XNNPACK, built-in), 2.6 % (built-in, ref)."""
    xnnpack, builtin, reference = (answers[n] for n in ("tflite", "tflite-builtin", "tflite-ref"))
    assert differing(xnnpack[:FIRST], reference) == pytest.approx(0.035, abs=0.01)
    assert differing(xnnpack, builtin) == pytest.approx(0.038, abs=0.01)
    assert differing(builtin[:FIRST], reference) == pytest.approx(0.026, abs=0.003)


@pytest.mark.skipif(
    tf.__version__.split(".") >= ["2", "20"], reason="its reference FULLY_CONNECTED rounds differently"
)
def test_tflite_micro_equals_the_reference_on_resnet8(data_root, answers, cifar):
    pytest.importorskip("tflite_micro", reason="qbench-tinyml[tflm] is not installed")
    micro = open_file("tflm", data_root / "mlperf-tiny" / "ic-resnet8" / "int8.tflite")
    np.testing.assert_array_equal(micro.invoke(cifar[0][:300]), answers["tflite-ref"][:300])


def test_keyword_spotting_scores_as_known(data_root):
    """About 90 % under XNNPACK; its labels differ from the reference's for 0.7 %, its vectors for 36 %."""
    folder = data_root / "mlperf-tiny" / "kws-dscnn"
    if not folder.is_dir():
        pytest.skip("DS-CNN is not in QBENCH_DATA")
    test = load_dataset(str(folder / "samples.npz")).test
    entry, _ = read_specs(folder / "int8.tflite")
    codes = test.x.reshape(-1, *entry.shape)
    xnnpack, reference = (
        open_file(n, folder / "int8.tflite").invoke(codes) for n in ("tflite", "tflite-ref")
    )
    assert np.mean(xnnpack.argmax(1) == test.y) == pytest.approx(0.90, abs=0.01)
    assert differing(xnnpack, reference) == pytest.approx(0.007, abs=0.005)
    assert np.mean((xnnpack != reference).any(axis=1)) == pytest.approx(0.36, abs=0.08)
