"""TFLite and TFLite Micro on small networks: exactness, ends, batches, and files that are none."""

import io
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf

from qbench.artifacts import TensorSpec
from qbench.errors import EnvironmentLacks, UserError
from qbench.runtimes.specs import read_specs
from qbench.runtimes.tflite import inner_grid, make_interpreter
from tests.random_models.builder import ModelBuilder
from tests.unit.runtimes.conftest import open_file, samples

RESOLVERS = {
    "tflite": "AUTO",
    "tflite-ref": "BUILTIN_REF",
    "tflite-builtin": "BUILTIN_WITHOUT_DEFAULT_DELEGATES",
}


@pytest.fixture(params=[*RESOLVERS, "tflm"])
def name(request):
    if request.param == "tflm":
        pytest.importorskip("tflite_micro", reason="qbench-tinyml[tflm] is not installed")
    return request.param


def codes_of(runtime, x):
    return runtime.grid.quantize(x)


def one_by_one(runtime, codes, resolver):
    """What a bare interpreter answers, one image an invoke."""
    interpreter = make_interpreter(runtime.path.read_bytes(), resolver, runtime.info.package)
    interpreter.allocate_tensors()
    entry = interpreter.get_input_details()[0]["index"]
    exit_ = interpreter.get_output_details()[0]["index"]
    rows = []
    for code in codes:
        interpreter.set_tensor(entry, code[np.newaxis])
        interpreter.invoke()
        rows.append(interpreter.get_tensor(exit_))
    return np.concatenate(rows)


@pytest.mark.parametrize("file", ["int8.tflite", "one.tflite"])
@pytest.mark.parametrize("name", RESOLVERS)
def test_batches_and_threads_change_no_bit(folder, name, file):
    runtime = open_file(name, folder / file)
    codes = codes_of(runtime, samples(201))
    expected = one_by_one(runtime, codes, RESOLVERS[name])
    assert len(np.unique(expected)) > 50
    for threads in (1, 2, 3):
        runtime = open_file(name, folder / file, threads=threads)
        assert runtime.info.threads == threads
        np.testing.assert_array_equal(runtime.invoke(codes), expected)
        runtime.close()


@pytest.mark.skipif(
    tf.__version__.split(".") >= ["2", "20"], reason="its reference FULLY_CONNECTED rounds differently"
)
def test_tflite_micro_equals_the_reference_kernels(folder):
    pytest.importorskip("tflite_micro", reason="qbench-tinyml[tflm] is not installed")
    reference, micro = (open_file(each, folder / "int8.tflite") for each in ("tflite-ref", "tflm"))
    codes = codes_of(reference, samples(500))
    np.testing.assert_array_equal(micro.invoke(codes), reference.invoke(codes))
    assert micro.info.threads == 1


def test_per_channel_dense_layers_are_computed_per_channel(folder, network, name):
    """A kernel that applies one scale to all channels, as older ones did, is far off on this network."""
    scales = make_interpreter((folder / "int8.tflite").read_bytes(), "BUILTIN_REF").get_tensor_details()
    dense = [t for t in scales if tuple(t["shape"]) == (10, 32)]
    assert len(dense[0]["quantization_parameters"]["scales"]) == 10
    runtime = open_file(name, folder / "int8.tflite")
    x = samples(100)
    real = runtime.output.quantization.dequantize(runtime.invoke(codes_of(runtime, x)))
    expected = network.predict(x, verbose=0)
    assert np.abs(real - expected).max() < 0.05 * np.ptp(expected)


def test_kernels_are_told_as_found(folder):
    found = {name: open_file(name, folder / "int8.tflite").info.kernels for name in RESOLVERS}
    assert found == {"tflite": "xnnpack", "tflite-ref": "reference", "tflite-builtin": "optimized"}


def test_a_batch_of_one_built_in_is_kept(folder):
    assert open_file("tflite", folder / "int8.tflite").batch > 1
    assert open_file("tflite", folder / "one.tflite").batch == 1


def test_ends_of_other_types_give_the_same_results(folder, name):
    """uint8 ends shift the codes by 128; float32 ends round to the same grid inside."""
    runtimes = {ends: open_file(name, folder / f"{ends}.tflite") for ends in ("int8", "uint8", "float32")}
    x = samples(50)
    grid = runtimes["float32"].grid
    assert grid == runtimes["int8"].grid
    expected = runtimes["int8"].invoke(codes_of(runtimes["int8"], x))
    unsigned = runtimes["uint8"].invoke(codes_of(runtimes["uint8"], x))
    np.testing.assert_array_equal(unsigned.astype(int) - 128, expected)
    real = runtimes["float32"].invoke(grid.dequantize(grid.quantize(x)))
    np.testing.assert_allclose(real, runtimes["int8"].output.quantization.dequantize(expected), rtol=1e-6)


def test_a_float_network_has_no_inner_grid(network):
    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    assert inner_grid(make_interpreter(converter.convert(), "BUILTIN_REF")) is None


def zip_of(content):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("int8.tflite", content)
    return buffer.getvalue()


DAMAGED = {
    "empty": lambda whole: whole[:0],
    "three bytes": lambda whole: whole[:3],
    "head": lambda whole: whole[:100],
    "half": lambda whole: whole[: len(whole) // 2],
    "nearly whole": lambda whole: whole[:-200],
    "zip": lambda whole: zip_of(whole),
    "zeros": lambda whole: bytes(len(whole)),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_file_is_refused(folder, tmp_path, name, damage):
    whole = folder / "int8.tflite"
    path = tmp_path / "damaged.tflite"
    path.write_bytes(DAMAGED[damage](whole.read_bytes()))
    with pytest.raises(UserError, match=r"damaged\.tflite is not a readable TFLite model") as caught:
        open_file(name, path, read_specs(whole))
    assert caught.value.cause
    assert "whole" in caught.value.hint


def test_a_file_that_is_not_there_is_refused(folder, tmp_path, name):
    with pytest.raises(UserError, match="cannot read"):
        open_file(name, tmp_path / "none.tflite", read_specs(folder / "int8.tflite"))


def test_another_shape_than_stated_is_refused(folder, name):
    _, output = read_specs(folder / "int8.tflite")
    other = TensorSpec(name="in", shape=(28, 28, 1), dtype="int8", scale=0.1, zero_point=0)
    with pytest.raises(UserError, match=r"has an input of shape \(8, 8, 1\)"):
        open_file(name, folder / "int8.tflite", (other, output))


def test_inputs_of_another_shape_or_type_are_refused(folder, name):
    runtime = open_file(name, folder / "int8.tflite")
    with pytest.raises(UserError, match=r"takes inputs of shape \(8, 8, 1\) and type int8"):
        runtime.invoke(np.zeros((3, 8, 8), np.int8))
    with pytest.raises(UserError, match="and float32"):
        runtime.invoke(np.zeros((3, 8, 8, 1), np.float32))


def test_an_operator_that_the_package_lacks_says_what_to_do(tmp_path, name):
    """A custom operator, which no stock runtime has; what an outdated runtime meets looks the same."""
    x = keras.Input((4, 4))
    model = keras.Model(x, keras.layers.Lambda(lambda t: tf.linalg.inv(t), output_shape=(4, 4))(x))
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.allow_custom_ops = True
    path = tmp_path / "custom.tflite"
    path.write_bytes(converter.convert())
    ends = [TensorSpec(name=end, shape=(4, 4), dtype="float32") for end in ("in", "out")]
    with pytest.raises(EnvironmentLacks, match=r"cannot run custom\.tflite") as caught:
        open_file(name, path, ends)
    assert "--per-tensor-dense" in caught.value.hint


@pytest.mark.parametrize(("activations", "lead"), [("int8", (1, 1)), ("int16", (3, 2))])
def test_a_dense_layer_of_many_dimensions_and_scales_is_whole(tmp_path, activations, lead):
    """TensorFlow 2.18's reference kernel leaves most of its outputs unwritten."""
    units, depth, limit = 8, 6, np.iinfo(activations).max
    rng = np.random.default_rng(0)
    m = ModelBuilder()
    x = m.tensor((1, *lead, depth), activations, 1 / limit)
    y = m.tensor((1, *lead, units), activations, depth / limit)
    codes = rng.integers(-127, 128, (units, depth)).astype(np.int8)
    weights = m.constant(codes, np.linspace(0.002, 0.008, units).astype(np.float32))
    m.operator("FULLY_CONNECTED", [x, weights], [y], "FullyConnectedOptions", version=5, keepNumDims=True)
    file = tmp_path / "dense.tflite"
    file.write_bytes(m.build([x], [y]))
    inputs = rng.integers(-limit, limit, (20, *lead, depth)).astype(activations)
    wanted = inputs / limit @ (codes * np.linspace(0.002, 0.008, units)[:, None]).T / (depth / limit)
    for name in ("tflite-ref", "host"):
        found = open_file(name, file).invoke(inputs)
        assert np.abs(found - wanted).max() <= 1
    assert np.array_equal(found, open_file("tflite-ref", file).invoke(inputs))
