"""Exporting what users and vendors bring."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import qbench
from qbench.artifacts import Preprocessing
from qbench.data import IMAGE, INT8_FEATURES, Dataset, Split, load_dataset
from qbench.errors import CheckFailed, UserError
from qbench.exporters.tflite import to_int8_tflite
from tests.conftest import bytes_of


class Notes:
    """A progress listener that keeps the notes."""

    def __init__(self):
        self.notes = []
        self.task = qbench.progress.SILENT.task

    def note(self, text):
        self.notes.append(text)


def stripes(n=300, domain=IMAGE, train=True, seed=0):
    """Images whose class is where the bright stripe lies: any network learns them."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    x = rng.integers(0, 60, (n, 6, 6, 1))
    x[np.arange(n), y * 2] += 150
    x = x.astype(np.uint8) if domain is IMAGE else (x - 128).astype(np.int8)
    half = n // 2
    splits = Split(x[:half], y[:half]), Split(x[half:], y[half:])
    return Dataset("stripes", domain, ("a", "b", "c"), splits[0] if train else None, splits[1])


def network(low=0.0, high=1.0, *, activation="linear"):
    """A network, made by hand, that knows the stripes from pixels in low..high and from no other range.

    The score of a class is a hat over the brightness of its stripe: 1 at the usual one, 0 far from it.
    """
    bright, width = low + 0.7 * (high - low), 0.25 * (high - low)
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            layers.Conv2D(1, (2, 6), strides=(2, 1)),
            layers.Flatten(),
            layers.Dense(6, activation="relu"),
            layers.Dense(3, activation="relu"),
            layers.Activation(activation),
        ]
    )
    mean = np.zeros((2, 6, 1, 1), np.float32)
    mean[0] = 1 / 6
    sides = np.concatenate([np.eye(3), -np.eye(3)], axis=1) / width
    offsets = np.repeat([-bright / width, bright / width], 3)
    weights = (mean, np.zeros(1), sides, offsets, -np.concatenate([np.eye(3)] * 2), np.ones(3))
    model.set_weights([np.asarray(each, np.float32) for each in weights])
    return model


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "mine.keras"
    network().save(path)
    return path


def accuracies(made):
    return {name: info.correct / info.evaluated for name, info in made.content.artifacts.items()}


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.0, 255.0), (-1.0, 1.0)])
def test_what_the_network_expects_of_a_pixel_is_found(tmp_path, low, high):
    network(low, high).save(tmp_path / "mine.keras")
    listener = Notes()
    made = qbench.export(tmp_path / "mine.keras", stripes(), tmp_path / "out", progress=listener)
    assert made.content.preprocessing == Preprocessing(scale=high - low, offset=low)
    assert f"pixels in {low:g}..{high:g}" in listener.notes[0]
    assert min(accuracies(made).values()) > 0.95
    assert made.content.network == "mine"


def test_a_stated_input_range_is_taken(tmp_path, model_file):
    made = qbench.export(model_file, stripes(), tmp_path / "out", input_range=(-2, 2), max_drop=1)
    assert made.content.preprocessing == Preprocessing(scale=4.0, offset=-2.0)


@pytest.mark.parametrize("form", ["keras", "h5", "savedmodel", "softmax savedmodel"])
def test_every_form_of_a_network_gives_a_bundle_that_can_be_attacked(tmp_path, form):
    model = network(activation="softmax" if "softmax" in form else "linear")
    path = tmp_path / ("mine" if "saved" in form else f"mine.{form}")
    if "saved" in form:
        model.export(path, verbose=False)
    else:
        model.save(path)
    made = qbench.export(path, stripes(), tmp_path / "out")
    assert min(accuracies(made).values()) > 0.95
    attack = {"attack": "pgd", "eps": [0.9], "steps": 20, "count": 50}
    advset = qbench.attack(made.path, stripes(), tmp_path / "adv", **attack)
    assert advset.content.results[0].correct < 25
    replayed = qbench.replay(made.path, advset.path, ["tflite-ref", "float"], tmp_path / "replay")
    assert replayed.content.scores[1].clean_accuracy.value > 0.95


def test_calibration_without_a_train_split_is_said(tmp_path, model_file):
    listener = Notes()
    made = qbench.export(model_file, stripes(train=False), tmp_path / "out", progress=listener)
    assert made.content.calibration["split"] == "test"
    assert any("calibrating on test inputs" in note for note in listener.notes)


def test_int8_is_full_integer_and_per_channel_and_dense_may_be_per_tensor(tmp_path, model_file):
    def dense_scales(folder):
        content = (folder / "int8.tflite").read_bytes()
        interpreter = tf.lite.Interpreter(model_content=content)
        tensors = interpreter.get_tensor_details()
        assert all(t["dtype"] in (np.int8, np.int32) for t in tensors)
        (dense,) = (t for t in tensors if t["shape"].tolist() == [3, 6] and t["dtype"] == np.int8)
        return len(dense["quantization_parameters"]["scales"])

    with pytest.warns(UserWarning, match="LiteRT"):
        assert dense_scales(qbench.export(model_file, stripes(), tmp_path / "a").path) == 3
        made = qbench.export(model_file, stripes(), tmp_path / "b", per_tensor_dense=True)
        assert dense_scales(made.path) == 1


def vendor_file(path, kind):
    """An int8 network with int8, uint8 or float32 ends, as vendors ship them."""
    model, data = network(), stripes()
    real = data.inputs(data.train.x)
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([x[np.newaxis]] for x in real[:50])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = getattr(tf, kind)
    path.write_bytes(converter.convert())
    return path


@pytest.mark.filterwarnings("ignore:Statistics for quantized inputs")
@pytest.mark.parametrize("kind", ["int8", "uint8", "float32"])
def test_a_vendors_file_is_adopted_byte_for_byte(tmp_path, model_file, kind, capfd):
    vendor = vendor_file(tmp_path / "vendor.tflite", kind)
    made = qbench.export(model_file, stripes(), tmp_path / "out", adopt=vendor)
    assert (made.path / "int8.tflite").read_bytes() == vendor.read_bytes()
    info = made.content.artifacts["int8.tflite"]
    assert (info.input.dtype, info.output.dtype) == (kind, kind)
    assert min(accuracies(made).values()) > 0.95
    attack = {"attack": "pgd", "eps": [0.3], "steps": 10, "count": 60}
    advset = qbench.attack(made.path, stripes(), tmp_path / "adv", **attack)
    runtimes = ["tflite", "tflite-ref", "onnx", "float"]
    replayed = qbench.replay(made.path, advset.path, runtimes, tmp_path / "replay")
    robust = [s.by_eps[0].robust_accuracy.value for s in replayed.content.scores]
    assert max(robust[:3]) - min(robust[:3]) < 0.1
    capfd.readouterr()


def test_int8_features_get_their_meaning_from_the_vendors_file(tmp_path):
    data = stripes(domain=INT8_FEATURES)
    model = network(0.0, 255.0)
    model.save(tmp_path / "mine.keras")
    real = (data.train.x.astype(np.float32) + 128)[:100]
    (tmp_path / "vendor.tflite").write_bytes(to_int8_tflite(model, real))
    made = qbench.export(
        tmp_path / "mine.keras", data, tmp_path / "out", adopt=tmp_path / "vendor.tflite", max_drop=1
    )
    entry = made.content.artifacts["int8.tflite"].input
    assert made.content.preprocessing.scale == entry.scale
    codes = data.test.x[:5]
    fed = made.content.preprocessing.apply(data.inputs(codes))
    assert np.array_equal(entry.quantization.quantize(fed), codes)


def test_exporting_twice_gives_the_same_bytes(tmp_path, model_file):
    first = qbench.export(model_file, stripes(), tmp_path / "a")
    second = qbench.export(model_file, stripes(), tmp_path / "b")
    assert bytes_of(first.path) == bytes_of(second.path)


def test_networks_and_data_that_do_not_fit(tmp_path, model_file):
    with pytest.raises(UserError, match=r"inputs of shape \(6, 6, 1\).*shape \(8, 8, 1\)"):
        qbench.export(model_file, "digits", tmp_path / "out")
    other = Dataset("two", IMAGE, ("a", "b", "c", "d"), None, stripes().test)
    with pytest.raises(UserError, match="gives 3 scores"):
        qbench.export(model_file, other, tmp_path / "out")
    digits = load_dataset("digits")
    keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(10)]).save(tmp_path / "d.keras")
    wrong = tmp_path / "wrong.tflite"
    wrong.write_bytes(to_int8_tflite(network(), np.zeros((2, 6, 6, 1), np.float32)))
    with pytest.raises(UserError, match=r"wrong\.tflite takes inputs of shape"):
        qbench.export(tmp_path / "d.keras", digits, tmp_path / "out", adopt=wrong)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("what", ["truncated", "text", "missing", "folder", "suffix"])
def test_files_that_are_no_network(tmp_path, model_file, what):
    path = tmp_path / ("mine.keras" if what != "suffix" else "mine.pt")
    if what == "truncated":
        path.write_bytes(model_file.read_bytes()[:3000])
    elif what == "folder":
        path.mkdir()
    elif what != "missing":
        path.write_text("hello")
    with pytest.raises(UserError) as caught:
        qbench.export(path, stripes(), tmp_path / "out")
    assert caught.value.hint
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9, 0.999])
def test_a_truncated_vendors_file_never_reaches_a_kernel(tmp_path, model_file, share):
    whole = to_int8_tflite(network(), np.random.default_rng(0).random((9, 6, 6, 1), np.float32))
    cut = tmp_path / "cut.tflite"
    cut.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(UserError, match="is not a TFLite model"):
        qbench.export(model_file, stripes(), tmp_path / "out", adopt=cut)


def test_too_large_a_drop_fails_and_keeps_the_bundle(tmp_path, model_file):
    bad = tmp_path / "bad.tflite"
    keras.utils.set_random_seed(9)
    stranger = keras.Sequential([keras.Input((6, 6, 1)), layers.Flatten(), layers.Dense(3)])
    bad.write_bytes(to_int8_tflite(stranger, np.random.default_rng(0).random((9, 6, 6, 1), np.float32)))
    for _ in range(2):
        with pytest.raises(CheckFailed, match=r"int8.tflite gets .* right"):
            qbench.export(model_file, stripes(), tmp_path / "out", adopt=bad)
    assert (tmp_path / "out" / "manifest.json").is_file()


@pytest.mark.slow
def test_mlperf_tinys_resnet8_agrees_with_its_known_figures(tmp_path, data_root):
    folder = data_root / "mlperf-tiny" / "ic-resnet8"
    made = qbench.export(folder / "float.h5", "cifar10-jpeg", tmp_path / "out", adopt=folder / "int8.tflite")
    found = accuracies(made)
    assert found["float.keras"] == pytest.approx(0.7548, abs=0.0005)
    assert found["int8.tflite"] == pytest.approx(0.7542, abs=0.002)  # XNNPACK; its kernels vary with the CPU
    assert found["int8.onnx"] > 0.745
    assert made.content.preprocessing.scale == 255


@pytest.mark.slow
def test_mlperf_tinys_dscnn_scores_about_90_percent(tmp_path, data_root):
    folder = data_root / "mlperf-tiny" / "kws-dscnn"
    made = qbench.export(
        folder / "float.keras", str(folder / "samples.npz"), tmp_path / "out", adopt=folder / "int8.tflite"
    )
    assert accuracies(made)["int8.tflite"] == pytest.approx(0.9, abs=0.02)
    assert made.content.data.domain == INT8_FEATURES
    assert made.content.preprocessing.scale == pytest.approx(0.5847, abs=1e-4)


def test_16_bit_activations(tmp_path, model_file):
    notes = Notes()
    made = qbench.export(model_file, stripes(), tmp_path / "b", activations="int16", progress=notes)
    info = made.content.artifacts["int8.tflite"]
    assert (info.input.dtype, info.input.zero_point, info.output.dtype) == ("int16", 0, "int16")
    assert info.correct == made.content.artifacts["float.keras"].correct
    assert "int8.onnx" not in made.content.artifacts
    assert any("int8.onnx" in said for said in notes.notes)
    with pytest.raises(UserError, match="nothing to convert"):
        qbench.export(made.path / "int8.tflite", stripes(), tmp_path / "c", activations="int16")
