"""Training of an autoencoder."""

import numpy as np
import pytest

import qbench
from qbench.errors import UserError


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """Normal inputs near a plane, anomalous ones off it."""
    file = tmp_path_factory.mktemp("machine") / "machine.npz"
    random = np.random.default_rng(0)
    plane = random.normal(size=(3, 24))

    def split(n):
        y = np.arange(n) % 4 == 0
        noise = np.where(y, 2.0, 0.1)[:, None] * random.normal(size=(n, 24))
        return (random.normal(size=(n, 3)) @ plane + noise).astype(np.float32), y.astype(np.int64)

    (x, y), (x_test, y_test) = split(1200), split(200)
    np.savez(file, x_train=x, y_train=y, x_test=x_test, y_test=y_test)
    return file


def test_it_learns_normal_inputs_and_is_exported_as_a_detector(machine, tmp_path):
    trained = qbench.train("autoencoder-ad", str(machine), tmp_path / "trained", epochs=60)
    assert trained.content.test_accuracy > 0.9
    bundle = qbench.export(trained.path, str(machine), tmp_path / "bundle", classes="normal,anomalous")
    assert bundle.content.task.kind == "anomaly"
    assert bundle.content.artifacts["int8.tflite"].auc.value > 0.95
    assert bundle.content.artifacts["float.keras"].correct == round(200 * trained.content.test_accuracy)


def test_what_it_cannot_learn_from_is_refused(machine, tmp_path):
    with pytest.raises(UserError, match="adversarial training has no meaning"):
        qbench.train("autoencoder-ad", str(machine), tmp_path / "a", adversarial="pgd", eps=0.1)
    with pytest.raises(UserError, match="cannot take inputs of shape"):
        qbench.train("autoencoder-ad", "digits", tmp_path / "b")
