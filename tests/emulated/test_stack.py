"""The stack that an emulated board takes, read from its memory, against the bound that a build prints."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import subprocess
from pathlib import Path

import numpy as np
import pytest

from qbench.artifacts import Artifact, BundleContent
from qbench.boards import BOARDS
from qbench.boards.emulator import QEMU, run_emulated
from qbench.boards.image import COMPILER, build, footprint, pack
from qbench.boards.stack import RESERVED
from qbench.link import connect

pytestmark = [
    pytest.mark.emulated,
    pytest.mark.skipif(not shutil.which(QEMU), reason=f"{QEMU} is not installed"),
    pytest.mark.skipif(not shutil.which(COMPILER), reason=f"{COMPILER} is not installed"),
]


def read_memory(monitor: Path, start: int, size: int, out: Path) -> bytes:
    """Bytes of the board's memory, through QEMU's monitor."""
    save = {"execute": "pmemsave", "arguments": {"val": start, "size": size, "filename": str(out)}}
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(10)
        line.connect(str(monitor))
        with line.makefile("rw") as stream:
            for command in ({"execute": "qmp_capabilities"}, save):
                stream.write(json.dumps(command) + "\n")
                stream.flush()
                while "return" not in (answer := json.loads(stream.readline())):
                    assert "error" not in answer, answer
    return out.read_bytes()


def test_a_board_takes_no_more_stack_than_the_bound(bundle: Artifact[BundleContent], tmp_path: Path) -> None:
    board = BOARDS["stm32f405"]
    elf = build(board, tmp_path)
    model = (bundle.path / "int8.tflite").read_bytes()
    image = pack(elf, model, board, tmp_path / "image.elf")
    listing = subprocess.run(["arm-none-eabi-nm", elf], capture_output=True, text=True, check=True).stdout
    top = int(next(line.split()[0] for line in listing.splitlines() if line.endswith(" stack_top")), 16)
    monitor = tmp_path / "monitor"
    more = ["-chardev", f"socket,id=m,path={monitor},server=on,wait=off", "-mon", "chardev=m,mode=control"]
    with run_emulated(board, image, more) as port:
        client = connect(port, model_sha256=hashlib.sha256(model).hexdigest())
        draw = np.random.default_rng(5)
        size = int(np.prod(bundle.content.artifacts["int8.tflite"].input.shape))
        inputs = [draw.integers(-128, 128, size, np.int8).tobytes() for _ in range(8)]
        assert len(list(client.infer(inputs))) == len(inputs)
        stack = read_memory(monitor, top - RESERVED, RESERVED, tmp_path / "stack")
        client.close()
    # QEMU's memory is zero at first.
    taken = RESERVED - next(i for i, byte in enumerate(stack) if byte)
    assert 400 < taken <= footprint(elf, board).stack
