"""QDQ graphs of ONNX as surrogates."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf
from onnx import TensorProto, helper

from qbench.artifacts import Preprocessing
from qbench.data import INT8_FEATURES
from qbench.errors import UserError
from qbench.surrogate.lifted import GRADIENTS, LiftedSurrogate
from qbench.surrogate.scoring import Scorer

UNIT = 1 / 16


def graph_of(nodes, constants, shape):
    """A model from `input` to `output`."""
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, size)
        for name, size in (("input", ("n", *shape)), ("output", None))
    ]
    stored = [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "network", ends[:1], ends[1:], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def quantized(nodes, constants, tensor, scale, zero_point=0):
    """Add a QuantizeLinear and a DequantizeLinear behind a tensor; the name behind them."""
    grid = [f"{tensor}_scale", f"{tensor}_zero"]
    constants[grid[0]], constants[grid[1]] = np.float32(scale), np.int8(zero_point)
    nodes.append(helper.make_node("QuantizeLinear", [tensor, *grid], [f"{tensor}_q"]))
    nodes.append(helper.make_node("DequantizeLinear", [f"{tensor}_q", *grid], [f"{tensor}_dq"]))
    return f"{tensor}_dq"


def network(*, group=1, pool="AveragePool", softmax=True):
    """Convolution, pooling and a dense layer; scales are powers of two, so that float sums are exact."""
    rng = np.random.default_rng(0)
    constants = {
        "w_codes": rng.integers(-127, 128, (6, 6 // group, 3, 3)).astype(np.int8),
        "w_scale": np.full(6, 1 / 256, np.float32),
        "w_zero": np.zeros(6, np.int8),
        "bias": (rng.integers(-64, 64, 6) * UNIT / 256).astype(np.float32),
        "dense": (rng.integers(-127, 128, (24, 5)) / 256).astype(np.float32),
        "shape": np.array([-1, 24], np.int64),
    }
    nodes = [helper.make_node("DequantizeLinear", ["w_codes", "w_scale", "w_zero"], ["w"], axis=0)]
    x = quantized(nodes, constants, "input", UNIT)
    settings = {"pads": [1, 1, 1, 1], "strides": [2, 2], "kernel_shape": [3, 3], "group": group}
    nodes.append(helper.make_node("Conv", [x, "w", "bias"], ["conv"], **settings))
    y = quantized(nodes, constants, "conv", 1 / 4, -128)  # a Relu, folded into the clamp
    nodes.append(helper.make_node(pool, [y], ["pool"], kernel_shape=[2, 2], strides=[2, 2]))
    z = quantized(nodes, constants, "pool", 1 / 4, -128)
    nodes.append(helper.make_node("Reshape", [z, "shape"], ["flat"]))
    nodes.append(helper.make_node("Gemm", ["flat", "dense"], ["scores"]))
    last = quantized(nodes, constants, "scores", 1 / 2)
    nodes.append(helper.make_node("Softmax" if softmax else "Identity", [last], ["output"]))
    return graph_of(nodes, constants, (6, 8, 8)).SerializeToString()


X = np.random.default_rng(1).normal(0, 3, (20, 6, 8, 8)).astype(np.float32)


def run(content):
    """What ONNX Runtime gives for X, without the fusions that round in integers of their own."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return session.run(None, {"input": X})[0]


@pytest.mark.parametrize("rule", [rule for rule in GRADIENTS if rule != "float"])
@pytest.mark.parametrize("settings", [{}, {"group": 2}, {"group": 6}, {"pool": "MaxPool"}])
def test_equals_onnx_runtime_where_float_sums_are_exact(settings, rule):
    content = network(**settings, softmax=False)
    found = Scorer(LiftedSurrogate(content, Preprocessing(), INT8_FEATURES, rule), batch=20)(X)
    assert np.array_equal(found, run(content))
    assert len(np.unique(found)) > 10


def test_logits_come_from_before_the_softmax():
    content = network(softmax=True)
    found = Scorer(LiftedSurrogate(content, Preprocessing(), INT8_FEATURES), batch=20)(X)
    assert found.min() < 0
    assert np.allclose(tf.nn.softmax(found), run(content), atol=1e-5)


@pytest.mark.parametrize("rule", GRADIENTS)
def test_gradients_reach_the_input(rule):
    surrogate = LiftedSurrogate(network(), Preprocessing(scale=2.0), INT8_FEATURES, rule)
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(surrogate.logits(x) ** 2)
    gradient = tape.gradient(y, x).numpy()
    assert np.isfinite(gradient).all()
    assert (gradient != 0).any(axis=(1, 2, 3)).all()


def test_a_relu_in_the_clamp_is_kept_without_rounding():
    constants, nodes = {}, []
    last = quantized(nodes, constants, "input", UNIT, -128)
    nodes.append(helper.make_node("Identity", [last], ["output"]))
    content = graph_of(nodes, constants, (3,)).SerializeToString()
    logits = LiftedSurrogate(content, Preprocessing(), INT8_FEATURES, "float").logits
    assert np.array_equal(logits(tf.constant([[-1.0, 0.33, 99.0]])), np.float32([[0, 0.33, 99.0]]))


def test_an_unknown_operator_is_named_with_its_index():
    content = graph_of([helper.make_node("Erf", ["input"], ["output"])], {}, (3,)).SerializeToString()
    with pytest.raises(UserError, match="operator 0, Erf"):
        LiftedSurrogate(content, Preprocessing(), INT8_FEATURES)


@pytest.mark.parametrize("content", [b"", b"neither of the two formats"])
def test_another_file_is_refused(content):
    with pytest.raises(UserError):
        LiftedSurrogate(content, Preprocessing(), INT8_FEATURES)
