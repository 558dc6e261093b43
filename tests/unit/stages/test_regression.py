"""Regression from export to the report, on a network whose largest error is known."""

import keras
import numpy as np
import pytest

import qbench
from qbench.attacks import ATTACKS
from qbench.errors import UserError
from qbench.reporting.tables import bundle_tables, replay_tables
from qbench.studies.gathering import Gathered

ELEMENTS = 10
EPS = 0.25


@pytest.fixture(scope="module")
def linear(tmp_path_factory):
    """Inputs, true values, and a network with one linear layer that is a little off them."""
    folder = tmp_path_factory.mktemp("linear")
    random = np.random.default_rng(0)
    x = random.uniform(-1, 1, (120, ELEMENTS)).astype(np.float32)
    weights = random.normal(size=(ELEMENTS, 1)).astype(np.float32)
    y = x @ weights + random.normal(scale=0.3, size=(120, 1)).astype(np.float32)
    entry = keras.Input((ELEMENTS,))
    model = keras.Model(entry, keras.layers.Dense(1)(entry))
    model.set_weights([weights, np.zeros(1)])
    model.save(folder / "net.keras")
    np.savez(folder / "values.npz", x=x, y=y)
    bundle = qbench.export(folder / "net.keras", str(folder / "values.npz"), folder / "bundle", max_drop=1.0)
    return folder, x, y, weights, bundle


def test_errors_and_tolerance_are_those_of_the_data(linear):
    _, x, y, weights, bundle = linear
    errors = np.abs(x @ weights - y)[:, 0]
    task = bundle.content.task
    assert task.kind == "regression"
    assert task.threshold == pytest.approx(np.quantile(errors, 0.95), rel=1e-5)
    assert bundle.content.artifacts["float.keras"].correct == (errors <= task.threshold).sum()
    assert "beyond tolerance where the mean absolute error" in bundle_tables(bundle.content)[0].title


@pytest.mark.parametrize("name", ["fgsm", "bim", "mim", "pgd"])
def test_attacks_reach_the_largest_error_of_a_linear_network(linear, tmp_path, name):
    folder, _, y, weights, bundle = linear
    made = qbench.attack(
        bundle.path, str(folder / "values.npz"), tmp_path / "a", attack=name, eps=[EPS], count=60
    )
    x, x_adv, rows = (np.load(made.path / f"{each}.npy") for each in ("inputs", "eps-0", "indices"))
    low, high = made.content.data.domain.low, made.content.data.domain.high
    off = (x @ weights - y[rows])[:, 0]
    # Every element goes to its rim in the direction of the error that is there already, or against it.
    reach = [
        np.abs((np.clip(x + EPS * way * np.sign(weights[:, 0]), low, high) @ weights - y[rows])[:, 0])
        for way in (1, -1)
    ]
    found = np.abs((x_adv @ weights - y[rows])[:, 0])
    uphill = np.where(off > 0, reach[0], reach[1])
    assert np.all(found <= np.maximum(*reach) + 1e-4)
    if name == "pgd":  # starts anywhere in the ball, so that some end on the other side
        ends = np.minimum(np.abs(found - reach[0]), np.abs(found - reach[1]))
        np.testing.assert_allclose(ends, 0, atol=1e-3)
    else:
        np.testing.assert_allclose(found, uphill, atol=1e-3)
    assert np.allclose(np.load(made.path / "values.npy"), y[rows])
    assert made.content.findings is None


def test_a_replay_says_the_error_against_eps(linear, tmp_path):
    folder, _, _, _, bundle = linear
    data = str(folder / "values.npz")
    made = qbench.attack(bundle.path, data, tmp_path / "a", attack="bim", eps=[0.05, EPS], count=60)
    replay = qbench.replay(bundle.path, made.path, ["float", "tflite-ref", "host"], tmp_path / "r")
    exact = replay.content.scores[0]
    values, clean = np.load(made.path / "values.npy"), np.load(replay.path / "float/clean.npy")
    assert exact.error.value == pytest.approx(np.abs(clean - values).mean(), rel=1e-5)
    for each in replay.content.scores:
        assert each.error.high < each.by_eps[1].error.low
        assert each.by_eps[0].error.value < each.by_eps[1].error.value
        assert each.by_eps[1].robust_accuracy.count < each.clean_accuracy.count
    assert any(table.title.startswith("Mean absolute error") for table in replay_tables(replay.content))
    assert qbench.check(replay.path, max_disagreement=0.5).passed
    page = qbench.report([replay.path], tmp_path / "page", html=True)
    assert "Mean absolute error" in (page.path / "report.html").read_text()


def test_queries_raise_the_error_of_a_file_alone(linear, tmp_path, monkeypatch):
    folder, _, _, _, bundle = linear
    monkeypatch.setenv("QBENCH_CACHE", str(tmp_path / "cache"))
    query = {"attack": "spsa", "steps": 8, "samples": 16, "count": 16, "oracle": "tflite-ref"}
    made = qbench.attack(
        bundle.path / "int8.tflite", str(folder / "values.npz"), tmp_path / "a", eps=[EPS], **query
    )
    values, before, after = (
        np.load(made.path / f"{each}.npy") for each in ("values", "logits-clean", "logits-eps-0")
    )
    assert np.abs(after - values).mean() > 1.5 * np.abs(before - values).mean()


@pytest.mark.parametrize("name", sorted(name for name, kind in ATTACKS.items() if not kind.regresses))
def test_attacks_that_look_for_labels_are_refused(linear, tmp_path, name):
    folder, _, _, _, bundle = linear
    with pytest.raises(UserError, match="looks for another label"):
        qbench.attack(bundle.path, str(folder / "values.npz"), tmp_path / "a", attack=name, eps=[0.1])


def test_what_is_about_labels_is_refused(linear, tmp_path):
    folder, x, y, _, bundle = linear
    data = str(folder / "values.npz")
    for option, value in (("target", "0"), ("only_correct", True)):
        with pytest.raises(UserError, match="is about labels"):
            qbench.attack(bundle.path, data, tmp_path / "a", attack="pgd", eps=[0.1], **{option: value})
    np.savez(tmp_path / "both.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    with pytest.raises(UserError, match="no regressors"):
        qbench.train("digits-cnn", str(tmp_path / "both.npz"), tmp_path / "t")
    with pytest.raises(UserError, match="no classes to name"):
        qbench.export(folder / "net.keras", data, tmp_path / "b", classes="a,b")
    with pytest.raises(UserError, match="is a regression, and analyses compare labels"):
        Gathered.read([bundle.path])


def test_values_that_do_not_fit_are_refused(linear, tmp_path):
    folder, x, y, _, _ = linear
    np.savez(tmp_path / "two.npz", x=x, y=np.concatenate([y, y], axis=1))
    with pytest.raises(UserError, match="have 2 values each"):
        qbench.export(folder / "net.keras", str(tmp_path / "two.npz"), tmp_path / "b")
    np.savez(tmp_path / "whole.npz", x=x, y=np.rint(y[:, 0]))
    with pytest.raises(UserError, match="labels of whole are float") as caught:
        qbench.export(folder / "net.keras", str(tmp_path / "whole.npz"), tmp_path / "b")
    assert "values of a regression" in " ".join(caught.value.hint.split())
    with pytest.raises(UserError, match="is negative"):
        qbench.export(folder / "net.keras", str(folder / "values.npz"), tmp_path / "b", threshold=-1.0)
