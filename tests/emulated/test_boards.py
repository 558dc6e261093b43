"""The firmware on emulated boards, against the same kernels built natively."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qbench.boards import BOARDS, Board
from qbench.boards.emulator import QEMU, run_emulated
from qbench.boards.image import COMPILER, build, pack
from qbench.errors import UserError
from qbench.link import TIMEOUTS, Client, connect
from qbench.runtimes.hostlib import HostModel

pytestmark = [
    pytest.mark.emulated,
    pytest.mark.skipif(not shutil.which(QEMU), reason=f"{QEMU} is not installed"),
    pytest.mark.skipif(not shutil.which(COMPILER), reason=f"{COMPILER} is not installed"),
]
DSCNN_INPUT_BYTES = 490
DSCNN_MACS = 2_656_768
SYSTICK_INTERRUPT = (
    16  # instructions, at most: an inference may see one wrap of the counter more than another
)


@pytest.fixture(scope="module")
def dscnn(data_root: Path) -> bytes:
    path = data_root / "mlperf-tiny" / "kws-dscnn" / "int8.tflite"
    if not path.is_file():
        pytest.skip("the keyword-spotting network is not there")
    return path.read_bytes()


@pytest.fixture(scope="module", params=BOARDS.values(), ids=lambda board: board.name)
def device(
    request: pytest.FixtureRequest, dscnn: bytes, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Board, Client]]:
    """A board that runs DS-CNN, and the client of its serial port."""
    board = request.param
    folder = tmp_path_factory.mktemp(board.name)
    image = pack(build(board, folder), dscnn, board, folder / "image.elf")
    with run_emulated(board, image) as port:
        # On a busy machine a PING would be received, and counted, during an inference.
        patient = replace(TIMEOUTS, probe=20.0)
        client = connect(port, model_sha256=hashlib.sha256(dscnn).hexdigest(), timeouts=patient)
        yield board, client
        client.close()


def _inputs(count: int) -> list[bytes]:
    draw = np.random.default_rng(3)
    return [draw.integers(-128, 128, DSCNN_INPUT_BYTES, np.int8).tobytes() for _ in range(count)]


def test_outputs_equal_the_host_build(device: tuple[Board, Client], dscnn: bytes) -> None:
    _, client = device
    inputs = _inputs(4)
    host = HostModel(dscnn)
    for given, answer in zip(inputs, client.infer(inputs), strict=True):
        [expected] = host.run(np.frombuffer(given, np.int8).reshape(1, *host.inputs[0].shape))
        assert answer.output == expected.tobytes()


def test_the_count_repeats(device: tuple[Board, Client]) -> None:
    board, client = device
    [given] = _inputs(1)
    counts = [answer.count for _ in range(3) for answer in client.infer([given])]
    assert max(counts) - min(counts) <= SYSTICK_INTERRUPT
    assert 1 < counts[0] / DSCNN_MACS < 10, board.name


def test_the_device_says_what_it_is(device: tuple[Board, Client]) -> None:
    board, client = device
    assert (client.info.board, client.info.core) == (board.name, board.core)


def test_a_model_that_does_not_fit_flash_is_refused(tmp_path: Path) -> None:
    board = BOARDS["mps3-an547"]
    with pytest.raises(UserError, match="393,217 bytes, and mps3-an547 has 393,200 bytes"):
        pack(tmp_path / "any.elf", bytes(board.memory["MODEL"].bytes + 1), board, tmp_path / "out.elf")
