"""Tasks other than the highest of several scores, from export to the gate."""

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

import qbench
from qbench.artifacts import load
from qbench.errors import UserError
from qbench.reporting.tables import bundle_tables, replay_tables
from qbench.tasks.roc import auc

SHORT = {"attack": "pgd", "steps": 5, "count": 80, "checks": False}
ELEMENTS = 12


def plain(file, x):
    """Dequantized outputs [n, elements] and inputs as the file rounds them, with TFLite alone."""
    interpreter = Interpreter(str(file))
    interpreter.allocate_tensors()
    (entry,), (exit_,) = interpreter.get_input_details(), interpreter.get_output_details()
    (scale, zero), found, taken = entry["quantization"], [], []
    for each in x:
        steps = each / np.float32(scale)
        away = np.trunc(steps + np.copysign(np.float32(0.5), steps))
        codes = np.clip(away + zero, -128, 127).astype(np.int8)
        interpreter.set_tensor(entry["index"], codes[None])
        interpreter.invoke()
        taken.append((codes.astype(np.float32) - zero) * scale)
        found.append(interpreter.get_tensor(exit_["index"]).reshape(-1).astype(np.float32))
    scale, zero = exit_["quantization"]
    return (np.stack(found) - zero) * scale, np.stack(taken)


@pytest.fixture(scope="module")
def two_classes(tmp_path_factory):
    """Two clouds in an `.npz` without names, and a network with one sigmoid that tells them apart."""
    folder = tmp_path_factory.mktemp("binary")
    random = np.random.default_rng(0)
    y = np.arange(240) % 2
    x = (random.normal(size=(240, ELEMENTS)) + 0.7 * (2 * y[:, None] - 1)).astype(np.float32)
    np.savez(folder / "clouds.npz", x=x, y=y)
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((ELEMENTS,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy")
    model.fit(x, y, epochs=8, batch_size=16, verbose=0)
    model.save(folder / "one.keras")
    return folder, x, y, model


@pytest.fixture(scope="module")
def binary_bundle(two_classes):
    folder, *_ = two_classes
    return qbench.export(
        folder / "one.keras", str(folder / "clouds.npz"), folder / "bundle", threshold=0.8, classes="no,yes"
    )


def test_one_sigmoid_is_two_classes_at_the_stated_threshold(two_classes, binary_bundle):
    _folder, x, y, model = two_classes
    task = binary_bundle.content.task
    assert (task.kind, task.threshold, task.sigmoid) == ("classification", 0.8, True)
    assert binary_bundle.content.data.classes == ("no", "yes")
    p = model.predict(x, verbose=0)[:, 0]
    assert binary_bundle.content.artifacts["float.keras"].correct == ((p > 0.8) == y).sum()
    outputs, _ = plain(binary_bundle.path / "int8.tflite", x)
    assert binary_bundle.content.artifacts["int8.tflite"].correct == ((outputs[:, 0] > 0.8) == y).sum()
    assert "yes where the score is above 0.8" in bundle_tables(binary_bundle.content)[0].title


def test_it_is_attacked_replayed_judged_and_reported(two_classes, binary_bundle, tmp_path):
    folder, *_ = two_classes
    # The data do not name the classes: the bundle's names are theirs.
    made = qbench.attack(
        binary_bundle.path, str(folder / "clouds.npz"), tmp_path / "a", eps=[0.3, 1.0], **SHORT
    )
    assert made.content.data.classes == ("no", "yes")
    few, many = made.content.results
    assert made.content.clean_correct > few.correct > many.correct
    replay = qbench.replay(
        binary_bundle.path, made.path, ["tflite", "tflite-ref", "host", "float"], tmp_path / "r"
    )
    truth = np.load(made.path / "labels.npy")
    outputs, _ = plain(binary_bundle.path / "int8.tflite", np.load(made.path / "inputs.npy"))
    xnnpack = replay.content.scores[0]
    assert xnnpack.clean_accuracy.count == ((outputs[:, 0] > 0.8) == truth).sum()
    assert np.array_equal(np.load(replay.path / "tflite/clean-scores.npy")[:, 1], outputs[:, 0])
    assert all(
        each.by_eps[1].robust_accuracy.value < each.clean_accuracy.value for each in replay.content.scores
    )
    gate = qbench.check(replay.path, max_clean_drop=0.5, min_robust_accuracy=0.01, at=[0.3])
    assert {each.rule for each in gate.verdicts} == {"min-robust-accuracy", "max-clean-drop"}
    page = qbench.report([replay.path], tmp_path / "page", html=True)
    assert "yes" in (page.path / "report.html").read_text()
    with pytest.raises(UserError, match="no area under a ROC curve"):
        qbench.check(replay.path, min_robust_auc=0.5, at=[0.3])


def test_the_file_alone_is_attacked_by_its_logit(two_classes, binary_bundle, tmp_path, monkeypatch):
    folder, *_ = two_classes
    monkeypatch.setenv("QBENCH_CACHE", str(tmp_path / "cache"))
    made = qbench.attack(
        binary_bundle.path / "int8.tflite", str(folder / "clouds.npz"), tmp_path / "a", eps=[1.0], **SHORT
    )
    assert made.content.surrogate == "lifted:clipped-ste"
    assert made.content.results[0].correct < made.content.clean_correct
    assert np.load(made.path / "logits-clean.npy")[:, 1].min() < 0, "a probability, not the score before it"
    queries = qbench.attack(
        binary_bundle.path,
        str(folder / "clouds.npz"),
        tmp_path / "q",
        attack="spsa",
        steps=5,
        eps=[1.0],
        count=20,
        oracle="tflite-ref",
        checks=False,
    )
    assert queries.content.results[0].correct < queries.content.clean_correct


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    """Normal inputs near a plane, anomalous ones off it, and an autoencoder of the plane."""
    folder = tmp_path_factory.mktemp("anomaly")
    random = np.random.default_rng(1)
    plane = random.normal(size=(3, ELEMENTS))

    def inputs(n, spread):
        near = random.normal(size=(n, 3)) @ plane + spread * random.normal(size=(n, ELEMENTS))
        return near.astype(np.float32)

    x = np.concatenate([inputs(150, 0.1), inputs(90, 0.25)])
    y = np.repeat([0, 1], [150, 90])
    np.savez(folder / "machine.npz", x=x, y=y, classes=np.array(["normal", "anomalous"]))
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential([keras.Input((ELEMENTS,)), layers.Dense(3), layers.Dense(ELEMENTS)])
    model.compile(keras.optimizers.Adam(0.02), "mse")
    train = inputs(500, 0.1)
    model.fit(train, train, epochs=30, batch_size=32, verbose=0)
    model.save(folder / "auto.keras")
    bundle = qbench.export(folder / "auto.keras", str(folder / "machine.npz"), folder / "bundle")
    return folder, x, y, bundle


def test_an_autoencoder_is_an_anomaly_detector(detector):
    _folder, x, y, bundle = detector
    task = bundle.content.task
    assert task.kind == "anomaly"
    outputs, taken = plain(bundle.path / "int8.tflite", x)
    errors = np.mean((outputs - taken) ** 2, axis=1)
    info = bundle.content.artifacts["int8.tflite"]
    assert info.auc.value == pytest.approx(auc(errors, y).value)
    assert info.auc.value > 0.9
    assert info.correct == ((errors > task.threshold) == y).sum()
    assert "AUC" in bundle_tables(bundle.content)[0].columns


@pytest.mark.parametrize("file", ["bundle", "bundle/int8.tflite"])
def test_attacks_hide_anomalies_and_raise_false_alarms(detector, tmp_path, monkeypatch, file):
    folder, _, _, _ = detector
    monkeypatch.setenv("QBENCH_CACHE", str(tmp_path / "cache"))
    data, found = str(folder / "machine.npz"), {}
    for target in (None, "normal", "anomalous"):
        made = qbench.attack(
            folder / file, data, tmp_path / f"a-{target}", eps=[0.1, 0.4], target=target, **SHORT
        )
        replay = qbench.replay(folder / file, made.path, ["tflite-ref"], tmp_path / f"r-{target}")
        found[target] = replay.content.scores[0]
    clean = found[None].detection
    assert clean.auc.value > 0.9
    both, hidden, alarms = (found[target].by_eps[1].detection for target in (None, "normal", "anomalous"))
    assert hidden.missed.count > clean.missed.count
    assert hidden.false_alarms == clean.false_alarms, "normal inputs are left alone"
    assert alarms.false_alarms.count > clean.false_alarms.count
    assert alarms.missed == clean.missed, "anomalous inputs are left alone"
    assert both.auc.value <= min(hidden.auc.value, alarms.auc.value) < clean.auc.value
    smaller = found[None].by_eps[0].detection
    assert both.auc.value <= smaller.auc.value < clean.auc.value


def test_the_gate_and_the_report_know_the_area(detector, tmp_path, command):
    folder, _, _, bundle = detector
    made = qbench.attack(bundle.path, str(folder / "machine.npz"), tmp_path / "a", eps=[0.1, 0.4], **SHORT)
    replay = qbench.replay(bundle.path, made.path, ["tflite-ref", "tflite"], tmp_path / "r")
    area = replay.content.scores[0].by_eps[0].detection.auc
    passed = qbench.check(replay.path, min_robust_auc=area.low - 1e-3, at=[0.1])
    failed = qbench.check(replay.path, min_robust_auc=area.low + 1e-3, at=[0.1])
    assert passed.passed
    assert not failed.passed
    assert f"AUC {area.value:.2f} [" in failed.verdicts[0].reason
    done = command("check", replay.path, "--min-robust-auc", "0.99", "--at", "0.4")
    assert done.returncode == 1
    assert ">= 0.99" in done.stdout
    with pytest.raises(UserError, match="robust AUC is wanted"):
        qbench.check(replay.path, min_robust_auc=0.5)
    titles = [table.title for table in replay_tables(replay.content)]
    assert any(title.startswith("Anomaly detection") for title in titles)
    page = qbench.report([replay.path], tmp_path / "page", html=True, figures="svg")
    text = (page.path / "report.html").read_text()
    assert "The area under the ROC curve of" in text
    assert "AUC under attack" in text
    assert (page.path / "figures/auc-0.svg").is_file()
    assert load(page.path, "report").content == page.content


def test_the_true_label_among_the_highest_scores_is_counted(bundle, advset, tmp_path):
    replay = qbench.replay(bundle.path, advset.path, ["tflite-ref"], tmp_path / "r", top=3)
    truth = np.load(replay.path / "labels.npy")
    found = replay.content.scores[0]
    for name, share in (("clean", found.top), ("eps-1", found.by_eps[1].top)):
        vectors = np.load(replay.path / f"tflite-ref/{name}.npy")
        highest = np.argsort(-vectors.astype(int), axis=1, kind="stable")[:, :3]
        assert share.count == (highest == truth[:, None]).any(axis=1).sum()
    assert found.top.count >= found.clean_accuracy.count
    assert any("among the 3 highest" in table.title for table in replay_tables(replay.content))
    once = qbench.replay(bundle.path, advset.path, ["tflite-ref"], tmp_path / "s", top=1).content.scores[0]
    assert once.top == once.clean_accuracy


def test_a_map_is_refused_with_the_reason(tmp_path):
    image = keras.Input((8, 8, 1))
    keras.Model(image, keras.layers.Conv2D(2, 3)(image)).save(tmp_path / "map.keras")
    with pytest.raises(UserError, match=r"output of shape \(6, 6, 2\); digits has 10 classes") as caught:
        qbench.export(tmp_path / "map.keras", "digits", tmp_path / "b")
    assert "a detector, key points or a mask" in caught.value.cause


def test_names_that_fit_no_labels_are_refused(bundle, tmp_path):
    with pytest.raises(UserError, match="there are 2 classes"):
        qbench.export(bundle.path / "float.keras", "digits", tmp_path / "b", classes="a,b")
    with pytest.raises(UserError, match="names of the classes are a, a"):
        qbench.export(bundle.path / "float.keras", "digits", tmp_path / "b", classes="a,a")
