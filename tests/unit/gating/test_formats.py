import json
import os
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from qbench.errors import UserError
from qbench.gating.formats import github_annotations, write_junit
from qbench.stages.check import check

AT = 4 / 255
BOUNDS = ("--min-robust-accuracy", "40%", "--at", "4/255")


@pytest.fixture
def made(replay_of):
    """One runtime of two keeps 40 %."""
    return replay_of(100, {"tflite": (0, 20, 0), "onnx": (0, 80, 0)})


@pytest.fixture
def run():
    """Runs `qbench check` outside of any CI."""

    def run(*args, **variables):
        clean = {name: value for name, value in os.environ.items() if name != "GITHUB_ACTIONS"}
        words = [sys.executable, "-m", "qbench", "check", *map(str, args)]
        return subprocess.run(words, capture_output=True, text=True, check=False, env={**clean, **variables})

    return run


def test_junit_has_a_case_a_verdict_and_a_failure_for_each_that_is_broken(made, tmp_path):
    gate = check(made.path, min_robust_accuracy=0.4, at=[AT], max_disagreement=0.9)
    write_junit(gate.verdicts, tmp_path / "new" / "gate.xml")
    assert [each.name for each in (tmp_path / "new").iterdir()] == ["gate.xml"]
    root = ElementTree.parse(tmp_path / "new" / "gate.xml").getroot()
    suites = {each.get("name"): each for each in root.iter("testsuite")}
    assert set(suites) == {"min-robust-accuracy", "max-disagreement"}
    assert (suites["min-robust-accuracy"].get("tests"), suites["min-robust-accuracy"].get("failures")) == (
        "2",
        "1",
    )
    assert suites["max-disagreement"].get("failures") == "0"
    (failure,) = root.iter("failure")
    assert failure.get("message").startswith("onnx, pgd at 4/255: robust accuracy 20.00 % [13.34, 28.88]")
    write_junit(gate.verdicts, tmp_path / "again.xml")
    assert (tmp_path / "again.xml").read_bytes() == (tmp_path / "new" / "gate.xml").read_bytes()


def test_a_file_that_cannot_be_written_is_told(made, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        write_junit(check(made.path, max_disagreement=0.9).verdicts, tmp_path / "file" / "gate.xml")


def test_annotations_are_escaped_as_the_runner_reads_them(made):
    gate = check(made.path, min_robust_accuracy=0.4, at=[AT])
    (line,) = github_annotations(gate.verdicts)
    assert line.startswith(
        "::error title=qbench min-robust-accuracy::onnx, pgd at 4/255: robust accuracy 20.00 %25"
    )
    assert "minimum of 40 %25" in line


def test_the_command_says_pass_or_fail_with_its_exit_code(made, run, tmp_path):
    failed = run(made.path, *BOUNDS, "--junit", tmp_path / "gate.xml")
    assert failed.returncode == 1
    assert "gate failed: 1 of 2 verdicts" in failed.stdout
    assert failed.stderr.startswith("min-robust-accuracy: onnx, pgd at 4/255:")
    assert (tmp_path / "gate.xml").is_file()
    passed = run(made.path, "--min-robust-accuracy", "0.13", "--at", "4/255")
    assert (passed.returncode, passed.stderr) == (0, "")
    assert "gate passed" in passed.stdout


def test_json_is_the_gate_and_annotations_go_beside_it(made, run):
    done = run(made.path, *BOUNDS, "--json", GITHUB_ACTIONS="true")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert (found["passed"], [each["holds"] for each in found["verdicts"]]) == (False, [True, False])
    assert found["verdicts"][1]["bound"] == pytest.approx(0.4)
    assert done.stderr.count("::error ") == 1
    quiet = run(made.path, *BOUNDS, "--json", "--annotations", "none", GITHUB_ACTIONS="true")
    assert "::error" not in quiet.stderr


@pytest.mark.parametrize("share", ["many", "1e", "%", "pp", ""])
def test_what_is_no_share_is_told(made, run, share):
    done = run(made.path, "--max-clean-drop", share)
    assert done.returncode == 2
    assert "is not a share" in done.stderr


def test_a_real_replay_passes_and_fails_with_its_own_figures(replayed):
    scores = {each.runtime.name: each for each in replayed.content.scores}
    low = scores["tflite-ref"].by_eps[0].robust_accuracy.low
    lows = [each.by_eps[0].robust_accuracy.low for name, each in scores.items() if name != "float"]
    assert check(replayed.path, min_robust_accuracy=min(lows) - 1e-6, at=[AT]).passed
    gate = check(replayed.path, min_robust_accuracy=low + 1e-6, at=[AT])
    assert {each.subject: each.holds for each in gate.verdicts}["tflite-ref"] is False
    again = check(replayed.path, max_clean_drop=0.06, baseline=replayed.path)
    assert again.passed
    assert "(paired)" in again.verdicts[0].reason
