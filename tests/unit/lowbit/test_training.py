import subprocess
import time

import numpy as np
import pytest

import qbench
from qbench.errors import UserError
from qbench.exporters.keras_file import load_keras
from tests.conftest import bytes_of


@pytest.mark.slow
def test_digits_at_two_bits_learn_and_lower_to_a_bundle(tmp_path):
    made = qbench.train(
        "digits-cnn", "digits", tmp_path / "low", epochs=15, weight_bits=2, act_bits=2, method="lsq"
    )
    assert made.content.test_accuracy > 0.93
    bundle = qbench.export(made.path, "digits", tmp_path / "bundle").content
    right = {name: info.correct for name, info in bundle.artifacts.items()}
    assert right["int8.tflite"] == pytest.approx(right["float.keras"], abs=2)
    assert bundle.lowbit.weight_bits == 2
    kernels = 9 * 16 + 9 * 16 * 32 + 9 * 32 * 32 + 128 * 10
    assert bundle.artifacts["int8.tflite"].bytes - bundle.packed_bytes == kernels * 3 // 4


@pytest.mark.parametrize(
    ("method", "weight_bits", "act_bits", "epochs", "least"),
    [
        ("dorefa", 4, 4, 8, 0.90),
        ("dorefa-max", 2, 2, 8, 0.85),
        ("binaryconnect", 1, 4, 8, 0.80),
        ("bnn", 1, 1, 20, 0.75),
    ],
)
def test_every_method_learns_digits(method, weight_bits, act_bits, epochs, least, tmp_path):
    widths = {"weight_bits": weight_bits, "act_bits": act_bits}
    made = qbench.train("digits-cnn", "digits", tmp_path / "low", epochs=epochs, method=method, **widths)
    assert made.content.test_accuracy > least
    assert made.content.lowbit.method == method


@pytest.fixture(scope="module")
def fine_tuned(trained, tmp_path_factory):
    """digits-cnn at one-bit weights and real activations, from the float network."""
    out = tmp_path_factory.mktemp("fine-tuned") / "w1a32"
    return qbench.train("digits-cnn", "digits", out, epochs=1, start=trained.path, weight_bits=1)


def test_real_activations_make_a_surrogate_only_bundle(fine_tuned, tmp_path):
    bundle = qbench.export(fine_tuned.path, "digits", tmp_path / "bundle").content
    assert bundle.surrogate_only
    assert "int8.tflite" not in bundle.artifacts


@pytest.mark.slow
def test_a_killed_training_ends_with_the_bytes_of_one_that_was_not(command, tmp_path):
    words = ("train", "digits-cnn", "--data", "digits", "--epochs", 4, "--weight-bits", 2, "--act-bits", 2)
    process = subprocess.Popen(
        command.argv(*words, "--method", "lsq", "--out", tmp_path / "killed"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 240
    while not (kept := list(tmp_path.glob(".killed.*/checkpoint.npz"))):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not (tmp_path / "killed").exists()
    with np.load(kept[0]) as state:
        assert 1 <= state["epochs"] < 4
    settings = {"epochs": 4, "weight_bits": 2, "act_bits": 2, "method": "lsq"}
    resumed = qbench.train("digits-cnn", "digits", tmp_path / "killed", **settings)
    whole = qbench.train("digits-cnn", "digits", tmp_path / "whole", **settings)
    assert bytes_of(resumed.path) == bytes_of(whole.path)


def test_the_seed_decides_every_bit(tmp_path):
    def bits(seed, folder):
        settings = {"weight_bits": 1, "adversarial": "pgd", "eps": 0.1, "steps": 2}
        made = qbench.train("digits-cnn", "digits", tmp_path / folder, epochs=1, seed=seed, **settings)
        return (made.path / "float.keras").read_bytes()

    first = bits(1, "first")
    assert bits(1, "again") == first
    assert bits(2, "other") != first


def test_adversarial_training_makes_a_network_robust(trained, tmp_path):
    hardened = qbench.train(
        "digits-cnn", "digits", tmp_path / "hard", epochs=6, adversarial="pgd", eps=0.1, steps=3
    )
    robust = {}
    for name, source in (("plain", trained), ("hardened", hardened)):
        bundle = qbench.export(source.path, "digits", tmp_path / f"{name}-bundle")
        attack = {"attack": "pgd", "eps": [0.1], "steps": 10, "count": 100, "checks": False}
        advset = qbench.attack(bundle.path, "digits", tmp_path / name, **attack)
        robust[name] = advset.content.results[0].correct
    assert robust["hardened"] > robust["plain"] + 20


def test_a_penalty_on_the_jacobian_makes_it_smaller(tmp_path):
    import tensorflow as tf

    def norm(weight, folder):
        made = qbench.train("digits-cnn", "digits", tmp_path / folder, epochs=2, jacobian=weight)
        model = load_keras(made.path / "float.keras")
        x = tf.constant(np.random.default_rng(0).random((16, 8, 8, 1), np.float32))
        with tf.GradientTape() as tape:
            tape.watch(x)
            logits = model(x)
        return float(tf.norm(tape.batch_jacobian(logits, x)))

    assert norm(1.0, "smooth") < 0.7 * norm(0.0, "plain")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"weight_bits": 2, "method": "dorefe"}, "there is no method 'dorefe'"),
        ({"weight_bits": 2, "method": "ptq-mse"}, "there is no method"),
        ({"weight_bits": 9}, "weight_bits: 9 bits"),
        ({"act_bits": 0}, "act_bits: 0 bits"),
        ({"weight_bits": 2, "end_weight_bits": 9}, "end_weight_bits: 9 bits"),
        ({"method": "lsq"}, "all weights and activations are float32"),
        ({"eps": 0.1}, "an attack and a budget"),
        ({"adversarial": "pgd"}, "an attack and a budget"),
        ({"adversarial": "pgd", "eps": -1.0}, "eps should be greater than 0"),
        ({"weight_bits": 2, "method": "bnn"}, "not defined for weights of 2 bits"),
        ({"weight_bits": 1, "act_bits": 2, "method": "bnn"}, "not defined for activations of 2 bits"),
        ({"width": 8}, "one width only"),
        ({"start": "nowhere.keras"}, "no network at"),
    ],
)
def test_settings_that_do_not_fit_are_the_users_mistake(settings, message, tmp_path):
    with pytest.raises(UserError, match=message):
        qbench.train("digits-cnn", "digits", tmp_path / "out", epochs=1, **settings)


def test_what_cannot_be_fine_tuned_is_refused(trained, fine_tuned, tmp_path):
    with pytest.raises(UserError, match="is a low-bit network"):
        qbench.train("digits-cnn", "digits", tmp_path / "out", start=fine_tuned.path, weight_bits=2)
    with pytest.raises(UserError, match="holds a digits-cnn, not a resnet8"):
        qbench.train("resnet8", "digits", tmp_path / "out", start=trained.path)
    with pytest.raises(UserError, match="has its width already"):
        qbench.train("study-cnn", "digits", tmp_path / "out", start=trained.path, width=8)


def test_the_command_line_trains_at_low_widths(command, tmp_path):
    words = ("train", "digits-cnn", "--data", "digits", "--epochs", 1, "--out", tmp_path / "low")
    made = command.json(*words, "--weight-bits", 3, "--act-bits", 2, "--adversarial", "pgd", "--eps", "8/255")
    assert made["content"]["lowbit"]["weight_bits"] == 3
    assert made["content"]["hardening"]["eps"] == pytest.approx(8 / 255)
    assert command(*words, "--weight-bits", 9).returncode == 2
