"""The five networks of MLPerf Tiny, each from its files to the gate by way of an emulated board."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

import qbench
from qbench.artifacts import load
from qbench.surrogate.keras_file import open_keras

pytestmark = [pytest.mark.emulated, pytest.mark.slow]

BOARD = "qemu:mps2-an386"
COUNT = 24


def images(folder):
    """The first test images of CIFAR-10-JPEG, a few of each class."""
    x, y = [], []
    with zipfile.ZipFile(folder.parents[1] / "cifar10-jpeg-test.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        classes = sorted({name.split("/")[-2] for name in names})
        for label, one in enumerate(classes):
            for name in [each for each in names if each.split("/")[-2] == one][:6]:
                x.append(np.asarray(Image.open(io.BytesIO(archive.read(name)))))
                y.append(label)
    return {"x": np.stack(x), "y": np.array(y)}


def keywords(folder):
    samples = np.load(folder / "samples.npz")
    return {"x": samples["x"][:COUNT], "y": samples["y"][:COUNT].astype(np.int64)}


def people(folder):
    """No recordings are there: smooth seeded images, labelled as the float network labels them."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (COUNT, 6, 6, 3)).astype(np.uint8)
    x = np.stack([np.asarray(Image.fromarray(each).resize((96, 96), Image.BILINEAR)) for each in coarse])
    scores = open_keras(folder / "float.h5").predict(x.astype(np.float32) / 255, verbose=0)
    return {"x": x, "y": (scores[:, 1] > np.median(scores[:, 1])).astype(np.int64)}


def machines(_):
    """No recordings are there: seeded spectra that vary in few ways, and the same with noise."""
    random = np.random.default_rng(0)
    ways = random.normal(size=(8, 640))
    near = -20 + random.normal(size=(COUNT, 8)) @ ways
    y = np.repeat([0, 1], COUNT // 2)
    noise = random.normal(size=near.shape) * np.where(y, 3.0, 1.0)[:, None]
    classes = np.array(["normal", "anomalous"])
    return {"x": (near + noise).astype(np.float32), "y": y, "classes": classes}


def windows(folder):
    samples = np.load(folder / "samples.npz")
    return {
        "x": samples["specs"].astype(np.float32),
        "y": samples["labels"].astype(np.int64),
        "classes": np.array(["wakeword", "silence", "other"]),
    }


NETWORKS = {
    "ic-resnet8": (images, "float.h5", "0,255", "2/255"),
    "kws-dscnn": (keywords, "float.keras", None, "2"),
    "vww-mobilenet": (people, "float.h5", "0,1", "2/255"),
    "ad-autoencoder": (machines, "float.h5", None, "1"),
    "sww-conv1d": (windows, "float.h5", None, "0.02"),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_goes_from_export_to_the_gate(name, data_root, tmp_path, command):
    folder = data_root / "mlperf-tiny" / name
    made, float_file, input_range, eps = NETWORKS[name]
    data = tmp_path / "data.npz"
    np.savez(data, **made(folder))
    range_given = ["--input-range", input_range] if input_range else []
    for step in (
        [
            "export",
            folder / float_file,
            "--adopt",
            folder / "int8.tflite",
            "--data",
            data,
            *range_given,
            "--max-drop",
            "1",
            "--out",
            tmp_path / "bundle",
        ],
        [
            "attack",
            tmp_path / "bundle",
            "--data",
            data,
            "--attack",
            "bim",
            "--steps",
            "3",
            "--eps",
            eps,
            "--count",
            "8",
            "--no-checks",
            "--out",
            tmp_path / "advset",
        ],
        [
            "replay",
            tmp_path / "bundle",
            tmp_path / "advset",
            "--runtime",
            "host",
            "--runtime",
            "tflite-ref",
            "--device",
            BOARD,
            "--out",
            tmp_path / "replay",
        ],
        ["report", tmp_path / "replay", "--html", "--out", tmp_path / "report"],
    ):
        done = command(*step)
        assert done.returncode == 0, done.stderr
    gate = qbench.check(tmp_path / "replay", max_disagreement=0.4)
    assert gate.passed, [each.reason for each in gate.verdicts]
    content = load(tmp_path / "replay", "replay").content
    (device,) = content.devices
    assert device.equal.count == device.equal.total == 16, "every element as TFLite's reference kernels"
    at = content.scores[0].by_eps[0]
    assert at.robust_accuracy.count < content.scores[0].clean_accuracy.count
    if name == "ad-autoencoder":
        assert content.task.kind == "anomaly"
        assert at.detection.auc.value < content.scores[0].detection.auc.value
        assert not qbench.check(tmp_path / "replay", min_robust_auc=0.99, at=[1.0]).passed
