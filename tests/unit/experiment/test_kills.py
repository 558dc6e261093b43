"""Killed at random, an experiment ends with the bytes of an undisturbed one.

QBENCH_KILLS sets how often; the kills fall at random times of a seeded generator.
"""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from tests.conftest import bytes_of
from tests.unit.experiment.conftest import SMALL

KILLS = int(os.environ.get("QBENCH_KILLS", "3"))
LONGEST = 12.0  # seconds that a run is left alone: more than the longest task takes


@pytest.mark.slow
def test_a_run_that_is_killed_ends_with_the_same_bytes(undisturbed, written, tmp_path):
    whole, _ = undisturbed
    out = tmp_path / "run"
    argv = [
        sys.executable,
        "-m",
        "qbench",
        "run",
        str(written(SMALL)),
        "--out",
        str(out),
        "--jobs",
        "2",
        "--json",
    ]
    rng = random.Random(5)
    kills = 0
    while kills < KILLS:
        process = subprocess.Popen(
            argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        time.sleep(rng.uniform(0.5, LONGEST))
        assert process.poll() in (None, 0)
        if process.returncode == 0:  # finished before its time: begin anew, for more kills
            assert bytes_of(out) == bytes_of(whole)
            out.rename(tmp_path / f"done-{kills}-{time.monotonic_ns()}")
            continue
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert bytes_of(out) == bytes_of(whole)
