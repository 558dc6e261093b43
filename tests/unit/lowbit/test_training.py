import numpy as np
import pytest

import qbench
from qbench import training
from qbench.errors import UserError
from qbench.exporters.keras_file import load_keras
from tests.conftest import bytes_of


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


def test_digits_at_one_bit_learn(tmp_path):
    made = qbench.train(
        "digits-cnn", "digits", tmp_path / "w1a1", epochs=20, weight_bits=1, act_bits=1, method="bnn"
    )
    assert made.content.test_accuracy > 0.75


def test_real_activations_make_a_surrogate_only_bundle(trained, tmp_path):
    made = qbench.train(
        "digits-cnn", "digits", tmp_path / "w1a32", epochs=1, start=trained.path, weight_bits=1
    )
    bundle = qbench.export(made.path, "digits", tmp_path / "bundle").content
    assert bundle.surrogate_only
    assert "int8.tflite" not in bundle.artifacts


def test_an_interrupted_training_ends_with_the_bytes_of_one_that_was_not(tmp_path, monkeypatch):
    settings = {"epochs": 3, "weight_bits": 2, "act_bits": 2, "method": "lsq"}

    class Interrupted(training.Checkpoint):
        def save(self, epochs, accuracy):
            super().save(epochs, accuracy)
            if epochs == 2:
                raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(training, "Checkpoint", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            qbench.train("digits-cnn", "digits", tmp_path / "resumed", **settings)
    resumed = qbench.train("digits-cnn", "digits", tmp_path / "resumed", **settings)
    whole = qbench.train("digits-cnn", "digits", tmp_path / "whole", **settings)
    assert resumed.content == whole.content
    first, second = (load_keras(each.path / "float.keras").get_weights() for each in (resumed, whole))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert "checkpoint.npz" not in bytes_of(resumed.path)


def test_adversarial_training_makes_a_network_robust(trained, tmp_path):
    hardened = qbench.train(
        "digits-cnn", "digits", tmp_path / "hard", epochs=6, adversarial="pgd", eps=0.1, steps=3
    )
    robust = {}
    for name, source in (("plain", trained), ("hardened", hardened)):
        bundle = qbench.export(source.path, "digits", tmp_path / f"{name}-bundle")
        advset = qbench.attack(bundle.path, "digits", tmp_path / name, attack="fgsm", eps=[0.1], count=100)
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
        ({"adversarial": "pgd"}, "an attack and a budget"),
        ({"adversarial": "pgd", "eps": -1.0}, "positive budget"),
        ({"weight_bits": 2, "method": "bnn"}, "not defined for weights of 2 bits"),
        ({"width": 8}, "one width only"),
        ({"start": "nowhere.keras"}, "no network at"),
    ],
)
def test_settings_that_do_not_fit_are_the_users_mistake(settings, message, tmp_path):
    with pytest.raises(UserError, match=message):
        qbench.train("digits-cnn", "digits", tmp_path / "out", epochs=1, **settings)


def test_the_command_line_trains_at_low_widths(command, tmp_path):
    words = ("train", "digits-cnn", "--data", "digits", "--epochs", 1, "--out", tmp_path / "low")
    made = command.json(*words, "--weight-bits", 3, "--act-bits", 2, "--adversarial", "pgd", "--eps", "8/255")
    assert made["content"]["lowbit"]["weight_bits"] == 3
    assert made["content"]["hardening"]["eps"] == pytest.approx(8 / 255)
    assert command(*words, "--weight-bits", 9).returncode == 2
