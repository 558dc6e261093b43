"""Attacks on the integer network itself: runtimes and devices as oracles, lifted surrogates, presets."""

from __future__ import annotations

import numpy as np
import pytest

import qbench
from qbench.artifacts import Preprocessing
from qbench.errors import UserError
from qbench.oracles import RuntimeOracle
from qbench.runtimes import RUNTIMES, open_runtime

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
    oracle = RuntimeOracle(runtime, bundle.content.preprocessing)
    x = np.random.default_rng(0).uniform(0, 1, (300, 8, 8, 1)).astype(np.float32)
    scores = oracle(x)
    assert scores.shape == (300, 10)
    assert scores.dtype == np.float32
    assert np.array_equal(oracle(x[7:9]), scores[7:9])
    if oracle.step:
        assert oracle.step == pytest.approx(1 / 255, rel=0.1)
    runtime.close()


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
    one = RuntimeOracle(runtime, Preprocessing(scale=1.0)).step
    assert RuntimeOracle(runtime, Preprocessing(scale=-2.0)).step == pytest.approx(one / 2)
    runtime.close()
