"""The C side by itself: its own test program, plain and under the sanitizers."""

from __future__ import annotations

import hashlib
import subprocess

import pytest

from qbench.link.codec import Frame, Kind, encode

from . import affine_device as firmware

# What frames carry: type, session 1, sequence 2, payload.
SEEDS = [
    bytes([kind, 1, 0, 2, 0, 0, 0]) + payload
    for kind, payload in ((Kind.HELLO, b"\1"), (Kind.PING, b""), (Kind.INFER, bytes(range(16))))
]


@pytest.mark.parametrize("flags", [firmware.PLAIN, firmware.SANITIZED], ids=["plain", "sanitized"])
def test_the_device_side(tmp_path, flags):
    program = firmware.compile_test(tmp_path / "test_link", *flags)
    digests = tmp_path / "digests"
    lines = (f"{n} {hashlib.sha256(bytes([n] * n)).hexdigest()}" for n in range(200))
    digests.write_text("\n".join(lines) + "\n")
    done = subprocess.run(
        [program, firmware.FIRMWARE / "PROTOCOL.md", digests], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) >= 30


def test_no_bytes_upset_the_session(tmp_path):
    """The fuzz target, briefly; an hour of it is for releases."""
    make = ["make", "-s", "-C", str(firmware.FIRMWARE / "host"), f"BUILD={tmp_path}"]
    subprocess.run([*make, "fuzz_frame_gcc"], check=True)
    seeds = []
    for number, frame in enumerate(SEEDS):
        for framed in (b"\0" + frame, encode(Frame(frame[0], 1, 2, frame[7:])) * 2):
            seeds.append(tmp_path / f"seed-{number}-{len(framed)}")
            seeds[-1].write_bytes(framed)
    done = subprocess.run([tmp_path / "fuzz_frame_gcc", "50000", "1", *seeds], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "50000 executions" in done.stdout
