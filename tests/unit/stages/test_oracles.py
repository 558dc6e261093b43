"""Attacks on the integer network itself: runtimes and devices as oracles, lifted surrogates, presets."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import qbench
from qbench.artifacts import Preprocessing, TaskInfo
from qbench.errors import UserError
from qbench.inputs import InputGrid
from qbench.oracles import RuntimeOracle
from qbench.runtimes import RUNTIMES, open_runtime
from tests.unit.runtimes.conftest import tflite_bytes

COUNT = 24


def square(bundle, out, **options):
    told = {"eps": [16 / 255], "budget": 60, "count": COUNT, **options}
    return qbench.attack(bundle.path, "digits", out, attack="square", **told)


@pytest.fixture(scope="module")
def asked(bundle, tmp_path_factory):
    """Square on the reference kernels."""
    return square(bundle, tmp_path_factory.mktemp("asked") / "advset", oracle="tflite-ref")


def test_an_advset_says_which_oracle_it_was_made_against(asked):
    content = asked.content
    assert content.surrogate == content.oracle.name == "tflite-ref"
    assert content.oracle.kernels == "reference"
    assert content.oracle.version in asked.manifest.settings["oracle"]
    (result,) = content.results
    assert 1 <= result.queries.min <= result.queries.max <= 60
    assert np.load(asked.path / "queries-eps-0.npy").max() == result.queries.max


def test_what_the_oracle_saw_is_what_a_replay_sees(bundle, asked, tmp_path):
    made = qbench.replay(bundle.path, asked.path, ["tflite-ref"], tmp_path / "replay")
    seen = np.load(made.path / "tflite-ref" / "eps-0.npy")
    output = bundle.content.artifacts["int8.tflite"].output.quantization
    assert np.array_equal(output.dequantize(seen), np.load(asked.path / "logits-eps-0.npy"))
    (scores,) = made.content.scores
    assert scores.by_eps[0].robust_accuracy.count == asked.content.results[0].correct


@pytest.mark.parametrize("name", [name for name in RUNTIMES if name != "tflm"])
def test_every_runtime_answers_as_an_oracle(bundle, name):
    runtime = open_runtime(name, bundle.path, bundle.content)
    oracle = RuntimeOracle(runtime, bundle.content.preprocessing, TaskInfo())
    x = np.random.default_rng(0).uniform(0, 1, (300, 8, 8, 1)).astype(np.float32)
    scores = oracle(x)
    assert scores.shape == (300, 10)
    assert scores.dtype == np.float32
    assert np.array_equal(oracle(x[7:9]), scores[7:9])
    if oracle.step:
        assert oracle.step == pytest.approx(1 / 255, rel=0.1)
    runtime.close()


@pytest.fixture(scope="module")
def coarse(trained, tmp_path_factory):
    """The same network with an input grid far coarser than the pixels' and off it: -6 to 14 in 255 steps."""
    folder = tmp_path_factory.mktemp("coarse")
    model = keras.models.load_model(trained.path / "float.keras", compile=False)
    (folder / "wide.tflite").write_bytes(tflite_bytes(model, low=-6, high=14))
    made = qbench.export(trained.path, "digits", folder / "bundle", adopt=folder / "wide.tflite", max_drop=1)
    assert made.content.artifacts["int8.tflite"].input.quantization.scale > 0.07
    return made


@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
def test_an_oracle_holds_its_rounded_inputs_to_the_ball(coarse, norm):
    runtime = open_runtime("host", coarse.path, coarse.content)
    oracle = RuntimeOracle(runtime, coarse.content.preprocessing, TaskInfo())
    grid = InputGrid(runtime.grid, coarse.content.preprocessing)
    x = np.random.default_rng(0).random((20, 8, 8, 1), np.float32)
    x_adv, eps = x + np.float32(0.05), {"linf": 0.05, "l2": 0.4, "l1": 3.2}[norm]
    wanted = grid.rounded(x_adv, x, eps, norm)
    assert wanted.clamped.any(), "the nearest codes would be out of the ball"
    np.testing.assert_array_equal(grid.codes(oracle.as_replayed(x_adv, x, eps, norm)), wanted.codes)
    np.testing.assert_array_equal(grid.codes(oracle.as_replayed(x_adv, x, np.inf, norm)), grid.codes(x_adv))
    runtime.close()


@pytest.mark.parametrize(
    ("attack", "norm", "options"),
    [
        ("square", "linf", {"budget": 60}),
        ("square", "l2", {"budget": 60}),
        ("square", "linf", {"budget": 60, "grid": "uint8"}),
        ("nes", "linf", {"budget": 160, "delta": 0.1}),
        ("spsa", "l2", {"budget": 300, "learning_rate": 0.05, "delta": 0.1}),
        ("zoo", "l2", {"budget": 600, "delta": 0.3}),
        ("hopskipjump", "linf", {"budget": 400}),
        ("hopskipjump", "l2", {"budget": 400}),
        ("autoattack-int8", "linf", {"steps": 5, "budget": 40}),
    ],
)
def test_whatever_the_grid_a_replay_sees_what_the_oracle_saw(coarse, tmp_path, attack, norm, options):
    budgets = [0.06, 0.1, 0.17] if norm == "linf" else [0.6, 1.2]
    made = qbench.attack(
        coarse.path,
        "digits",
        tmp_path / "advset",
        attack=attack,
        norm=norm,
        eps=budgets,
        oracle="host",
        count=40,
        checks=False,
        **options,
    )
    replayed = qbench.replay(coarse.path, made.path, ["host"], tmp_path / "replay")
    output = coarse.content.artifacts["int8.tflite"].output.quantization
    for i in range(len(budgets)):
        seen = output.dequantize(np.load(replayed.path / "host" / f"eps-{i}.npy"))
        np.testing.assert_array_equal(seen, np.load(made.path / f"logits-eps-{i}.npy"))
    assert made.content.grid == options.get("grid", "float")
    assert made.content.results[-1].correct < made.content.clean_correct, "the attack found something"


def test_the_lifted_surrogate_needs_no_float_gradient(bundle, tmp_path):
    made = qbench.attack(
        bundle.path,
        "digits",
        tmp_path / "a",
        attack="pgd",
        eps=[16 / 255],
        steps=5,
        count=COUNT,
        surrogate="lifted:ste",
    )
    assert made.content.surrogate == "lifted:ste"
    assert made.content.results[0].correct < made.content.clean_correct
    assert made.content.findings is not None


def test_a_preset_brings_its_budget_norm_and_protocol(bundle, tmp_path):
    made = qbench.attack(bundle.path, "digits", tmp_path / "a", attack="paper:fgsm", count=30, checks=False)
    settings = made.manifest.settings
    assert (settings["eps"], settings["norm"], settings["only_correct"]) == ([0.03], "linf", True)
    assert made.content.clean_correct == 30


def test_the_smallest_perturbation_needs_no_budget(bundle, tmp_path):
    made = qbench.attack(bundle.path, "digits", tmp_path / "a", attack="deepfool", count=COUNT, checks=False)
    (result,) = made.content.results
    assert result.eps == pytest.approx(8.0)  # the diagonal of 64 pixels
    assert result.correct == 0
    assert 0.1 < result.sizes.l2 < 2


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"attack": "pgd", "oracle": "tflite"}, "pgd follows a gradient, which tflite does not have"),
        ({"attack": "square", "oracle": "tflite", "device": "qemu:stm32f405"}, "asks one oracle"),
        ({"attack": "square", "oracle": "tflit"}, "no runtime 'tflit'"),
        ({"attack": "pgd", "surrogate": "lifted:magic"}, "magic"),
        ({"attack": "pgd", "eps": None}, "budgets must be given"),
        ({"attack": "paper:pgd"}, "no attack 'paper:pgd'"),
        ({"attack": "square", "budget": 0}, "budget 0 cannot be used"),
    ],
)
def test_mistakes_are_told(bundle, tmp_path, changed, message):
    with pytest.raises(UserError, match=message):
        qbench.attack(bundle.path, "digits", tmp_path / "a", **{"eps": [0.1], "count": 4, **changed})


def test_preprocessing_scales_the_oracles_step(bundle):
    runtime = open_runtime("host", bundle.path, bundle.content)
    one = RuntimeOracle(runtime, Preprocessing(scale=1.0), TaskInfo()).step
    assert RuntimeOracle(runtime, Preprocessing(scale=-2.0), TaskInfo()).step == pytest.approx(one / 2)
    runtime.close()
