"""Files in forms that only some tools understand: read right, or refused by name."""

from __future__ import annotations

import flatbuffers
import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

import qbench
from qbench.artifacts import TaskInfo
from qbench.data import IMAGE, Dataset, Split
from qbench.errors import EnvironmentLacks, UserError
from qbench.runtimes import available, open_runtime
from qbench.surrogate.registry import open_surrogate
from tests.unit.runtimes.conftest import tflite_bytes


def packed(model):
    """A model as a file."""
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def outside(content):
    """The same file with its constants behind the flatbuffer."""
    model = schema.ModelT.InitFromPackedBuf(content)
    moved = {
        i: bytes(bytearray(b.data)) for i, b in enumerate(model.buffers) if b.data is not None and len(b.data)
    }
    for i, data in moved.items():
        model.buffers[i].data, model.buffers[i].offset, model.buffers[i].size = None, 2, len(data)
    size = len(packed(model))
    start, tail = -(-size // 16) * 16, b""
    for i, data in moved.items():
        model.buffers[i].offset = start + len(tail)
        tail += data + b"\0" * (-len(data) % 16)
    return packed(model) + b"\0" * (-size % 16) + tail


class Notes:
    """Keeps what is noted."""

    def __init__(self):
        self.said = []

    def note(self, text):
        self.said.append(text)

    def __getattr__(self, name):
        return getattr(qbench.progress.SILENT, name)


@pytest.fixture(scope="module")
def beside(bundle, tmp_path_factory):
    """A bundle of a file with its constants outside."""
    folder = tmp_path_factory.mktemp("beside")
    (folder / "vendor.tflite").write_bytes(outside((bundle.path / "int8.tflite").read_bytes()))
    return qbench.export(folder / "vendor.tflite", "digits", folder / "bundle")


class TestConstantsOutside:
    def test_tflite_reads_them(self, bundle, beside):
        ours, theirs = (each.content.artifacts["int8.tflite"] for each in (beside, bundle))
        assert ours.correct == theirs.correct

    @pytest.mark.parametrize("name", ["tflm", "host"])
    def test_what_does_not_read_them_refuses(self, beside, name):
        if available()[name] is not None:
            pytest.skip(available()[name])
        with pytest.raises(EnvironmentLacks, match="does not read the constants") as caught:
            open_runtime(name, beside.path, beside.content)
        assert caught.value.hint

    def test_the_lifted_network_equals_the_one_with_its_constants_inside(self, bundle, beside):
        x = tf.constant(np.random.default_rng(0).random((20, 8, 8, 1), np.float32))
        ours, theirs = (
            open_surrogate(
                "lifted:clipped-ste", each.path, each.content.preprocessing, IMAGE, TaskInfo()
            ).logits(x)
            for each in (beside, bundle)
        )
        assert np.array_equal(ours, theirs)

    def test_a_replay_that_names_no_runtime_leaves_out_who_cannot(self, beside, advset, tmp_path):
        notes = Notes()
        made = qbench.replay(beside.path, advset.path, [], tmp_path / "out", progress=notes)
        ran = {each.runtime.name for each in made.content.scores}
        assert "tflite-ref" in ran
        assert not ran & {"tflm", "host"}
        left_out = [each for each in notes.said if "is left out" in each]
        assert any(each.startswith("host is left out: ") for each in left_out)
        assert {each.path.name for each in [made]} == {"out"}
        assert not (made.path / "host").exists()

    def test_one_that_is_named_is_not_left_out(self, beside, advset, tmp_path):
        with pytest.raises((UserError, EnvironmentLacks)):
            qbench.replay(beside.path, advset.path, ["tflite-ref", "host"], tmp_path / "out")


def dense(*units, activation=None):
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Flatten(), *(keras.layers.Dense(each, activation=activation) for each in units)]
    return keras.Sequential([keras.Input((8, 8, 1)), *layers])


def test_one_output_is_refused_with_the_reason(tmp_path):
    file = tmp_path / "binary.tflite"
    file.write_bytes(tflite_bytes(dense(1, activation="sigmoid")))
    with pytest.raises(UserError, match="10 classes") as caught:
        qbench.export(file, "digits", tmp_path / "bundle")
    assert "tells two classes apart" in caught.value.cause


@pytest.mark.filterwarnings("ignore:Statistics for quantized inputs")
@pytest.mark.parametrize("ends", [tf.float32, tf.int16])
def test_16_bit_activations_are_taken(tmp_path, ends):
    x = np.random.default_rng(0).random((50, 8, 8, 1), np.float32)
    converter = tf.lite.TFLiteConverter.from_keras_model(dense(10))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([each[None]] for each in x)
    wide = tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    converter.target_spec.supported_ops = [wide]
    converter.inference_input_type = converter.inference_output_type = ends
    file = tmp_path / "wide.tflite"
    file.write_bytes(converter.convert())
    bundle = qbench.export(file, "digits", tmp_path / "bundle", input_range=(0, 1))
    assert bundle.content.artifacts["int8.tflite"].input.dtype == ends.name
    advset = qbench.attack(
        bundle.path, "digits", tmp_path / "adv", attack="pgd", eps=[0.1], surrogate="lifted:ste", count=40
    )
    replay = qbench.replay(bundle.path, advset.path, ["host", "tflite-ref"], tmp_path / "replay")
    pairs = [each for each in replay.content.disagreements if "float" not in (each.first, each.second)]
    assert {each.vectors.count for each in pairs} == {0}


def test_a_bias_that_names_a_dimension_it_lacks_is_mended_for_tflite_alone(bundle, tmp_path):
    content = (bundle.path / "int8.tflite").read_bytes()
    model = schema.ModelT.InitFromPackedBuf(content)
    for tensor in model.subgraphs[0].tensors:
        if tensor.quantization is not None and tensor.shape is not None and len(tensor.shape) == 1:
            tensor.quantization.quantizedDimension = 3
    file = tmp_path / "vendor.tflite"
    file.write_bytes(packed(model))
    made = qbench.export(file, "digits", tmp_path / "bundle")
    assert made.content.artifacts["int8.tflite"].correct == bundle.content.artifacts["int8.tflite"].correct
    assert (made.path / "int8.tflite").read_bytes() == file.read_bytes()


def stripes():
    """Two classes that any range of a pixel tells apart equally well: left half brighter, or right."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200)
    x = rng.integers(60, 100, (200, 8, 8, 1))
    x[np.arange(200), :, :, 0] += (100 * (np.arange(8) < 4) == 100 * (y[:, None] == 0))[:, None, :] * 60
    return Dataset("stripes", IMAGE, ("left", "right"), None, Split(x.astype(np.uint8), y))


def test_a_range_that_cannot_be_told_is_asked_for(tmp_path):
    model = dense(2)
    weights = np.zeros((8, 8, 2), np.float32)
    weights[:, :4, 0] = weights[:, 4:, 1] = 1
    model.layers[-1].set_weights([weights.reshape(64, 2), np.zeros(2, np.float32)])
    model.save(tmp_path / "net.keras")
    with pytest.raises(UserError, match="cannot be told by trying") as caught:
        qbench.export(tmp_path / "net.keras", stripes(), tmp_path / "bundle")
    assert "about equally" in caught.value.cause
    assert "0,1: 100.0%; 0,255: 100.0%; -1,1: 100.0%" in caught.value.cause
    assert "--input-range" in caught.value.hint


def test_what_a_file_cannot_hold_is_no_candidate(tmp_path):
    """Its quantizer holds [0, 1]: though -1..1 would do as well, it cannot be meant."""
    model = dense(2)
    weights = np.zeros((8, 8, 2), np.float32)
    weights[:, :4, 0] = weights[:, 4:, 1] = 1
    model.layers[-1].set_weights([weights.reshape(64, 2), np.zeros(2, np.float32)])
    file = tmp_path / "vendor.tflite"
    file.write_bytes(tflite_bytes(model))
    made = qbench.export(file, stripes(), tmp_path / "bundle")
    assert (made.content.preprocessing.scale, made.content.preprocessing.offset) == (1.0, 0.0)


def test_a_grouped_convolution_goes_everywhere(tmp_path):
    keras.utils.set_random_seed(0)
    image = keras.Input((8, 8, 1))
    hidden = keras.layers.Conv2D(8, 3, groups=4)(keras.layers.Conv2D(8, 3)(image))
    model = keras.Model(image, keras.layers.Dense(10)(keras.layers.Flatten()(hidden)))
    model.save(tmp_path / "grouped.keras")
    made = qbench.export(
        tmp_path / "grouped.keras", "digits", tmp_path / "bundle", input_range=(0, 1), max_drop=1
    )
    assert set(made.content.artifacts) == {
        "float.keras",
        "float.tflite",
        "int8.tflite",
        "float.onnx",
        "int8.onnx",
    }
    correct = {name: info.correct for name, info in made.content.artifacts.items()}
    assert correct["float.onnx"] == correct["float.tflite"] == correct["float.keras"]


def test_a_network_that_onnx_lacks_keeps_its_tflite_files(tmp_path, monkeypatch):
    def unconverted(_):
        raise UserError("the network cannot be converted to ONNX", cause="its operator Betainc")

    monkeypatch.setattr("qbench.stages.export.bundling.to_float_onnx", unconverted)
    dense(10).save(tmp_path / "net.keras")
    notes = Notes()
    made = qbench.export(
        tmp_path / "net.keras", "digits", tmp_path / "bundle", input_range=(0, 1), max_drop=1, progress=notes
    )
    assert set(made.content.artifacts) == {"float.keras", "float.tflite", "int8.tflite"}
    assert any("without ONNX files" in each and "Betainc" in each for each in notes.said)


def test_a_refused_command_leaves_nothing_behind(bundle, tmp_path):
    with pytest.raises(UserError):
        qbench.attack(
            bundle.path, "digits", tmp_path / "a", attack="lattice", eps=[0.1], surrogate="lifted:surprise"
        )
    dense(10).save(tmp_path / "net.keras")
    with pytest.raises(UserError, match="cannot be told by trying"):
        qbench.export(tmp_path / "net.keras", "digits", tmp_path / "b")
    assert [each.name for each in tmp_path.iterdir()] == ["net.keras"]


@pytest.mark.skipif(available()["tflite-runtime"] is not None, reason="tflite-runtime is not installed")
def test_tflite_runtime_equals_the_built_in_kernels(bundle, advset, tmp_path):
    names = ["tflite-builtin", "tflite-runtime"]
    made = qbench.replay(bundle.path, advset.path, names, tmp_path / "out").content
    assert made.scores[1].runtime.package == "tflite-runtime"
    assert made.scores[1].runtime.kernels == "optimized"
    assert all(each.vectors.count == 0 for each in made.disagreements)
