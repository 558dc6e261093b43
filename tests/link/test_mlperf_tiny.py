"""MLPerf Tiny's text commands, against a stand-in for its harness."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from qbench.link import Port
from qbench.link.errors import DeviceFault, DeviceUnstable, NoAnswer
from qbench.link.mlperf_tiny import MlperfTinyClient

from .affine_device import QUICK, affine
from .bad_line import CLEAN, Faults, Line

SIZE = 70


class Harness:
    """Answers as benchmark/api/internally_implemented.cpp does, weaknesses included."""

    def __init__(self) -> None:
        self._heard, self._buffer, self._size, self._clock = "", bytearray(), 0, 0

    def __call__(self, heard: bytes) -> bytes:
        self._heard += heard.decode("ascii", "replace")
        *commands, self._heard = self._heard.split("%")
        return b"".join(self._answer(command[:80]) for command in commands)

    def _answer(self, command: str) -> bytes:
        words = command.split(" ")
        known = {"name": self._name, "profile": self._profile, "infer": self._infer, "results": self._results}
        if words[0] == "db" and len(words) > 1:
            lines = self._db(words[1:])
        else:
            lines = known.get(words[0], lambda: [f"e-[Unknown command: {words[0]}]"])()
        return "".join(f"{line}\r\n" for line in (*lines, "m-ready")).encode()

    def _name(self) -> list[str]:
        return ["m-name-dut-[stand-in]"]

    def _profile(self) -> list[str]:
        return ["m-profile-[ULPMark for tinyML Firmware V0.0.1]", "m-model-[affine]"]

    def _db(self, words: list[str]) -> list[str]:
        if words[0] == "load":
            digits = "".join(c for c in words[-1] if c.isdigit())
            self._size, self._buffer = int(digits or 0), bytearray()
            return [f"m-[Expecting {self._size} bytes]"]
        if words[0] == "print":
            rows = [self._buffer[i : i + 8] for i in range(0, len(self._buffer), 8)]
            return [f"m-buffer-{row.hex('-')}" for row in rows]
        if len(words[0]) % 2:
            return ["e-[Insufficent number of hex digits]"]
        try:
            self._buffer += bytes.fromhex(words[0])
        except ValueError:
            return ["e-[Invalid hex digit]"]
        done = len(self._buffer) >= self._size
        self._buffer = self._buffer[: self._size]
        return ["m-load-done"] if done else []

    def _values(self) -> list[str]:
        x = np.frombuffer(bytes(self._buffer), np.uint8)[None]
        return [f"{value / 256:.3f}" for value in affine(x, 5)[0]]

    def _results(self) -> list[str]:
        return [f"m-results-[{','.join(self._values())}]"]

    def _infer(self) -> list[str]:
        self._clock += 1500
        if len(self._buffer) != SIZE:
            return [f"Input db has {len(self._buffer)} elemented, expected {SIZE}"]
        laps = [f"m-lap-us-{self._clock}", f"m-lap-us-{self._clock + 1234}"]
        opening = ["m-warmup-start-0", "m-warmup-done", "m-infer-start-1"]
        return [*opening, *laps, "m-infer-done", *self._results()]


@pytest.fixture
def board(talker, tmp_path):
    """A client of the stand-in, over a line with faults."""
    lines, clients = [], []

    def connect(to_device: Faults = CLEAN, to_host: Faults = CLEAN, silent: float = 0.3) -> MlperfTinyClient:
        lines.append(Line(tmp_path / "port", talker(Harness()), to_device=to_device, to_host=to_host, seed=3))
        port = Port(str(lines[-1].link), timeouts=replace(QUICK, hello=2, silent=silent))
        clients.append(MlperfTinyClient(port))
        return clients[-1]

    connect.lines = lines
    yield connect
    for one in (*clients, *lines):
        one.close()


def check(client, count):
    inputs = np.random.default_rng(8).integers(0, 256, (count, SIZE), np.uint8)
    answers = list(client.infer(row.tobytes() for row in inputs))
    assert [answer.index for answer in answers] == list(range(count))
    found = np.round(np.array([answer.values for answer in answers]) * 256)
    np.testing.assert_array_equal(found, affine(inputs, 5))
    assert {answer.microseconds for answer in answers} == {1234}


def test_a_board_tells_of_itself_and_infers(board):
    client = board(silent=QUICK.silent)
    assert (client.name, client.model) == ("stand-in", "affine")
    check(client, 5)


@pytest.mark.parametrize(
    "faults", [Faults(drop=5e-4), Faults(repeat=5e-4), Faults(flip=5e-5), Faults(swap=5e-4)], ids=str
)
def test_what_the_line_damages_is_asked_again(board, faults):
    check(board(to_device=faults, to_host=CLEAN), 8)


def test_an_input_of_another_size_is_refused_in_the_boards_words(board):
    with pytest.raises(DeviceFault, match=f"Input db has 10 elemented, expected {SIZE}"):
        list(board(silent=QUICK.silent).infer([bytes(10)]))


def test_a_line_that_damages_every_long_answer_ends_the_run(board):
    client = board()
    # The input read back is 1,900 bits on the line: one copy in 40 comes whole; of answers to `name`, half.
    board.lines[0].spoil(to_device=CLEAN, to_host=Faults(flip=2e-3))
    with pytest.raises(DeviceUnstable, match=r"input 0 was damaged on the way to .* 5 times in a row"):
        list(client.infer([bytes(SIZE)]))


def test_a_line_that_falls_silent_ends_the_run(board):
    client = board()
    assert len(list(client.infer([bytes(SIZE)]))) == 1
    board.lines[0].spoil(to_device=CLEAN, to_host=Faults(drop=1))
    with pytest.raises(NoAnswer):
        list(client.infer([bytes(SIZE)]))


def test_a_board_with_other_firmware_is_named(talker):
    port = Port(talker(lambda heard: b"> " if heard else b""), timeouts=replace(QUICK, hello=0.5))
    with pytest.raises(NoAnswer, match="answers text"):
        MlperfTinyClient(port)
    port.close()
