"""The parts of the firmware that read what strangers wrote, under sanitizers and a mutator."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from qbench.boards.packed_weights import pack_weights
from qbench.link.codec import Frame, FrameType, encode
from qbench.places import firmware_sources
from tests.random_models.cases import GENERATORS, draw
from tests.random_models.coarse import coarse, network

pytestmark = pytest.mark.slow
SECONDS = os.environ.get("QBENCH_FUZZ_SECONDS", "5")


def models() -> list[bytes]:
    """A model of each operator, and packed ones: a network, and each operator that has an int8 constant."""
    whole = [draw(operator, 0).model for operator in GENERATORS]
    packed = [network(bits) for bits in (1, 2, 4)] + [coarse(model, 2) for model in whole]
    twins = [pack_weights(model) for model in packed]
    return whole + [each.content for each in twins if each.constants]


def frames() -> list[bytes]:
    """Each kind that a host sends: as the fuzz target frames it itself, and as bytes on the line."""
    payloads = {FrameType.HELLO: b"\1", FrameType.PING: b"", FrameType.INFER: bytes(range(16))}
    bare = [b"\0" + bytes([kind, 1, 0, 2, 0, 0, 0]) + payload for kind, payload in payloads.items()]
    return bare + [encode(Frame(kind, 1, 2, payload)) * 2 for kind, payload in payloads.items()]


@pytest.mark.parametrize(("target", "seeds"), [("fuzz_model", models), ("fuzz_frame", frames)])
def test_nothing_that_comes_in_does_harm(tmp_path: Path, target: str, seeds) -> None:
    make = ["make", "-s", "-C", str(firmware_sources() / "host"), f"BUILD={tmp_path}", f"{target}_gcc"]
    subprocess.run(make, check=True)
    files = []
    for number, seed in enumerate(seeds()):
        files.append(tmp_path / f"seed-{number}")
        files[-1].write_bytes(seed)
    words = [str(tmp_path / f"{target}_gcc"), SECONDS, "1", *map(str, files)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    print(f"{target}: {done.stdout}")  # noqa: T201 - the figure that `make fuzz` is for
    found = re.fullmatch(r"(\d+) executions, no fault\n", done.stdout)
    assert found
    assert int(found[1]) > 100
