"""ONNX Runtime: exact ends, batches and threads, files that are none."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from qbench.artifacts import TensorSpec
from qbench.errors import EnvironmentLacks, UserError
from qbench.exporters.onnx import to_float_onnx, to_int8_onnx
from qbench.formats.onnx_file import onnx_specs
from tests.unit.runtimes.conftest import open_file, samples


def quantize_dequantize(path, scale, zero_point, *, shape=(1,), batch="n", domain=""):
    """A graph that is nothing but its two ends."""
    constants = [
        numpy_helper.from_array(np.float32(scale), "scale"),
        numpy_helper.from_array(np.int8(zero_point), "zero_point"),
    ]
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero_point"], ["q"], domain=domain),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero_point"], ["y"]),
    ]
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [batch, *shape]) for n in ("x", "y")]
    graph = helper.make_graph(nodes, "ends", ends[:1], ends[1:], constants)
    opsets = [helper.make_opsetid("", 17)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return [
        TensorSpec(
            name=name, shape=shape, dtype="int8", scale=float(np.float32(scale)), zero_point=zero_point
        )
        for name in ("x", "y")
    ]


def test_every_code_passes_both_ends_unchanged(tmp_path):
    rng = np.random.default_rng(0)
    codes = np.arange(-128, 128, dtype=np.int8)[:, np.newaxis]
    for scale in (*np.exp(rng.uniform(-12, 8, 20)), 1 / 255, 0.5847029):
        zero_point = int(rng.integers(-128, 128))
        specs = quantize_dequantize(tmp_path / "ends.onnx", scale, zero_point)
        runtime = open_file("onnx", tmp_path / "ends.onnx", specs)
        np.testing.assert_array_equal(runtime.invoke(codes), codes)


@pytest.fixture(scope="module")
def int8(network, tmp_path_factory):
    content = to_int8_onnx(to_float_onnx(network), samples(50))
    path = tmp_path_factory.mktemp("onnx") / "int8.onnx"
    path.write_bytes(content)
    return path, onnx_specs(content)


def test_batches_and_threads_change_no_bit(int8):
    path, specs = int8
    assert {end.dtype for end in specs} == {"int8"}
    session = onnxruntime.InferenceSession(str(path))
    codes = specs[0].quantization.quantize(samples(150))
    real = specs[0].quantization.dequantize(codes)
    name = session.get_inputs()[0].name
    rows = np.concatenate([session.run(None, {name: row[np.newaxis]})[0] for row in real])
    expected = specs[1].quantization.quantize(rows)
    assert len(np.unique(expected)) > 50
    for threads in (1, 2, 3):
        runtime = open_file("onnx", path, specs, threads)
        assert (runtime.info.package, runtime.info.kernels) == ("onnxruntime", "mlas")
        np.testing.assert_array_equal(runtime.invoke(codes), expected)
        runtime.close()


def test_a_fixed_batch_is_kept(tmp_path):
    specs = quantize_dequantize(tmp_path / "fixed.onnx", 0.1, 3, batch=5)
    runtime = open_file("onnx", tmp_path / "fixed.onnx", specs)
    codes = np.arange(7, dtype=np.int8)[:, np.newaxis]
    assert runtime.batch == 5
    np.testing.assert_array_equal(runtime.invoke(codes), codes)


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.95])
def test_a_damaged_file_is_refused(int8, tmp_path, keep):
    path, specs = int8
    whole = path.read_bytes()
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(whole[: int(keep if keep >= 1 else keep * len(whole))])
    with pytest.raises(UserError, match=r"damaged\.onnx is not an ONNX model"):
        open_file("onnx", damaged, specs)


def test_another_shape_than_stated_is_refused(tmp_path):
    specs = quantize_dequantize(tmp_path / "ends.onnx", 0.1, 0, shape=(4,))
    with pytest.raises(UserError, match=r"has an input of shape \(4,\)"):
        open_file("onnx", tmp_path / "ends.onnx", [specs[0].model_copy(update={"shape": (9,)}), specs[1]])


def test_an_operator_that_the_package_lacks_says_what_to_do(tmp_path):
    specs = quantize_dequantize(tmp_path / "custom.onnx", 0.1, 0, domain="com.example")
    with pytest.raises((EnvironmentLacks, UserError), match=r"custom\.onnx") as caught:
        open_file("onnx", tmp_path / "custom.onnx", specs)
    assert "QuantizeLinear" in caught.value.cause
