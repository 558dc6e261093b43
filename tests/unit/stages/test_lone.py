"""An integer file with nothing beside it."""

import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

import qbench
from qbench.artifacts import Preprocessing
from qbench.errors import UserError

SHORT = {"attack": "pgd", "eps": [16 / 255], "steps": 5, "count": 60, "checks": False}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("QBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def lone(bundle, folder, name="int8.tflite"):
    file = folder / f"vendor{name[4:]}"
    shutil.copyfile(bundle.path / name, file)
    return file


@pytest.mark.parametrize(
    ("name", "runtime"), [("int8.tflite", "tflite-ref"), ("int8.onnx", "onnx")], ids=["tflite", "onnx"]
)
def test_a_file_is_attacked_and_replayed_as_its_bundle_would_be(bundle, tmp_path, cache, name, runtime):
    file = lone(bundle, tmp_path, name)
    made = qbench.attack(file, "digits", tmp_path / "a", **SHORT)
    assert made.content.surrogate == "lifted:clipped-ste"
    assert made.content.preprocessing == bundle.content.preprocessing
    (kept,) = (cache / "bundles").iterdir()
    assert (kept / name).read_bytes() == file.read_bytes()

    whole = tmp_path / "whole"
    shutil.copytree(bundle.path, whole)
    if name == "int8.tflite":
        theirs = qbench.attack(whole, "digits", tmp_path / "b", surrogate="lifted:clipped-ste", **SHORT)
        assert np.array_equal(np.load(made.path / "eps-0.npy"), np.load(theirs.path / "eps-0.npy"))
    alone = qbench.replay(file, made.path, [], tmp_path / "r")
    assert runtime in [each.runtime.name for each in alone.content.scores]
    assert "float" not in [each.runtime.name for each in alone.content.scores]
    with_float = qbench.replay(whole, made.path, [runtime], tmp_path / "s")
    for each in ("clean.npy", "eps-0.npy"):
        assert np.array_equal(np.load(alone.path / runtime / each), np.load(with_float.path / runtime / each))


@pytest.mark.filterwarnings("ignore:Statistics for quantized inputs")
@pytest.mark.parametrize("ends", [tf.uint8, tf.float32], ids=["uint8", "float32"])
def test_other_ends(bundle, tmp_path, ends):
    x = np.random.default_rng(0).random((50, 8, 8, 1), np.float32)
    model = keras.models.load_model(bundle.path / "float.keras")
    signature = tf.TensorSpec((None, 8, 8, 1), tf.float32)
    forward = tf.function(lambda x: model(x, training=False), input_signature=[signature])
    frozen = convert_variables_to_constants_v2(forward.get_concrete_function())
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen], tf.Module())
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([each[None]] for each in x)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = ends
    file = tmp_path / "vendor.tflite"
    file.write_bytes(converter.convert())
    made = qbench.attack(file, "digits", tmp_path / "a", **SHORT)
    assert made.content.clean_correct > 50
    assert made.content.results[0].correct < made.content.clean_correct
    replayed = qbench.replay(file, made.path, ["tflite-ref"], tmp_path / "r").content.scores[0]
    assert replayed.clean_accuracy.count == made.content.clean_correct


def test_features_stand_for_what_the_input_says(data_root, tmp_path):
    folder = data_root / "mlperf-tiny" / "kws-dscnn"
    made = qbench.export(folder / "int8.tflite", str(folder / "samples.npz"), tmp_path / "bundle")
    entry = made.content.artifacts["int8.tflite"].input
    expected = Preprocessing(scale=entry.scale, offset=-entry.scale * entry.zero_point)
    assert made.content.preprocessing == expected
    assert (
        made.content.artifacts["int8.tflite"].correct / made.content.artifacts["int8.tflite"].evaluated > 0.85
    )


def test_a_stated_range_holds(bundle, tmp_path):
    made = qbench.export(lone(bundle, tmp_path), "digits", tmp_path / "bundle", input_range=(0, 255))
    assert made.content.preprocessing == Preprocessing(scale=255.0)
    assert made.content.artifacts["int8.tflite"].correct < bundle.content.artifacts["int8.tflite"].correct


@pytest.mark.parametrize("name", ["int8.tflite", "int8.onnx", "float.tflite", "float.onnx"])
def test_what_is_no_integer_network_is_refused(bundle, tmp_path, cache, name):
    file = tmp_path / name
    whole = (bundle.path / name).read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if name.startswith("int8") else whole)
    with pytest.raises(UserError, match=r"is not an? ") as caught:
        qbench.attack(file, "digits", tmp_path / "a", **SHORT)
    assert caught.value.cause
    assert caught.value.hint
    assert not cache.exists()


def test_what_a_lone_file_lacks_is_named(bundle, tmp_path):
    file = lone(bundle, tmp_path)
    with pytest.raises(UserError, match="nothing to make the surrogate 'float' of") as caught:
        qbench.attack(file, "digits", tmp_path / "a", surrogate="float", **SHORT)
    assert "lifted:clipped-ste" in caught.value.hint
    with pytest.raises(UserError, match="nothing to convert"):
        qbench.export(file, "digits", tmp_path / "b", ptq_weight_bits=4)
    with pytest.raises(UserError, match="there is no network"):
        qbench.attack(tmp_path / "nowhere.tflite", "digits", tmp_path / "a", **SHORT)


def test_a_file_that_was_never_attacked_says_how_to_go_on(bundle, advset, tmp_path):
    with pytest.raises(UserError, match="the preprocessing of") as caught:
        qbench.replay(lone(bundle, tmp_path), advset.path, [], tmp_path / "r")
    assert "qbench export" in caught.value.hint


def test_a_file_for_other_inputs_is_refused(data_root, tmp_path):
    file = data_root / "mlperf-tiny" / "kws-dscnn" / "int8.tflite"
    with pytest.raises(UserError, match="takes inputs of shape") as caught:
        qbench.attack(file, "digits", tmp_path / "a", **SHORT)
    assert "data set" in caught.value.hint
