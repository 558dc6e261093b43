"""Every operator of the lifted graph: its forward against the reference kernels, its gradients."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from qbench.errors import UserError
from qbench.surrogate.lifted.network import LiftedNetwork
from qbench.surrogate.lifted.reader import GraphTensor, read_graph
from tests.golden.builder import ModelBuilder
from tests.golden.cases import GENERATORS, SAMPLES, Case, draw
from tests.golden.oracles import ORACLES

CASES = 8

# Their outputs are not real functions of codes.
NOT_DIFFERENTIATED = {"shape_plumbing"}


def values(tensor: GraphTensor, stored: np.ndarray) -> tf.Tensor:
    """Stored codes with the zero point subtracted."""
    offset = tensor.zero_point if tensor.quantized else 0
    return tf.constant(stored.astype(np.float32) - np.float32(offset))


def run(case: Case, rule: str) -> list[np.ndarray]:
    """Outputs [samples, *shape] as the file would store them."""
    graph = read_graph(case.model)
    network = LiftedNetwork(graph, rule)
    results = []
    for sample in zip(*case.inputs, strict=True):
        tensors = (graph.tensors[index] for index in graph.inputs)
        outputs = network(*(values(t, x) for t, x in zip(tensors, sample, strict=True)))
        offsets = (graph.tensors[i].zero_point if graph.tensors[i].quantized else 0 for i in graph.outputs)
        results.append([y.numpy() + offset for y, offset in zip(outputs, offsets, strict=True)])
    return [np.stack(parts) for parts in zip(*results, strict=True)]


def equals_reference(case: Case, rule: str) -> bool:
    wanted = ORACLES["tflite-ref"](case)
    return all(np.array_equal(a, b) for a, b in zip(wanted, run(case, rule), strict=True))


@pytest.mark.parametrize("operator", GENERATORS)
def test_forward_equals_the_reference(operator):
    wrong = [seed for seed in range(CASES) if not equals_reference(draw(operator, seed), "clipped-ste")]
    assert wrong == []


@pytest.mark.parametrize("rule", ["ste", "identity-relu", "smooth"])
@pytest.mark.parametrize("operator", ["conv_2d", "add", "relu6", "quantize_float"])
def test_the_gradient_rule_leaves_the_forward_alone(operator, rule):
    assert all(equals_reference(draw(operator, seed), rule) for seed in range(3))


@pytest.mark.parametrize("exponent", [-45, -31, -12, -1, 0, 1, 24, 30])
def test_shifts_of_every_size(exponent):
    m = ModelBuilder()
    x = m.tensor((1, 256), scale=1.37 * 2.0 ** min(exponent, 0), zero_point=3)
    y = m.tensor((1, 256), scale=2.0 ** -max(exponent, 0), zero_point=-5)
    m.operator("RELU", [x], [y])
    codes = np.arange(-128, 128, dtype=np.int8).reshape(1, 1, 256)
    assert equals_reference(Case("relu", exponent, m.build([x], [y]), (codes,)), "ste")


def test_sums_beyond_24_bits_stay_exact():
    rng = np.random.default_rng(0)
    m = ModelBuilder()
    x = m.tensor((1, 2048), scale=1.0, zero_point=-128)
    weights = m.constant(rng.choice([-127, 126, 127], (16, 2048)).astype(np.int8), 1.0)
    bias = m.constant(rng.integers(-(1 << 29), 1 << 29, 16).astype(np.int32), 1.0)
    y = m.tensor((1, 16), scale=float(2**22), zero_point=0)
    m.operator("FULLY_CONNECTED", [x, weights, bias], [y], "FullyConnectedOptions", version=4)
    codes = rng.integers(100, 128, (SAMPLES, 1, 2048)).astype(np.int8)
    assert equals_reference(Case("fully_connected", 0, m.build([x], [y]), (codes,)), "ste")


def weighted_sum(network: LiftedNetwork, inputs: list[tf.Tensor], seed: int) -> tf.Tensor:
    """A random direction of the first output, float64."""
    y = tf.cast(network(*inputs)[0], tf.float64)
    weights = np.random.default_rng(seed).normal(size=y.shape)
    return tf.reduce_sum(y * weights)


def inputs_and_gradient(network: LiftedNetwork, case: Case, seed: int) -> tuple[list, list]:
    """Random values off the grid, and the gradient of a weighted sum there."""
    rng = np.random.default_rng(seed)
    inputs = []
    for index, stored in zip(network.graph.inputs, case.inputs, strict=True):
        tensor = network.graph.tensors[index]
        low, high = (tensor.low, tensor.high) if tensor.quantized else (-3, 3)
        inputs.append(tf.constant(rng.uniform(low, high, stored.shape[1:]), tf.float32))
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        y = weighted_sum(network, inputs, seed)
    return inputs, tape.gradient(y, inputs)


@pytest.mark.parametrize("operator", sorted(set(GENERATORS) - NOT_DIFFERENTIATED))
def test_float_gradient_equals_finite_differences(operator):
    step = 2.56 if operator.endswith("int16") else 1e-2  # in codes, of which float32 keeps 24 bits
    for seed in range(4):
        case = draw(operator, seed)
        network = LiftedNetwork(read_graph(case.model), "float")
        inputs, gradients = inputs_and_gradient(network, case, seed)
        norm = np.sqrt(sum(float(tf.reduce_sum(g**2)) for g in gradients))
        # Along the gradient itself, where a difference stands out of float32's rounding the most.
        ahead, back = (
            [x + sign * step * g / (norm + 1e-30) for x, g in zip(inputs, gradients, strict=True)]
            for sign in (1, -1)
        )
        slope = (weighted_sum(network, ahead, seed) - weighted_sum(network, back, seed)) / (2 * step)
        size = np.abs(network(*inputs)[0]).max()
        assert float(slope) == pytest.approx(norm, rel=0.02, abs=1e-4 * (1 + size))


@pytest.mark.parametrize("operator", sorted(set(GENERATORS) - NOT_DIFFERENTIATED))
def test_gradients_are_finite(operator):
    case = draw(operator, 0)
    graph = read_graph(case.model)
    tensors = [graph.tensors[index] for index in graph.inputs]
    inputs = [values(t, x[0]) for t, x in zip(tensors, case.inputs, strict=True)]
    for rule in ("ste", "clipped-ste", "identity-relu", "smooth"):
        network = LiftedNetwork(graph, rule)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            y = weighted_sum(network, inputs, 0)
        for x, gradient in zip(inputs, tape.gradient(y, inputs), strict=True):
            assert gradient.shape == x.shape
            assert np.isfinite(gradient).all()


def test_an_unknown_operator_is_named_with_its_index():
    m = ModelBuilder()
    x, y, z = (m.tensor((1, 4), scale=1.0) for _ in range(3))
    m.operator("RELU", [x], [y])
    m.operator("COS", [y], [z], "CosOptions")
    with pytest.raises(UserError, match="operator 1, COS"):
        LiftedNetwork(read_graph(m.build([x], [z])), "ste")


def test_a_type_that_is_not_supported_is_named_with_the_operator():
    m = ModelBuilder()
    x, y = m.tensor((1, 4), "int32"), m.tensor((1, 4), "int32")
    m.operator("RELU", [x], [y])
    with pytest.raises(UserError, match="operator 0, RELU") as refused:
        LiftedNetwork(read_graph(m.build([x], [y])), "ste")
    assert "int32" in refused.value.cause


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x1c\x00\x00\x00TFL3" + b"\xff" * 64])
def test_a_damaged_file_is_refused(content):
    with pytest.raises(UserError):
        read_graph(content)
