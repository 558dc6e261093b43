"""Peers that lie: names, windows, answers of another boot, a board that never stops talking."""

from __future__ import annotations

import struct
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from qbench.errors import InternalFault
from qbench.link import Port, connect
from qbench.link.client import MAX_WINDOW
from qbench.link.codec import FrameType
from qbench.link.errors import DeviceUnstable, NoAnswer
from qbench.link.mlperf_tiny import MlperfTinyClient
from qbench.runtimes.device import _tell_apart
from qbench.text import file_name

from .affine_device import QUICK
from .scripted import Peer, answering, info, result

INPUTS = [bytes([i % 256] * 8) for i in range(3000)]


@pytest.fixture
def peer():
    """Starts scripted peers, and hangs up."""
    started = []

    def start(reply, **options):
        started.append(Peer(reply, **options))
        return started[-1].url

    yield start
    for each in started:
        each.close()


def test_an_answer_of_another_boot_is_not_believed(peer):
    """The device restarted behind its INFO: what it answers may be of any state."""

    def reply(frame):
        if frame.kind == FrameType.HELLO:
            return answering(frame, FrameType.INFO, info(boot=7))
        if frame.kind == FrameType.INFER:
            return answering(frame, FrameType.RESULT, result(8, b"lies"))
        return []

    client = connect(peer(reply), timeouts=QUICK)
    with pytest.raises(DeviceUnstable, match="restarted"):
        list(client.infer(INPUTS[:3]))
    assert client.stats.answers == 0
    client.close()


def test_a_sign_of_life_of_another_boot_is_a_restart(peer):
    """Inputs sent before the restart have no answer to come: without this, the client would wait for them."""

    def reply(frame):
        if frame.kind == FrameType.HELLO:
            return answering(frame, FrameType.INFO, info(boot=7))
        return answering(frame, FrameType.PONG, struct.pack("<I", 8)) if frame.kind == FrameType.PING else []

    client = connect(peer(reply), timeouts=QUICK)
    with pytest.raises(DeviceUnstable, match="restarted"):
        list(client.infer(INPUTS[:3]))
    client.close()


def test_an_answer_of_another_length_is_refused(peer):
    def reply(frame):
        if frame.kind == FrameType.HELLO:
            return answering(frame, FrameType.INFO, info())
        return (
            answering(frame, FrameType.RESULT, result(7, b"five!")) if frame.kind == FrameType.INFER else []
        )

    client = connect(peer(reply), timeouts=QUICK)
    with pytest.raises(InternalFault, match="answered 5 bytes; its output tensor has 4"):
        list(client.infer(INPUTS[:1]))
    client.close()


def test_a_huge_window_and_silence_end_in_time(peer):
    def reply(frame):
        return answering(frame, FrameType.INFO, info(window=65_535)) if frame.kind == FrameType.HELLO else []

    client = connect(peer(reply), timeouts=QUICK)
    assert client.info.window == 65_535
    start = time.monotonic()
    with pytest.raises(NoAnswer, match="silent"):
        list(client.infer(INPUTS))
    assert client.stats.inputs <= MAX_WINDOW
    assert time.monotonic() - start < 20 * QUICK.silent
    client.close()


def test_what_a_device_says_of_itself_is_plain_text(peer):
    texts = (b"v1\0\x1b[31m", b"x/../../y\n::error::", b"c\xff", b"[bold]k[/]", b"")

    def reply(frame):
        return answering(frame, FrameType.INFO, info(texts=texts)) if frame.kind == FrameType.HELLO else []

    client = connect(peer(reply), timeouts=QUICK)
    found = client.info
    assert (found.firmware, found.board) == ("v1\ufffd\ufffd[31m", "x/../../y ::error::")
    assert all(each.isprintable() for each in (found.firmware, found.board, found.core, found.kernels))
    client.close()


def test_each_board_gets_a_folder_of_its_own_inside_the_replay():
    boards = ["a:b", "a-b", "a-b", "A-B", "a-b-2", "x/../../y", "..", "", "é", "è"]
    opened = [SimpleNamespace(name=f"device:{board}") for board in boards]
    _tell_apart(opened)
    folders = [file_name(each.name).lower() for each in opened]
    assert len(set(folders)) == len(boards)
    root = Path("/out/replay")
    assert all((root / folder).resolve().parent == root for folder in folders)
    assert [each.name for each in opened[:4]] == [
        "device:a:b",
        "device:a-b-2",
        "device:a-b-3",
        "device:A-B-4",
    ]


def test_a_board_that_never_stops_talking_is_given_up(peer):
    quick = replace(QUICK, hello=1.0)
    port = Port(peer(lambda _: [], chatter=b"tick\r\n", every=0.02), 115_200, timeouts=quick)
    start = time.monotonic()
    with pytest.raises(NoAnswer):
        MlperfTinyClient(port)
    assert time.monotonic() - start < 10
    port.close()
