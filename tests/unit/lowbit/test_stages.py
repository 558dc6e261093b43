"""A low-bit network on its way through train, export, attack and replay."""

import numpy as np
import pytest

import qbench
from qbench.errors import UserError

FAST = {"attack": "fgsm", "eps": [16 / 255], "count": 60, "checks": False}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("lowbit")


@pytest.fixture(scope="module")
def bundle(folder):
    """digits-cnn at 2-bit weights and 3-bit activations."""
    trained = qbench.train("digits-cnn", "digits", folder / "w2a3", weight_bits=2, act_bits=3, epochs=6)
    return qbench.export(trained.path, "digits", folder / "bundle")


@pytest.fixture(scope="module")
def surrogate_only(folder):
    """digits-cnn at 2-bit weights and real activations."""
    trained = qbench.train("digits-cnn", "digits", folder / "w2a32", weight_bits=2, epochs=2)
    return qbench.export(trained.path, "digits", folder / "surrogate-only")


def test_the_manifest_states_the_widths_and_both_sizes(bundle):
    content = bundle.content
    assert (content.lowbit.name, content.lowbit.method) == ("w2a3", "dorefa")
    stored = content.artifacts["int8.tflite"].bytes
    assert stored / 4 < content.packed_bytes < stored / 1.5  # biases and structure stay as they are
    assert not content.surrogate_only


def test_integer_runtimes_answer_as_the_network_that_is_attacked(bundle, folder):
    advset = qbench.attack(bundle.path, "digits", folder / "advset", **FAST)
    replay = qbench.replay(bundle.path, advset.path, ["tflite-ref", "host", "float"], folder / "replay")
    assert replay.content.network == "digits-cnn-w2a3"
    for inputs in ("clean", "eps-0"):
        reference = np.load(replay.path / "tflite-ref" / f"{inputs}.npy")
        np.testing.assert_array_equal(np.load(replay.path / "host" / f"{inputs}.npy"), reference)
        scores = np.load(replay.path / "float" / f"{inputs}.npy")
        np.testing.assert_array_equal(scores.argmax(axis=1), reference.argmax(axis=1))


def test_a_network_with_real_activations_is_surrogate_only(surrogate_only, folder):
    assert surrogate_only.content.surrogate_only
    assert sorted(surrogate_only.content.artifacts) == ["float.keras", "float.onnx", "float.tflite"]
    advset = qbench.attack(surrogate_only.path, "digits", folder / "its-advset", **FAST)
    replay = qbench.replay(surrogate_only.path, advset.path, [], folder / "its-replay")
    assert [each.runtime.name for each in replay.content.scores] == ["float"]
    with pytest.raises(UserError, match=r"no int8\.tflite") as refused:
        qbench.replay(surrogate_only.path, advset.path, ["tflite-ref"], folder / "none")
    assert "surrogate-only" in refused.value.cause


def test_adversarial_inputs_of_one_width_are_replayed_on_another(bundle, surrogate_only, folder):
    advset = qbench.attack(surrogate_only.path, "digits", folder / "transferred", **FAST)
    replay = qbench.replay(bundle.path, advset.path, ["tflite-ref"], folder / "transfer")
    assert replay.content.count == advset.content.count == 60


def test_a_vendors_file_does_not_take_the_place_of_its_integers(bundle, folder):
    with pytest.raises(UserError, match="low bit widths"):
        trained = folder / "w2a3"
        qbench.export(trained, "digits", folder / "no", adopt=bundle.path / "int8.tflite")
