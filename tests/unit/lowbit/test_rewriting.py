import keras
import numpy as np
import pytest

from qbench.artifacts import LowBit
from qbench.errors import UserError
from qbench.exporters.keras_file import load_keras, save_keras
from qbench.lowbit.layers import Quantize
from qbench.lowbit.rewriting import rewrite
from qbench.zoo import find_network, networks
from tests.unit.readme import stated

WIDTHS = [(2, 2, "dorefa"), (1, 1, "bnn"), (4, 3, "lsq"), (1, 32, "binaryconnect")]


def lowbit(weights, activations, method="dorefa", end=None):
    return LowBit(weight_bits=weights, act_bits=activations, method=method, end_weight_bits=end)


def kernels(model):
    return [layer for layer in model.layers if hasattr(layer, "weight_quantizer")]


@pytest.mark.parametrize("name", networks())
def test_every_network_is_rewritten_saved_and_loaded(name, tmp_path):
    _, shape, classes = stated(name)
    model = find_network(name).build(shape, classes)
    x = np.random.default_rng(0).random((2, *shape), np.float32)
    for widths in WIDTHS:
        rewritten = rewrite(model, lowbit(*widths), (0, 1))
        scores = rewritten(x, training=True)
        assert scores.shape == model(x).shape
        assert len(kernels(rewritten)) == sum(hasattr(each, "kernel") for each in model.layers)
        assert not any(isinstance(each, keras.layers.ReLU) for each in rewritten.layers) or widths[1] == 32
        save_keras(rewritten, tmp_path / "low.keras")
        assert np.array_equal(load_keras(tmp_path / "low.keras")(x), rewritten(x))


def test_every_tensor_of_an_integer_network_is_on_its_grid():
    model = find_network("resnet8").build((32, 32, 3), 10)
    rewritten = rewrite(model, lowbit(3, 2, "lsq"), (0, 255))
    x = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3)).astype(np.float32)
    rewritten(x, training=True)
    held = [layer for layer in rewritten.layers if isinstance(layer, Quantize)]
    # input, seven ReLUs, three branches and two shortcuts into the sums, the average, the scores
    assert len(held) == 1 + 7 + 3 + 2 + 1 + 1
    outputs = keras.Model(rewritten.input, [layer.output for layer in held])(x)
    for layer, found in zip(held, outputs, strict=True):
        grid = layer.quantizer.grid
        codes = found.numpy() / np.float32(grid.step)
        assert np.abs(codes - np.round(codes)).max() < 1e-3, layer.name
        assert grid.low <= np.round(codes.min()) <= np.round(codes.max()) <= grid.high


def test_float_weights_are_taken_over():
    model = find_network("digits-cnn").build((8, 8, 1), 10)
    rewritten = rewrite(model, lowbit(8, 8, "lsq"), (0, 1))
    for layer in model.layers:
        if layer.weights:
            twin = {each.name: each for each in rewritten.get_layer(layer.name).weights}
            assert all(np.array_equal(each, twin[each.name]) for each in layer.weights)


def test_the_ends_may_have_a_width_of_their_own():
    model = find_network("digits-cnn").build((8, 8, 1), 10)
    as_studied = [each.weight_quantizer.bits for each in kernels(rewrite(model, lowbit(2, 2), (0, 1)))]
    kept = [each.weight_quantizer.bits for each in kernels(rewrite(model, lowbit(1, 1, "bnn", 8), (0, 1)))]
    assert (as_studied, kept) == ([2, 2, 2, 2], [8, 1, 1, 8])


def test_a_fused_relu_becomes_a_layer():
    inputs = keras.Input((6, 6, 1))
    x = keras.layers.Conv2D(3, 3, activation="relu")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(x)))
    rewritten = rewrite(model, lowbit(2, 2), (0, 1))
    assert sum(isinstance(each, Quantize) for each in rewritten.layers) == 4  # input, ReLU, average, scores


def test_what_has_no_low_bit_form_is_refused():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Dense(2, activation="tanh")(inputs))
    with pytest.raises(UserError, match="has no low-bit form"):
        rewrite(model, lowbit(2, 2), None)
    with pytest.raises(UserError, match="not defined for weights of 2 bits"):
        rewrite(model, lowbit(2, 1, "bnn"), None)
    with pytest.raises(UserError, match="there is no method"):
        rewrite(model, lowbit(2, 2, "dorafe"), None)
