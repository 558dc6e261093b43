import numpy as np
import onnx
import onnxruntime
import pytest

from qbench.exporters.onnx import to_float_onnx, to_int8_onnx
from qbench.formats.onnx_file import onnx_specs


def run(content, inputs):
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (scores,) = session.run(None, {"input": inputs})
    return scores


@pytest.fixture(scope="module")
def float_onnx(model):
    return to_float_onnx(model)


@pytest.fixture(scope="module")
def int8_onnx(float_onnx, samples):
    return to_int8_onnx(float_onnx, samples)


def test_the_float_graph_is_the_keras_network(float_onnx, samples, scores):
    onnx.checker.check_model(onnx.load_from_string(float_onnx), full_check=True)
    assert np.allclose(run(float_onnx, samples), scores, atol=1e-6)
    assert run(float_onnx, samples[:1]).shape == (1, 3)


def test_the_float_graph_has_float_ends(float_onnx):
    entry, exit_ = onnx_specs(float_onnx)
    assert (entry.dtype, entry.shape, exit_.dtype, exit_.shape) == ("float32", (8, 8, 1), "float32", (3,))
    assert entry.quantization is None


def test_the_int8_graph_computes_within_some_codes_of_the_float_one(int8_onnx, samples, scores):
    _, exit_ = onnx_specs(int8_onnx)
    assert np.abs(run(int8_onnx, samples) - scores).max() < 8 * exit_.scale


def test_the_int8_graphs_ends_are_its_own_first_and_last_quantizer(int8_onnx, samples):
    entry, exit_ = onnx_specs(int8_onnx)
    assert (entry.dtype, exit_.dtype) == ("int8", "int8")
    assert entry.scale == pytest.approx(1 / 255, rel=0.01)  # the samples fill 0 .. 1
    assert entry.zero_point == -128
    out = run(int8_onnx, samples)
    assert np.array_equal(exit_.quantization.dequantize(exit_.quantization.quantize(out)), out)
    codes = entry.quantization.quantize(samples)
    assert np.array_equal(run(int8_onnx, entry.quantization.dequantize(codes)), out)


def test_weights_are_int8_with_a_scale_an_output_channel(int8_onnx):
    graph = onnx.load_from_string(int8_onnx).graph
    constants = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
    dequantized = [node for node in graph.node if node.op_type == "DequantizeLinear"]
    weights = [node for node in dequantized if constants.get(node.input[0], np.int32(0)).dtype == np.int8]
    assert sorted(constants[node.input[1]].size for node in weights) == [3, 4, 4]
    assert all(not constants[node.input[2]].any() for node in weights), "symmetric"


def test_converting_again_gives_the_same_bytes_and_no_trace_of_this_machine(
    model, samples, float_onnx, int8_onnx, tmp_path, monkeypatch
):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert to_float_onnx(model) == float_onnx
    assert to_int8_onnx(float_onnx, samples) == int8_onnx
    for content in (float_onnx, int8_onnx):
        assert str(tmp_path).encode() not in content
        assert b"/tmp" not in content
