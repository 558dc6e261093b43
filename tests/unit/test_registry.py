"""What other packages bring is found by name, beside qbench's own."""

import sys
import types
from importlib.metadata import EntryPoint

import numpy as np
import pytest

import qbench
from qbench import registry
from qbench.attacks import ATTACKS, find_attack
from qbench.attacks.gradient import Fgsm
from qbench.boards import BOARDS, Board, board_named
from qbench.data import DATASETS, IMAGE, Dataset, Split, load_dataset
from qbench.data.sources import DatasetEntry
from qbench.errors import EnvironmentLacks, UserError
from qbench.runtimes import RUNTIMES, available, runtime_class
from qbench.runtimes.tflite import TfliteBuiltinRuntime
from qbench.studies import ANALYSES

ALL = (ATTACKS, RUNTIMES, DATASETS, BOARDS, ANALYSES)


class Stronger(Fgsm):
    """Another package's attack."""

    name = "stronger"


class Slower(TfliteBuiltinRuntime):
    """Another package's runtime."""

    name = "slower"


def squares(_):
    return Dataset(
        "squares", IMAGE, ("a", "b"), None, Split(np.zeros((4, 8, 8, 1), np.uint8), np.array([0, 1, 0, 1]))
    )


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """A package that brings one of each."""
    module = types.ModuleType("another_package")
    module.Stronger, module.Slower = Stronger, Slower
    module.SQUARES = DatasetEntry("squares", "four squares", squares)
    module.BOARD = Board("feather", "Cortex-M4", "netduinoplus2", place=tmp_path)
    monkeypatch.setitem(sys.modules, "another_package", module)
    brought = {
        "qbench.attacks": [EntryPoint("stronger", "another_package:Stronger", "qbench.attacks")],
        "qbench.runtimes": [EntryPoint("slower", "another_package:Slower", "qbench.runtimes")],
        "qbench.datasets": [EntryPoint("squares", "another_package:SQUARES", "qbench.datasets")],
        "qbench.boards": [EntryPoint("feather", "another_package:BOARD", "qbench.boards")],
    }
    monkeypatch.setattr(registry, "entry_points", lambda group: brought.get(group, []))
    return brought


@pytest.mark.usefixtures("installed")
def test_each_is_found_and_listed(tmp_path):
    assert find_attack("stronger") is Stronger
    assert runtime_class("slower") is Slower
    assert board_named("feather").folder == tmp_path
    assert load_dataset("squares").name == "squares"
    for found, name in (
        (ATTACKS, "stronger"),
        (RUNTIMES, "slower"),
        (DATASETS, "squares"),
        (BOARDS, "feather"),
    ):
        assert list(found)[-1] == name
    assert available()["slower"] is None


@pytest.mark.usefixtures("installed")
def test_another_package_s_attack_and_runtime_work(bundle, tmp_path):
    made = qbench.attack(bundle.path, "digits", tmp_path / "a", attack="stronger", eps=[0.1], count=8)
    assert made.content.attack == "stronger"
    replayed = qbench.replay(bundle.path, made.path, ["slower"], tmp_path / "r")
    assert replayed.content.scores[0].runtime.name == "slower"


def test_a_name_that_is_taken_is_refused(installed):
    installed["qbench.attacks"].append(EntryPoint("pgd", "another_package:Stronger", "qbench.attacks"))
    with pytest.raises(UserError, match="two packages bring the attack 'pgd'"):
        list(ATTACKS)


def test_what_cannot_be_imported_is_told(installed):
    installed["qbench.runtimes"].append(EntryPoint("gone", "no_such_package:Runtime", "qbench.runtimes"))
    with pytest.raises(EnvironmentLacks, match="the runtime 'gone' cannot be imported"):
        runtime_class("gone")


@pytest.mark.parametrize("found", ALL, ids=lambda each: each.what)
def test_an_unknown_name_suggests_the_nearest(found):
    first = next(iter(found))
    with pytest.raises(UserError, match=f"there is no {found.what}") as caught:
        found.load(f"{first}x")
    assert first in caught.value.hint


@pytest.mark.parametrize("found", ALL, ids=lambda each: each.what)
def test_all_of_qbench_s_own_can_be_loaded(found):
    assert len(found) == len(dict(found.items())) > 2
