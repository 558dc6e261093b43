"""The walk of the README through the command line, each command of it in a process of its own."""

import json
import signal
import subprocess
import time

import numpy as np
import pytest

from tests.conftest import bytes_of

RUNTIMES = ("tflite", "tflite-ref", "onnx", "float")


@pytest.mark.slow
def test_the_walk_gives_the_bytes_that_the_same_calls_gave_in_this_process(
    command, tmp_path, trained, bundle, advset, replayed
):
    """Holds for every file of every artefact folder, and for what each command prints."""
    out = {name: tmp_path / name for name in ("trained", "bundle", "advset", "replay", "r1", "r2")}
    attack = ("attack", out["bundle"], "--data", "digits", "--attack", "pgd", "--eps", "4/255,16/255")
    attack = (*attack, "--steps", 5, "--count", 100, "--no-checks", "--out", out["advset"])
    runtimes = [word for name in RUNTIMES for word in ("--runtime", name)]
    steps = (
        (
            ("train", "digits-cnn", "--data", "digits", "--epochs", 12, "--out", out["trained"]),
            "test accuracy %",
        ),
        (("export", out["trained"], "--data", "digits", "--out", out["bundle"]), "int8.tflite"),
        (attack, "16/255"),
        (("replay", out["bundle"], out["advset"], *runtimes, "--out", out["replay"]), "tflite-ref"),
        (("report", out["replay"], "--out", out["r1"]), "report written"),
    )
    for words, said in steps:
        done = command.apart(*words)
        assert done.returncode == 0, done.stderr
        assert said in done.stdout
        assert done.stderr == "", "chatter"
    for name, first in (("trained", trained), ("bundle", bundle), ("advset", advset), ("replay", replayed)):
        ours, theirs = bytes_of(first.path), bytes_of(out[name])
        assert ours.keys() == theirs.keys()
        assert ours["manifest.json"].decode() == theirs["manifest.json"].decode()
        assert [file for file in ours if ours[file] != theirs[file]] == []

    quiet = command("report", replayed.path, "--quiet", "--out", out["r2"])
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    assert bytes_of(out["r1"]) == bytes_of(out["r2"])
    again = command.json(*attack)
    assert again["reused"]
    assert again["content"]["results"][0]["eps"] == 4 / 255

    assert {path.name for path in out["bundle"].iterdir()} == {
        *("float.keras", "float.tflite", "int8.tflite", "float.onnx", "int8.onnx"),
        *("model_data.c", "model_data.h", "manifest.json"),
    }
    assert np.load(out["replay"] / "tflite-ref" / "eps-1.npy").shape == (100, 10)
    assert "robust accuracy" in (out["r1"] / "report.md").read_text()
    scores = json.loads((out["r1"] / "report.json").read_text())["replays"][0]["results"]["scores"]
    assert [each["runtime"]["name"] for each in scores] == list(RUNTIMES)


def stopped_half_way(argv, folder, how):
    """Start a command, stop it when a part of its work is on the disk, and return the process."""
    process = subprocess.Popen(
        argv,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a shell that starts the tests in the background makes them, and so this process, deaf to SIGINT
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        parts = [*folder.glob(".*.partial/**/eps-*.npy")]
        if len(parts) > 2:
            process.send_signal(how)
            break
        time.sleep(0.002)
    process.communicate(timeout=60)
    return process


STOPS = pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])


def check_stopped_and_resumed(command, words, undisturbed, folder, how):
    """Stop a command half-way, check what it leaves, let it go on, and compare with the undisturbed run."""
    out = folder / "x"
    process = stopped_half_way(command.argv(*words, "--out", out), folder, how)
    assert process.returncode == (130 if how == signal.SIGINT else -signal.SIGKILL)
    assert not out.exists()
    (kept,) = folder.glob(".x.*.partial")
    assert any(kept.rglob("eps-*.npy"))
    assert command(*words, "--out", out).returncode == 0
    assert bytes_of(out) == bytes_of(undisturbed)
    assert [path.name for path in folder.iterdir()] == ["x"]


@pytest.fixture(scope="module")
def long_attack(command, bundle, tmp_path_factory):
    """The words of an attack of many budgets, and its folder after an undisturbed run."""
    eps = ",".join(f"{i}/255" for i in range(1, 31))
    words = ("attack", bundle.path, "--data", "digits", "--attack", "bim", "--eps", eps, "--batch", 90)
    words = (*words, "--no-checks")
    out = tmp_path_factory.mktemp("undisturbed") / "attack"
    done = command(*words, "--out", out)
    assert done.returncode == 0, done.stderr
    return words, out


@pytest.mark.slow
@STOPS
def test_a_stopped_attack_goes_on_to_the_same_bytes(command, long_attack, tmp_path, how):
    words, undisturbed = long_attack
    check_stopped_and_resumed(command, words, undisturbed, tmp_path, how)


@pytest.fixture(scope="module")
def long_replay(command, bundle, long_attack):
    """The words of a replay on the slowest kernels, and its folder after an undisturbed run."""
    advset = long_attack[1]
    words = ("replay", bundle.path, advset, "--runtime", "tflite-ref", "--threads", 1)
    done = command(*words, "--out", advset.parent / "replay")
    assert done.returncode == 0, done.stderr
    return words, advset.parent / "replay"


@pytest.mark.slow
@STOPS
def test_a_stopped_replay_goes_on_to_the_same_bytes(command, long_replay, tmp_path, how):
    words, undisturbed = long_replay
    check_stopped_and_resumed(command, words, undisturbed, tmp_path, how)


def test_what_the_user_can_get_wrong(command, bundle, advset, tmp_path):
    out = tmp_path / "out"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep me")
    damaged = tmp_path / "cut.tflite"
    damaged.write_bytes((bundle.path / "int8.tflite").read_bytes()[:5000])
    text = tmp_path / "text.tflite"
    text.write_text("not a model")
    attack = ("attack", bundle.path, "--data", "digits", "--attack", "pgd", "--out", out)
    replay = ("replay", bundle.path, advset.path, "--out", out)
    export = ("export", bundle.path / "float.keras", "--data", "digits", "--out", out)
    cases = (
        ((*attack, "--eps", "-1"), "Invalid value for '--eps': Input should be greater than 0"),
        ((*attack, "--eps", "8"), "write 8/255"),
        ((*attack, "--eps", "x"), "is not a list of budgets"),
        ((*attack, "--eps", "0.1", "--step-size", "-1"), "step size"),
        ((*replay, "--runtime", "tflite-rf"), "did you mean 'tflite-ref'"),
        ((*replay, "--runtime", "tflite", "--runtime", "tflite"), "named twice"),
        ((*export, "--adopt", damaged), "cut.tflite is not a TFLite model"),
        ((*export, "--adopt", text), "text.tflite is not a TFLite model"),
        ((*export, "--adopt", bundle.path / "float.tflite"), "is not an integer network"),
        ((*export, "--input-range", "255"), "is not two numbers with a comma"),
        (
            ("replay", advset.path, bundle.path, "--out", out),
            "holds a qbench bundle; wanted here: advset",
        ),
        ((*replay[:-1], tmp_path / "mine"), "not a qbench folder"),
    )
    for words, said in cases:
        done = command(*words)
        assert done.returncode == 2, (words, done.stderr)
        assert said in " ".join(done.stderr.split()), (words, done.stderr)
        assert "Traceback" not in done.stderr
        assert not out.exists()
    assert (tmp_path / "mine" / "notes.txt").read_text() == "keep me"


def test_a_drop_of_accuracy_fails_the_export_and_leaves_the_bundle(command, trained, tmp_path):
    weak, out = tmp_path / "weak", tmp_path / "out"
    once = ("train", "digits-cnn", "--data", "digits", "--epochs", 1, "--out", tmp_path / "once")
    assert command(*once).returncode == 0
    made = command("export", tmp_path / "once", "--data", "digits", "--max-drop", 1, "--out", weak)
    assert made.returncode == 0, made.stderr
    words = ("export", trained.path, "--data", "digits", "--adopt", weak / "int8.tflite", "--out", out)
    codes = {command(*words, "--max-drop", "0.01").returncode for _ in range(2)}
    assert codes == {1}
    assert (out / "manifest.json").is_file()
    assert command(*words, "--max-drop", "1").returncode == 0
