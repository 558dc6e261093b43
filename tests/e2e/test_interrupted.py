"""Every stage killed at random, on a full disk, and where nothing can be written.

QBENCH_KILLS sets how often each is killed; the kills fall at random times of a seeded generator.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import bytes_of

KILLS = int(os.environ.get("QBENCH_KILLS", "2"))

STAGES = {
    "train": "train digits-cnn --data digits --epochs 6",
    "export": "export TRAINED --data digits",
    "attack": "attack BUNDLE --data digits --attack pgd --eps 4/255,8/255 --batch 32",
    "replay": "replay BUNDLE ADVSET --runtime tflite-ref --runtime onnx --runtime float",
}


@pytest.fixture(params=STAGES)
def stage(request, trained, bundle, advset):
    """The command of a stage, but for `--out`."""
    folders = {"TRAINED": trained.path, "BUNDLE": bundle.path, "ADVSET": advset.path}
    return [str(folders.get(word, word)) for word in STAGES[request.param].split()]


def begun(stage, out: Path) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "qbench", *stage, "--out", str(out), "--quiet"]
    return subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, start_new_session=True)


def ended(stage, out: Path) -> tuple[int, str]:
    """Exit code and what was said."""
    process = begun(stage, out)
    _, said = process.communicate()
    return process.returncode, said


def mounted(place: Path, options: str):
    """A file system in memory."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a file system needs root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def small_disk(tmp_path):
    yield from mounted(tmp_path / "small", "size=24k")


@pytest.fixture
def fixed_disk(tmp_path):
    yield from mounted(tmp_path / "fixed", "ro")


def test_killed_at_any_time_it_ends_with_the_same_bytes(stage, tmp_path):
    start = time.monotonic()
    assert ended(stage, tmp_path / "whole")[0] == 0
    longest, rng = time.monotonic() - start, random.Random(stage[0])
    out, kills = tmp_path / "out", 0
    while kills < KILLS:
        process = begun(stage, out)
        time.sleep(rng.uniform(0.2 * longest, longest))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            kills += 1
        process.communicate()
        if process.returncode == 0:  # finished before its time: begin anew, for more kills
            assert bytes_of(out) == bytes_of(tmp_path / "whole")
            out.rename(tmp_path / f"done-{time.monotonic_ns()}")
    assert ended(stage, out)[0] == 0
    assert bytes_of(out) == bytes_of(tmp_path / "whole")


def test_a_full_disk_is_told_and_the_command_goes_on(stage, small_disk, tmp_path):
    code, said = ended(stage, small_disk / "out")
    assert code == 3, said
    assert "is full" in said
    assert "same command again" in said
    assert "Traceback" not in said
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    assert ended(stage, small_disk / "out")[0] == 0
    assert ended(stage, tmp_path / "whole")[0] == 0
    assert bytes_of(small_disk / "out") == bytes_of(tmp_path / "whole")


def test_where_nothing_can_be_written_it_is_told(stage, fixed_disk):
    code, said = ended(stage, fixed_disk / "out")
    assert code == 2, said
    assert "cannot write in" in said
    assert "--out" in said
    assert list(fixed_disk.iterdir()) == []
