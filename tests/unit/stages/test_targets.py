"""Targets of the attack stage: who names them, what reaches them, and what a replay says of it."""

from __future__ import annotations

import numpy as np
import pytest

import qbench
from qbench.attacking.targets import parse_target
from qbench.errors import UserError

CLASSES = ("cat", "dog", "0")
TOLD = {"attack": "pgd", "eps": [48 / 255], "steps": 10, "count": 40}


def test_a_class_has_a_name_and_a_number():
    told = ("dog", 1, "1", 0, "0", "least-likely")
    numbers = ("1", "1", "1", "0", "2", "least-likely")  # of a text, a name goes before a number
    assert tuple(parse_target(each, CLASSES) for each in told) == numbers


@pytest.mark.parametrize("wrong", ["3", -1, "dgo", "1.5"])
def test_a_class_that_is_none_is_told(wrong):
    with pytest.raises(UserError, match="no class"):
        parse_target(wrong, CLASSES)


def test_a_class_is_reached_and_a_replay_says_how_often(bundle, tmp_path):
    made = qbench.attack(bundle.path, "digits", tmp_path / "a", target=3, **TOLD)
    labels, targets = (np.load(made.path / f"{name}.npy") for name in ("labels", "targets"))
    assert (targets == 3).all()
    content = made.content
    hit = np.load(made.path / "logits-eps-0.npy").argmax(axis=1) == targets
    assert (content.target, content.aimed) == ("3", np.sum(labels != 3))
    (result,) = content.results
    assert result.reached == np.sum(hit & (labels != 3)) > content.aimed / 2
    assert content.findings is not None
    replayed = qbench.replay(bundle.path, made.path, ["tflite-ref"], tmp_path / "r")
    (scores,) = replayed.content.scores
    seen = np.load(replayed.path / "tflite-ref" / "eps-0.npy").argmax(axis=1) == targets
    success = scores.by_eps[0].target_success
    assert replayed.content.attack == "pgd towards 3", "no table or plot takes it for an untargeted attack"
    assert (success.count, success.total) == (np.sum(seen & (labels != 3)), content.aimed)


def test_the_least_likely_class_is_the_networks_own_word(bundle, tmp_path):
    made = qbench.attack(bundle.path, "digits", tmp_path / "a", target="least-likely", **TOLD)
    clean = np.load(made.path / "logits-clean.npy")
    np.testing.assert_array_equal(np.load(made.path / "targets.npy"), clean.argmin(axis=1))
    assert made.content.target == made.manifest.settings["target"] == "least-likely"


def test_without_a_target_a_recipe_does_not_speak_of_one(advset):
    assert "target" not in advset.manifest.settings
    assert (advset.content.target, advset.content.results[0].reached) == (None, None)
    assert not (advset.path / "targets.npy").exists()


def test_a_walk_starts_from_a_test_input_with_the_target(bundle, tmp_path):
    made = qbench.attack(
        bundle.path,
        "digits",
        tmp_path / "a",
        attack="hopskipjump",
        target="least-likely",
        oracle="host",
        budget=300,
        count=20,
        checks=False,
    )
    (result,) = made.content.results
    assert result.reached == made.content.aimed
    assert result.queries.max <= 300


def test_the_command_tells_what_was_reached(command, bundle, tmp_path):
    words = ("attack", bundle.path, "--data", "digits", "--attack", "bim", "--eps", "48/255", "--count", 20)
    done = command(*words, "--target", "7", "--no-checks", "--out", tmp_path / "a")
    assert done.returncode == 0, done.stderr
    assert "target reached %" in done.stdout
    assert "bim towards 7 (linf)" in done.stdout
    wrong = command(*words, "--target", "12", "--out", tmp_path / "b")
    assert (wrong.returncode, "no class '12'" in wrong.stderr) == (2, True)
    refused = command(
        *("attack", bundle.path, "--data", "digits", "--attack", "deepfool", "--target", "7"),
        *("--out", tmp_path / "c"),
    )
    assert (refused.returncode, "deepfool takes no target" in refused.stderr) == (2, True)
