"""Graphs of strangers: what would write a file is refused, and no file is written."""

import json

import flatbuffers
import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema

import qbench
from qbench.errors import UserError
from qbench.exporters.keras_file import load_keras
from qbench.runtimes import runtime_class
from qbench.surrogate.allowed import ALLOWED
from qbench.surrogate.frozen import FrozenGraph
from qbench.surrogate.keras import KerasSurrogate
from qbench.surrogate.keras_file import open_keras
from tests.random_models.builder import ModelBuilder


def evil(target):
    """A classifier that writes a file when it is run."""

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)])
    def classify(x):
        with tf.control_dependencies([tf.io.write_file(str(target), "taken")]):
            return tf.matmul(x, tf.ones((4, 3)))

    return classify


@pytest.fixture
def keras_file(tmp_path):
    """A .keras file whose FrozenGraph holds WriteFile, as a stranger would make it."""
    graph_def = evil(tmp_path / "taken").get_concrete_function().graph.as_graph_def()
    layer = FrozenGraph("x:0", "Identity:0", 3, name="graph")
    layer.graph_def, layer._function = graph_def, lambda x: tf.zeros((tf.shape(x)[0], 3))
    entry = keras.Input((4,))
    path = tmp_path / "evil.keras"
    keras.Model(entry, layer(entry)).save(path)
    return path


@pytest.mark.parametrize(
    "load",
    [
        open_keras,
        load_keras,
        lambda path: KerasSurrogate.load(path, None, None),
        lambda path: runtime_class("float")(path, None, None),
    ],
    ids=["open", "export", "surrogate", "runtime"],
)
def test_a_frozen_graph_that_writes_is_refused_everywhere(keras_file, tmp_path, load):
    with pytest.raises(UserError, match="the operator WriteFile"):
        load(keras_file)
    assert not (tmp_path / "taken").exists()


@pytest.mark.parametrize("hidden", [False, True], ids=["plain", "in a function"])
def test_a_saved_model_that_writes_is_refused_before_it_is_loaded(tmp_path, hidden):
    module = tf.Module()
    inner = evil(tmp_path / "taken")
    module.classify = inner
    if hidden:

        @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)])
        def outer(x):
            return tf.cond(tf.reduce_sum(x) > 0, lambda: inner(x), lambda: inner(-x))

        module.classify = outer
    folder = tmp_path / "saved"
    tf.saved_model.save(module, folder, signatures={"serving_default": module.classify})
    with pytest.raises(UserError, match="the operator WriteFile"):
        qbench.export(folder, "digits", tmp_path / "out")
    assert not (tmp_path / "taken").exists()


def test_a_saved_model_with_a_lookup_table_is_refused(tmp_path):
    module = tf.Module()
    keys, values = tf.constant([1], tf.int64), tf.constant([1.0])
    module.table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), 0.0)

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)])
    def classify(x):
        return x * module.table.lookup(tf.constant(1, tf.int64))

    module.classify = classify
    tf.saved_model.save(module, tmp_path / "saved", signatures={"serving_default": classify})
    with pytest.raises(UserError, match="holds a resource"):
        load_keras(tmp_path / "saved")


def test_operators_that_tensorflow_executes_are_refused_in_a_tflite_file(tmp_path):
    builder = ModelBuilder()
    x, y = (builder.tensor((1, 4), "int8", 0.1) for _ in range(2))
    builder.operator("RELU", [x], [y])
    model = schema.ModelT.InitFromPackedBuf(builder.build([x], [y]))
    model.operatorCodes[0].builtinCode = model.operatorCodes[0].deprecatedBuiltinCode = 32  # CUSTOM
    model.operatorCodes[0].customCode = b"FlexWriteFile"
    packed = flatbuffers.Builder(1024)
    packed.Finish(model.Pack(packed), b"TFL3")
    file = tmp_path / "flex.tflite"
    file.write_bytes(bytes(packed.Output()))
    with pytest.raises(UserError, match="TensorFlow's operator WriteFile"):
        qbench.export(file, "digits", tmp_path / "out")


def test_the_list_holds_what_networks_compute_and_nothing_that_reaches_out():
    assert {"Conv2D", "MatMul", "FusedBatchNormV3", "StatelessWhile"} <= ALLOWED
    reaching = ("File", "Save", "Restore", "PyFunc", "Print", "Summary", "Dataset", "Reader", "Rpc")
    assert not [name for name in ALLOWED if any(each in name for each in reaching)]


def test_a_keras_2_file_with_groups_loads(tmp_path):
    entry = keras.Input((8, 8, 2))
    hidden = keras.layers.DepthwiseConv2D(3, name="depthwise")(entry)
    network = keras.Model(entry, keras.layers.Dense(3)(keras.layers.Flatten()(hidden)))
    path = tmp_path / "keras2.h5"
    network.save(path)
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        for layer in config["config"]["layers"]:
            if layer["class_name"] == "DepthwiseConv2D":
                layer["config"]["groups"] = 1
        file.attrs["model_config"] = json.dumps(config)
    before = path.read_bytes()
    found = open_keras(path)
    x = np.random.default_rng(0).normal(size=(4, 8, 8, 2)).astype(np.float32)
    np.testing.assert_array_equal(found(x), network(x))
    assert path.read_bytes() == before


def test_mlperf_tinys_person_detection_loads(data_root):
    path = data_root / "mlperf-tiny" / "vww-mobilenet" / "float.h5"
    if not path.is_file():
        pytest.skip("VWW is not in QBENCH_DATA")
    assert open_keras(path).output_shape == (None, 2)
