"""The firmware as a process, with the affine model in place of a network."""

from __future__ import annotations

import os
import signal
import subprocess
import weakref
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qbench.link import Timeouts

FIRMWARE = Path(__file__).parents[2] / "firmware"
OUTPUTS = 10
INPUTS = 64

# As the real ones, in proportion to a device that answers in a millisecond.
QUICK = Timeouts(
    hello=5, hello_retry=0.1, probe=0.05, silent=3, progress=20, write=2, port_return=3, port_poll=0.02
)

_STRICT = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-g")
SANITIZED = ("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
PLAIN = ("-O2",)

_LINK = ("link/frame.c", "link/session.c", "tests/affine_model.c")
_HOST = (*_LINK, "host/pty_main.c", "kernels/portable/kernel_set.c", "tests/affine_host_model.c")
_TEST = (*_LINK, "link/sha256.c", "tests/test_link.c")


def compile_host(out: Path, *flags: str) -> Path:
    """The executable on a pty."""
    return _compile(out, _HOST, (*flags, "-pthread"))


def compile_test(out: Path, *flags: str) -> Path:
    """The test of the C side."""
    return _compile(out, _TEST, flags)


def _compile(out: Path, sources: tuple[str, ...], flags: tuple[str, ...]) -> Path:
    paths = [str(FIRMWARE / source) for source in sources]
    done = subprocess.run(["cc", *_STRICT, *flags, *paths, "-o", str(out)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out


def affine(inputs: NDArray[np.uint8], multiplier: int) -> NDArray[np.uint8]:
    """What the affine model answers: [n, inputs] to [n, OUTPUTS]."""
    i = np.arange(inputs.shape[1], dtype=np.int64)
    j = np.arange(1, OUTPUTS + 1, dtype=np.int64)
    weights = np.outer(i + 1, j) * multiplier + i[:, None]
    return ((inputs.astype(np.int64) @ weights) & 0xFF).astype(np.uint8)


class Process:
    """A firmware executable; `path` is its port."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.path = self._process.stdout.readline().strip()
        assert self.path.startswith("/dev/"), "the device did not start"
        # While one end is open, no other process gets a terminal of this name, even if this one dies.
        held = os.open(self.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        weakref.finalize(self, os.close, held)

    def hang(self) -> None:
        """Stop computing without a word."""
        self._process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        """Cut the power."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


class Device:
    """The affine model on a process that can be reset like a board.

    Args:
        executable: from `compile_host`.
        inputs: bytes of an input.
        multiplier: of the affine model; its hash is this in every byte.
        delay: seconds that an inference takes.
        ring: bytes of its receive ring.
    """

    def __init__(
        self, executable: Path, *, inputs: int, multiplier: int = 5, delay: float = 0.0, ring: int = 32768
    ) -> None:
        self._executable, self._inputs, self.ring = str(executable), str(inputs), ring
        self._delay = str(round(delay * 1e6))
        self.multiplier = multiplier
        self.start()

    def start(self) -> None:
        """Boot."""
        command = [
            self._executable,
            "--ring",
            str(self.ring),
            self._inputs,
            str(self.multiplier),
            self._delay,
        ]
        self._process = Process(command)

    def hang(self) -> None:
        """Stop computing without a word."""
        self._process.hang()

    def stop(self) -> None:
        """Cut the power."""
        self._process.stop()

    @property
    def path(self) -> str:
        """Its port, since the last boot."""
        return self._process.path

    @property
    def model_sha256(self) -> str:
        """Of the model that it runs."""
        return f"{self.multiplier & 0xFF:02x}" * 32
