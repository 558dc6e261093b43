import json
import os
import subprocess
import sys

import pytest

QBENCH = [sys.executable, "-m", "qbench"]


def run(*args, **options):
    return subprocess.run([*QBENCH, *args], capture_output=True, text=True, check=False, **options)


def test_help_lists_the_commands_and_imports_nothing_heavy():
    code = "import sys, runpy\nsys.argv = ['qbench', '--help']\n"
    code += "try: runpy.run_module('qbench', run_name='__main__')\n"
    code += "except SystemExit: pass\n"
    code += "heavy = {'numpy', 'tensorflow', 'pydantic', 'rich', 'onnx', 'matplotlib'} & set(sys.modules)\n"
    code += "print('heavy:', sorted(heavy))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "replay" in done.stdout
    assert done.stdout.endswith("heavy: []\n")


def test_help_answers_at_once():
    def seconds():  # of a core, so that what else the machine does counts for nothing
        start = os.times()
        assert run("--help").returncode == 0
        end = os.times()
        return end.children_user + end.children_system - start.children_user - start.children_system

    assert min(seconds() for _ in range(5)) < 0.3


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["replay"], "Missing argument"),
        (["atack"], "No such command"),
        (["train", "digits-cn", "--data", "digits", "--out", "x"], "did you mean 'digits-cnn'"),
        (["train", "digits-cnn", "--data", "digit", "--out", "x"], "did you mean 'digits'"),
        (["export", "nowhere.keras", "--data", "digits", "--out", "x"], "does not exist"),
        (["report", ".", "--out", "x"], "is not a qbench folder"),
    ],
)
def test_the_users_mistakes_exit_with_2_and_no_traceback(args, words, tmp_path):
    done = run(*args, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_errors_for_machines(tmp_path):
    done = run("train", "nothing", "--data", "digits", "--out", "x", "--json", cwd=tmp_path)
    error = json.loads(done.stdout)["error"]
    assert done.returncode == error["exit_code"] == 2
    assert error["what"] == "there is no network 'nothing'"


def test_lists_for_people_and_machines():
    assert "keyword spotter" in run("models").stdout
    assert json.loads(run("models", "--json").stdout)["resnet8"]["batch_size"] == 64
    assert "digits" in json.loads(run("datasets", "--json").stdout)["names"]
    runtimes = json.loads(run("runtimes", "--json").stdout)
    assert runtimes["tflite-ref"]["here"]
    assert runtimes.keys() >= {"tflite", "tflite-builtin", "tflm", "onnx", "float"}


def test_a_list_shows_every_name():
    from qbench.attacks import ATTACKS

    lines = [line for line in run("attacks").stdout.splitlines() if line[:2] == "  " and line[2:3].strip()]
    assert [line.split()[0] for line in lines] == ["name", *ATTACKS]
