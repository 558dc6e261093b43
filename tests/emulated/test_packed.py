"""Packed models on emulated boards, against the originals on this machine."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from qbench.boards import BOARDS
from qbench.boards.emulator import QEMU, run_emulated
from qbench.boards.image import COMPILER
from qbench.boards.packed_weights import pack_weights
from qbench.link import connect
from qbench.runtimes.hostlib import HostModel
from qbench.runtimes.packing import build_packed
from tests.random_models.coarse import network

pytestmark = [
    pytest.mark.emulated,
    pytest.mark.skipif(not shutil.which(QEMU), reason=f"{QEMU} is not installed"),
    pytest.mark.skipif(not shutil.which(COMPILER), reason=f"{COMPILER} is not installed"),
]


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_the_twin_computes_what_the_original_does(bits: int, tmp_path: Path) -> None:
    model, board = network(bits), BOARDS["stm32f405"]
    twin = pack_weights(model).content
    x = np.random.default_rng(1).integers(-128, 128, (8, 1, 8, 8, 4)).astype(np.int8)
    (wanted,) = HostModel(model).run(x)
    image = build_packed(twin, board, tmp_path / "image.elf").image
    with run_emulated(board, image) as port:
        client = connect(port, model_sha256=hashlib.sha256(twin).hexdigest())
        found = [answer.output for answer in client.infer(each.tobytes() for each in x)]
        assert client.info.model_bytes == len(twin) < len(model)
        client.close()
    assert found == [each.tobytes() for each in wanted]
