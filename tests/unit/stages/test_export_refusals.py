"""What `export` refuses, remarks on and records."""

import ctypes
import shutil
import subprocess

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import qbench
from qbench.artifacts import sha256_of
from qbench.data import IMAGE, INT8_FEATURES, Dataset, Split, features, load_dataset
from qbench.errors import UserError


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4, 4, 1)), layers.Flatten(), layers.Dense(3)])
    path = tmp_path_factory.mktemp("network") / "mine.keras"
    model.save(path)
    return path


def random_data(domain=IMAGE, shape=(4, 4, 1), classes=3):
    rng = np.random.default_rng(0)
    dtype = {"image": np.uint8, "int8-features": np.int8, "features": np.float32}[domain.name]
    x, y = rng.integers(0, 100, (60, *shape)).astype(dtype), rng.integers(0, classes, 60)
    return Dataset("noise", domain, tuple("abcdefghij"[:classes]), None, Split(x, y))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"calibration": 0}, "calibration should be greater than or equal to 1"),
        ({"input_range": (1.0, 1.0)}, "input range"),
        ({"input_range": (0.0, float("inf"))}, "input_range.1 should be a finite number"),
        ({"adopt": "nowhere.tflite"}, "no file nowhere.tflite to adopt"),
        ({"adopt": "."}, "no file . to adopt"),
        ({"activations": "int4"}, "activations"),
        ({"activations": "int16", "adopt": "vendor.tflite"}, "int16 and --adopt exclude each other"),
        ({"activations": "int16", "ptq_act_bits": 4}, "int16 and --ptq-act-bits"),
    ],
)
def test_absurd_settings(network, tmp_path, settings, said):
    with pytest.raises(UserError, match=said) as caught:
        qbench.export(network, random_data(), tmp_path / "out", **settings)
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_network_whose_scores_are_not_finite(tmp_path):
    model = keras.Sequential([keras.Input((4, 4, 1)), layers.Flatten(), layers.Dense(3)])
    kernel, bias = model.get_weights()
    model.set_weights([np.full_like(kernel, 1e38), bias])
    model.save(tmp_path / "mine.keras")
    with pytest.raises(UserError, match="gives NaN or infinity"):
        qbench.export(tmp_path / "mine.keras", random_data(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_trained_folder_with_data_of_another_domain(trained, tmp_path):
    data = random_data(features(0, 100), (8, 8, 1), 10)
    with pytest.raises(UserError, match="was trained on digits, whose domain is image; noise holds features"):
        qbench.export(trained.path, data, tmp_path / "out")


def test_a_bundle_stands_on_the_bytes_of_its_inputs(bundle, trained):
    manifest = bundle.manifest
    assert manifest.inputs == {
        "model": trained.manifest.digest,
        "data": load_dataset("digits").fingerprint,
    }
    assert {name: sha256_of(bundle.path / name) for name in manifest.files} == {
        name: record.sha256 for name, record in manifest.files.items()
    }
    assert manifest.content.preprocessing == trained.content.preprocessing
    assert manifest.content.calibration["split"] == "train"


def test_another_seed_draws_other_calibration_inputs(network, tmp_path):
    drawn = [
        qbench.export(
            network,
            random_data(),
            tmp_path / str(seed),
            seed=seed,
            calibration=20,
            max_drop=1,
            input_range=(0, 1),
        ).content.calibration
        for seed in (0, 1)
    ]
    assert drawn[0] != drawn[1]
    assert {each["count"] for each in drawn} == {20}


def test_codes_without_a_meaning_are_remarked_on(network, tmp_path):
    notes = []
    progress = type("Listener", (), {"task": qbench.progress.SILENT.task, "note": notes.append})
    data = random_data(INT8_FEATURES)
    made = qbench.export(network, data, tmp_path / "out", progress=progress, max_drop=1)
    assert any("does not say what its int8 codes stand for" in note for note in notes)
    assert (made.content.preprocessing.scale, made.content.preprocessing.offset) == (1.0, 0.0)


class Doubler(tf.Module):
    """A signature with a batch of one built in."""

    @tf.function(input_signature=[tf.TensorSpec((1, 4), tf.float32)])
    def __call__(self, x):
        return x * 2


@pytest.mark.parametrize(
    ("module", "said"), [(Doubler, r"takes \(1, 4\)"), (tf.Module, "has no default signature")]
)
def test_a_saved_model_that_cannot_be_used_says_how_to_save_it(tmp_path, module, said):
    tf.saved_model.save(module(), tmp_path / "mine")
    with pytest.raises(UserError, match=said) as caught:
        qbench.export(tmp_path / "mine", random_data(), tmp_path / "out")
    assert "save it with" in caught.value.hint


def test_the_c_files_of_a_bundle_hold_its_int8_network(bundle, tmp_path):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    probe = "int output_elements(void) { return (int)QB_MODEL_OUTPUT_ELEMENTS; }\n"
    (tmp_path / "probe.c").write_text('#include "model_data.h"\n' + probe)
    sources = [bundle.path / "model_data.c", tmp_path / "probe.c"]
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", f"-I{bundle.path}"]
    subprocess.run([compiler, *flags, *sources, "-o", tmp_path / "lib.so"], check=True)
    built = ctypes.CDLL(str(tmp_path / "lib.so"))
    content = (bundle.path / "int8.tflite").read_bytes()
    assert bytes((ctypes.c_uint8 * len(content)).in_dll(built, "qb_model_data")) == content
    assert built.output_elements() == 10
