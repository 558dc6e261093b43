"""What tasks make of outputs: with arrays, in a graph, and by the file's own rules."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from qbench.artifacts import DataInfo, TaskInfo
from qbench.data import IMAGE, features
from qbench.errors import UserError
from qbench.surrogate.keras import ends_in_sigmoid, without_softmax
from qbench.tasks import task_of
from qbench.tasks.anomaly import anomaly_task
from qbench.tasks.recognition import Ends, recognize

X = np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32)


def data(classes, shape=(6,)):
    return DataInfo(
        name="d", fingerprint="f", domain=features(-5, 5), classes=tuple(classes), input_shape=shape
    )


def given():
    return X


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.9])
def test_a_probability_and_the_score_before_its_sigmoid_give_the_same_labels(threshold):
    task = task_of(recognize(Ends("n", (6,), (1,), sigmoid=True), data("ab"), threshold))
    z = np.linspace(-4, 4, 41, dtype=np.float32)[:, None]
    p = 1 / (1 + np.exp(-z))
    rows, traced = task.scores(p, given), task.traced_scores(tf.constant(z), None).numpy()
    assert rows.shape == traced.shape == (41, 2)
    assert np.array_equal(rows.argmax(axis=1), (p[:, 0] > threshold).astype(int))
    assert np.array_equal(traced.argmax(axis=1), rows.argmax(axis=1))


def test_a_score_without_a_sigmoid_is_held_against_zero():
    info = recognize(Ends("n", (6,), (1,)), data("ab"), None)
    assert (info.threshold, info.sigmoid, info.kind) == (0.0, False, "classification")
    assert task_of(info).scores(np.array([[-1.0], [0.0], [0.1]]), given).argmax(axis=1).tolist() == [0, 0, 1]


def test_the_error_of_a_reconstruction_is_its_mean_square():
    task = task_of(TaskInfo(kind="anomaly", threshold=1.0, output_shape=(6,)))
    outputs = X + np.array([0.5] * 10 + [1.5] * 10, np.float32)[:, None]
    rows = task.scores(outputs, given)
    assert np.allclose(rows[:, 1], [0.25] * 10 + [2.25] * 10)
    assert rows.argmax(axis=1).tolist() == [0] * 10 + [1] * 10
    traced = task.traced_scores(tf.constant(outputs), tf.constant(X)).numpy()
    np.testing.assert_allclose(traced, rows, rtol=1e-5)


def test_the_usual_threshold_is_exceeded_by_one_normal_input_in_twenty():
    errors, y = np.arange(200.0), np.repeat([0, 1], [100, 100])
    found = anomaly_task(None, errors, y, (6,))
    assert found.threshold == pytest.approx(94.05)
    with pytest.raises(UserError, match="unknown"):
        anomaly_task(None, errors, np.ones(200, np.int64), (6,))
    with pytest.raises(UserError, match="above zero"):
        anomaly_task(-1.0, errors, y, (6,))


@pytest.mark.parametrize(
    ("ends", "classes", "threshold", "says"),
    [
        (Ends("n", (6,), (1,)), "abc", None, "one score tells two classes apart"),
        (Ends("n", (6,), (1,), sigmoid=True), "ab", 1.5, "decides nothing"),
        (Ends("n", (6,), (3,)), "abc", 0.5, "leave --threshold out"),
        (Ends("n", (6,), (6,)), "abc", None, "label 0 is normal"),
        (Ends("n", (6,), (4,)), "abc", None, "give the data set that it was made for"),
        (Ends("n", (6,), (10, 85)), "abc", None, "a detector, key points or a mask"),
        (Ends("n", (7,), (3,)), "abc", None, r"inputs of shape \(7,\)"),
    ],
)
def test_what_fits_no_task_is_refused_with_the_reason(ends, classes, threshold, says):
    with pytest.raises(UserError) as caught:
        recognize(ends, data(classes), threshold)
    assert re.search(says, f"{caught.value.what} {caught.value.cause} {caught.value.hint}")


def binary(ending):
    keras.utils.set_random_seed(3)
    entry = keras.Input((6,))
    match ending:
        case "own":
            out = keras.layers.Dense(1, activation="sigmoid")(entry)
        case "layer":
            out = keras.layers.Activation("sigmoid")(keras.layers.Dense(1)(entry))
        case "operation":
            out = keras.ops.sigmoid(keras.layers.Dense(1)(entry))
        case "nested":
            inner = keras.Input((4,))
            last = keras.Model(inner, keras.layers.Dense(1, activation="sigmoid")(inner))
            out = last(keras.layers.Dense(4)(entry))
        case "none":
            out = keras.layers.Dense(1)(entry)
    return keras.Model(entry, out)


@pytest.mark.parametrize("ending", ["own", "layer", "operation", "nested"])
def test_a_final_sigmoid_is_found_and_taken_off(ending):
    model = binary(ending)
    assert ends_in_sigmoid(model)
    logits = without_softmax(model)(X).numpy()
    np.testing.assert_allclose(1 / (1 + np.exp(-logits)), model(X).numpy(), rtol=1e-5)


def test_a_score_without_one_stays_as_it_is():
    model = binary("none")
    assert not ends_in_sigmoid(model)
    assert np.array_equal(without_softmax(model)(X).numpy(), model(X).numpy())


def test_a_frozen_graphs_sigmoid_is_taken_off_too(tmp_path):
    from qbench.surrogate.frozen import load_saved_model

    model = binary("own")
    model.export(tmp_path / "saved", verbose=False)
    frozen = load_saved_model(tmp_path / "saved")
    assert ends_in_sigmoid(frozen)
    np.testing.assert_allclose(frozen(X).numpy(), model(X).numpy(), rtol=1e-5)
    logits = without_softmax(frozen)(X).numpy()
    np.testing.assert_allclose(1 / (1 + np.exp(-logits)), model(X).numpy(), rtol=1e-5)


def test_images_have_tasks_too():
    info = DataInfo(name="d", fingerprint="f", domain=IMAGE, classes=("a", "b"), input_shape=(4, 4, 1))
    assert recognize(Ends("n", (4, 4, 1), (4, 4, 1)), info, 0.1).kind == "anomaly"
