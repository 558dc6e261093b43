"""A board in QEMU, its UART on a pseudo-terminal."""

from __future__ import annotations

import os
import re
import select
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from qbench.boards import Board
from qbench.errors import InternalFault
from qbench.places import require_programs

QEMU = "qemu-system-arm"
_START_SECONDS = 10.0  # QEMU names its terminal within a second; a busy machine needs longer
_TERMINAL = re.compile(rb"char device redirected to (\S+)")


@contextmanager
def run_emulated(board: Board, elf: Path, more: Sequence[str] = ()) -> Iterator[str]:
    """Run a firmware image on the emulated board.

    An instruction takes 64 ns of the board's time (`-icount shift=6`), so counts repeat exactly; `sleep=off`
    keeps the emulator from waiting for the clock on the wall, which starves its UART.

    Args:
        board: which.
        elf: the image, with a model (`qbench.boards.image.pack`).
        more: arguments of QEMU, such as those of a monitor that reads the board's memory.

    Yields:
        The path of the serial port, for `qbench.link.connect`.

    Raises:
        EnvironmentLacks: QEMU is not installed.
        InternalFault: QEMU ended, or opened no terminal; with its own words.
    """
    require_programs(f"the emulated {board.name}", {QEMU: "qemu-system-arm"})
    command = [QEMU, "-M", board.machine, "-kernel", str(elf), "-icount", "shift=6,sleep=off"]
    command += ["-display", "none", "-monitor", "none", "-serial", "pty", *more]
    process = subprocess.Popen(  # noqa: S603 - QEMU, with arguments of ours
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    far_end = -1
    try:
        path = _terminal(process)
        far_end = os.open(path, os.O_RDWR | os.O_NOCTTY)  # else QEMU drops bytes while no client is there
        yield path
    finally:
        if far_end >= 0:
            os.close(far_end)
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def _terminal(process: subprocess.Popen[bytes]) -> str:
    """The path of the terminal that QEMU says it has opened."""
    if process.stdout is None:
        raise InternalFault(f"{QEMU} was started without a pipe")
    said = b""
    deadline = time.monotonic() + _START_SECONDS
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([process.stdout], [], [], left)[0]:
            break
        got = os.read(process.stdout.fileno(), 4096)
        said += got
        if found := _TERMINAL.search(said):
            return found[1].decode()
        if not got:
            break
    raise InternalFault(f"{QEMU} opened no serial port", cause=said.decode(errors="replace").strip() or None)
