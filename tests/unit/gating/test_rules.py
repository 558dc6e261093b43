import numpy as np
import pytest

from qbench.errors import UserError
from qbench.stages.check import check

HERE = 4 / 255


def holds(gate):
    return [(each.subject, each.inputs, each.holds) for each in gate.verdicts]


@pytest.mark.parametrize(("wrong", "passes"), [(57, True), (58, False)])
def test_robust_accuracy_is_judged_by_the_lower_end(replay_of, wrong, passes):
    """Wilson: 43 of 100 begins at 33.7 %, 42 of 100 at 32.8 %."""
    made = replay_of(100, {"tflite": (0, wrong, 100), "float": (0, 100, 100)})
    gate = check(made.path, min_robust_accuracy=0.33, at=[HERE])
    assert holds(gate) == [("tflite", "pgd at 4/255", passes)]
    assert gate.passed is passes
    assert f"{100 - wrong}.00 % [" in gate.verdicts[0].reason


def test_every_runtime_and_every_budget_is_judged(replay_of):
    made = replay_of(200, {"tflite": (0, 10, 100), "onnx": (0, 10, 180)})
    gate = check(made.path, min_robust_accuracy=0.2, at=[HERE, 8 / 255])
    assert [each[2] for each in holds(gate)] == [True, True, True, False]
    assert not gate.passed


@pytest.mark.parametrize(("others", "passes"), [(2, True), (3, False)])
def test_disagreement_is_judged_by_the_upper_end(replay_of, others, passes):
    """Wilson: 2 of 1,000 ends at 0.73 %, 3 of 1,000 at 0.88 %."""
    made = replay_of(1000, {"tflite": (others, 0, 0), "tflite-ref": (0, 0, 0), "float": (90, 90, 90)})
    gate = check(made.path, max_disagreement=0.008)
    assert holds(gate) == [("tflite and tflite-ref", "clean", passes)]


def test_disagreement_is_judged_under_attack_too_where_a_budget_is_named(replay_of):
    made = replay_of(1000, {"tflite": (0, 0, 30), "tflite-ref": (0, 0, 0)})
    assert check(made.path, max_disagreement=0.01).passed
    assert check(made.path, max_disagreement=0.01, at=[HERE]).passed
    gate = check(made.path, max_disagreement=0.01, at=[HERE, 8 / 255])
    assert [each[1:] for each in holds(gate) if not each[2]] == [("pgd at 8/255", False)]


def test_without_the_reference_any_two_runtimes_must_agree(replay_of):
    seen = {"tflite": (20, 0, 0), "onnx": (20, 0, 0), "host": (0, 0, 0)}
    assert [
        each[0] for each in holds(check(replay_of(1000, seen).path, max_disagreement=0.01)) if not each[2]
    ] == [
        "tflite and host",
        "onnx and host",
    ]
    seen["tflite-ref"] = seen.pop("host")
    assert [each[0] for each in holds(check(replay_of(1000, seen).path, max_disagreement=0.01))] == [
        "tflite and tflite-ref",
        "onnx and tflite-ref",
    ]


def test_the_clean_drop_is_against_float_and_paired(replay_of):
    """20 of 1,000 wrong on both sides: the same ones say no drop, others leave it open."""
    same = replay_of(1000, {"tflite": (20, 0, 0), "float": (20, 0, 0)})
    others = replay_of(1000, {"tflite": (20, 0, 0), "float": (np.arange(500, 520), 0, 0)})
    assert check(same.path, max_clean_drop=0.01).passed
    gate = check(others.path, max_clean_drop=0.01)
    assert not gate.passed
    assert gate.verdicts[0].value == 0
    assert "against float (paired)" in gate.verdicts[0].reason
    assert "1,000 inputs do not decide it" in gate.verdicts[0].reason


def test_the_clean_drop_is_against_the_baseline_if_there_is_one(replay_of):
    old = replay_of(1000, {"tflite": (20, 0, 0), "float": (0, 0, 0)})
    same, worse = (replay_of(1000, {"tflite": (wrong, 0, 0)}) for wrong in (22, 60))
    assert check(same.path, max_clean_drop=0.01, baseline=old.path).passed
    gate = check(worse.path, max_clean_drop=0.01, baseline=old.path)
    assert not gate.passed
    assert gate.verdicts[0].value == pytest.approx(0.04)
    assert "against the baseline (paired)" in gate.verdicts[0].reason
    assert "do not decide" not in gate.verdicts[0].reason
    assert not check(old.path, max_clean_drop=0.01).passed  # against its own float


def test_other_inputs_are_not_paired(replay_of):
    old = replay_of(1000, {"tflite": (20, 0, 0)})
    for made in (
        replay_of(1000, {"tflite": (20, 0, 0)}, first=1000),
        replay_of(1000, {"tflite": (20, 0, 0)}, kept=False),
        replay_of(500, {"tflite": (10, 0, 0)}),
    ):
        gate = check(made.path, max_clean_drop=0.01, baseline=old.path)
        assert not gate.passed
        assert "(unpaired)" in gate.verdicts[0].reason


def test_what_a_replay_does_not_have_is_named(replay_of):
    made = replay_of(100, {"tflite": (0, 0, 0)})

    def refused(path=made.path, **bounds):
        with pytest.raises(UserError) as caught:
            check(path, **bounds)
        return f"{caught.value.what} {caught.value.cause} {caught.value.hint}"

    assert "no budget 16/255 it has 4/255, 8/255" in refused(min_robust_accuracy=0.1, at=[16 / 255])
    assert "no budget 16/255" in refused(max_disagreement=0.1, at=[16 / 255])
    assert "not at which budget" in refused(min_robust_accuracy=0.1)
    assert "no runtime 'float'" in refused(max_clean_drop=0.01)
    assert "it has tflite" in refused(max_clean_drop=0.01)
    assert "none to disagree with" in refused(max_disagreement=0.01)
    assert "nothing to check" in refused()
    alone = replay_of(100, {"float": (0, 0, 0)})
    assert "no integer runtime" in refused(alone.path, min_robust_accuracy=0.1, at=[HERE])
    assert "no bound compares with it" in refused(min_robust_accuracy=0.1, at=[HERE], baseline=made.path)
    other = replay_of(100, {"tflite": (0, 0, 0)}, fingerprint="g")
    assert "d (g) is not d (f)" in refused(max_clean_drop=0.01, baseline=other.path)
    assert "of other data" in refused(max_clean_drop=0.01, baseline=other.path)
    unlike = replay_of(100, {"onnx": (0, 0, 0)})
    assert "no runtime 'tflite'" in refused(max_clean_drop=0.01, baseline=unlike.path)


@pytest.mark.parametrize("bound", [0.0, -0.1, 1.0, 35.0, float("nan")])
def test_a_bound_that_decides_nothing_is_refused(replay_of, bound):
    made = replay_of(10, {"tflite": (0, 0, 0), "float": (0, 0, 0)})
    for name in ("min_robust_accuracy", "max_clean_drop", "max_disagreement"):
        with pytest.raises(UserError, match="must lie between 0 and 100"):
            check(made.path, at=[HERE], **{name: bound})
