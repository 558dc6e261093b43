import keras
import numpy as np
import pytest

import qbench
from qbench.artifacts import LowBit
from qbench.errors import UserError
from qbench.exporters.keras_file import load_keras, save_keras
from qbench.exporters.lowbit_tflite import program_to_tflite
from qbench.lowbit.calibration import CALIBRATIONS
from qbench.lowbit.lowering import lower
from qbench.lowbit.post_training import quantize
from qbench.zoo import find_network, networks
from tests.unit.lowbit.agreement import agreement
from tests.unit.readme import stated

# Smaller than their own where a network takes other sizes, for the time that it takes.
SMALL = {"resnet8": (16, 16, 3), "dscnn": (25, 5, 1), "study-cnn": (8, 8, 3), "mobilenet-vww": (32, 32, 3)}


def ptq(weights, activations=8, calibration="mse"):
    return LowBit(weight_bits=weights, act_bits=activations, method=f"ptq-{calibration}")


def error(x, step, low, high):
    return np.mean((x - step * np.clip(np.rint(x / step), low, high)) ** 2)


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
@pytest.mark.parametrize("count", [300, 30_000])
def test_steps_of_heavy_tailed_weights(bits, count):
    x = np.random.default_rng(bits).laplace(size=count).astype(np.float32)
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    steps = {name: fitted(x, low, high) for name, fitted in CALIBRATIONS.items()}
    assert x.max() <= steps["minmax"] * high * (1 + 1e-6)
    assert x.min() >= steps["minmax"] * low * (1 + 1e-6)
    assert steps["percentile"] < steps["minmax"]
    errors = {name: error(x, step, low, high) for name, step in steps.items()}
    assert errors["mse"] <= errors["minmax"]
    if bits in (3, 4):
        assert errors["mse"] < 0.8 * errors["minmax"]
    nearby = [error(x, steps["mse"] * each, low, high) for each in (0.8, 0.9, 1.1, 1.2)]
    assert errors["mse"] <= min(nearby) * 1.01


@pytest.mark.parametrize("name", CALIBRATIONS)
def test_values_that_are_all_zero_have_a_step_too(name):
    assert CALIBRATIONS[name](np.zeros(10, np.float32), 0, 255) > 0


def skewed(name):
    """A network whose channels differ a thousandfold in size, which batch normalization levels."""
    keras.utils.set_random_seed(0)
    _, shape, classes = stated(name)
    shape = SMALL.get(name, shape)
    model = find_network(name).build(shape, classes)
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.5
            layer.epsilon = 1e-9  # or it would count beside the smallest variances
        elif isinstance(layer, (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)):
            layer.kernel.assign(layer.kernel * 10 ** rng.uniform(-3, 0, layer.kernel.shape[-1]))
    x = rng.integers(0, 256, (32, *shape)).astype(np.float32) / 255
    for _ in range(12):
        model(x, training=True)
    return model, x


@pytest.mark.parametrize("name", networks())
def test_every_network_is_quantized_with_a_scale_a_channel(name, tmp_path):
    model, x = skewed(name)
    expected = model(x, training=False).numpy()
    quantized = quantize(model, ptq(8), (0, 1), x)
    found = quantized(x, training=False).numpy()
    assert np.abs(found - expected).max() < 0.1 * np.ptp(expected)
    if not find_network(name).recipe.reconstructs:
        assert np.mean(found.argmax(1) == expected.argmax(1)) > 0.8
    save_keras(quantized, tmp_path / "quantized.keras")
    assert np.array_equal(load_keras(tmp_path / "quantized.keras")(x), found)


@pytest.mark.parametrize(("weights", "activations", "calibration"), [(4, 8, "mse"), (3, 2, "minmax")])
@pytest.mark.parametrize("name", ["digits-cnn", "resnet8"])
def test_the_lowered_file_computes_what_the_quantized_network_does(name, weights, activations, calibration):
    model, x = skewed(name)
    quantized = quantize(model, ptq(weights, activations, calibration), (0, 1), x)
    lowered = lower(quantized)
    layers, labels = agreement(lowered.network, program_to_tflite(lowered.program), x)
    assert labels == 0
    for layer, found in layers.items():
        assert found.own <= 2e-3, layer
        assert found.from_tie <= 1e-3, layer
        assert found.jump <= 1, layer


def test_a_bundle_of_eight_bits_loses_less_than_a_point(trained, tmp_path):
    made = qbench.export(trained.path, "digits", tmp_path / "eight", ptq_weight_bits=8)
    share = {name: info.correct / info.evaluated for name, info in made.content.artifacts.items()}
    assert share["int8.tflite"] > share["float.keras"] - 0.01
    assert share["float.keras"] == trained.content.test_accuracy
    assert made.content.lowbit == ptq(8)
    assert not made.content.surrogate_only


def test_the_command_line_quantizes_to_four_bits(trained, command, tmp_path):
    words = ("export", trained.path, "--data", "digits", "--out", tmp_path / "four")
    made = command.json(*words, "--ptq-weight-bits", 4, "--ptq-calibration", "minmax", "--max-drop", 0.1)
    content = made["content"]
    assert content["lowbit"] == {
        "weight_bits": 4,
        "act_bits": 8,
        "method": "ptq-minmax",
        "end_weight_bits": None,
    }
    kernels = 9 * 16 + 9 * 16 * 32 + 9 * 32 * 32 + 128 * 10
    assert content["artifacts"]["int8.tflite"]["bytes"] - content["packed_bytes"] == kernels // 2
    assert command(*words, "--ptq-weight-bits", 1).returncode == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ptq_weight_bits": 1}, "ptq_weight_bits should be greater than or equal to 2"),
        ({"ptq_act_bits": 9}, "ptq_act_bits should be less than or equal to 8"),
        ({"ptq_weight_bits": 32}, "ptq_weight_bits should be less than or equal to 8"),
        ({"ptq_calibration": "mse"}, "no width"),
        (
            {"ptq_weight_bits": 4, "ptq_calibration": "mae"},
            "ptq_calibration should be 'minmax', 'percentile' or",
        ),
    ],
)
def test_widths_that_do_not_fit_are_the_users_mistake(settings, message, trained, tmp_path):
    with pytest.raises(UserError, match=message):
        qbench.export(trained.path, "digits", tmp_path / "out", **settings)


def test_other_integers_stay_what_they_are(trained, tmp_path):
    low = qbench.train("digits-cnn", "digits", tmp_path / "low", epochs=1, weight_bits=2, act_bits=2)
    with pytest.raises(UserError, match="trained at low bit widths"):
        qbench.export(low.path, "digits", tmp_path / "out", ptq_weight_bits=4)
    with pytest.raises(UserError, match="low-bit network, and its file"):
        qbench.export(low.path / "float.keras", "digits", tmp_path / "out")
    (tmp_path / "vendor.tflite").touch()
    with pytest.raises(UserError, match="has its integers already"):
        qbench.export(
            trained.path, "digits", tmp_path / "out", adopt=tmp_path / "vendor.tflite", ptq_weight_bits=4
        )
