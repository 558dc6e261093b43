"""The C side by itself: its own test program, plain and under the sanitizers."""

from __future__ import annotations

import hashlib
import subprocess

import pytest

from . import affine_device as firmware


# What frames carry: type, session 1, sequence 2, payload.
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
