"""Ports that cannot be opened, things that are no device, and lines through the network."""

from __future__ import annotations

import errno
import random
import socket
import threading
from dataclasses import replace

import numpy as np
import pytest
import serial
from serial.rfc2217 import PortManager

from qbench.errors import QbenchError
from qbench.link import connect
from qbench.link.codec import Decoder, Frame, FrameType, encode
from qbench.link.errors import DeviceFault, LinkError, NoAnswer, port_error

from .affine_device import INPUTS, QUICK, affine

HASTY = replace(QUICK, hello=0.5)


def refused(url, **settings) -> QbenchError:
    with pytest.raises(LinkError) as caught:
        connect(url, timeouts=HASTY, **settings)
    return caught.value


def test_silence_is_told_as_such(talker):
    error = refused(talker(lambda _: b""))
    assert isinstance(error, NoAnswer)
    assert "nothing answers" in error.what
    assert "reset" in str(error.hint)


def test_other_firmware_is_quoted(talker):
    error = refused(talker(lambda heard: b"Hello from Zephyr 3.7\r\n" if heard else b""))
    assert "'Hello from Zephyr 3.7'" in error.what
    assert error.cause == "it runs other firmware"


def test_the_mlperf_harness_is_recognised(talker):
    error = refused(talker(lambda heard: b"e-[Unknown command]\r\nm-ready\r\n" if heard else b""))
    assert error.cause == "it runs MLPerf Tiny's harness"


def test_the_wrong_baud_rate_is_suspected(talker):
    noise = random.Random(5)
    error = refused(talker(lambda heard: noise.randbytes(len(heard))), baud=9600)
    assert "the baud rate is not 9600" in str(error.cause)
    assert "--baud" in str(error.hint)


def test_a_device_that_hears_only_noise_says_so(talker):
    complaint = encode(Frame(FrameType.ERROR, 0, 0, bytes(4) + b"\1\7damaged"))
    error = refused(talker(lambda heard: complaint if heard else b""))
    assert "receives only damaged frames" in error.what


def test_an_echo_is_no_device(talker):
    assert isinstance(refused(talker(lambda heard: heard)), NoAnswer)


@pytest.mark.parametrize(
    ("kind", "payload", "message"),
    [
        (FrameType.INFO, b"\2" + bytes(60), "protocol version 2, this qbench 1"),
        (FrameType.INFO, b"\1" + bytes(3), "ends early"),
        (FrameType.ERROR, bytes(4) + b"\3\5older", "refuses to talk: older"),
    ],
)
def test_firmware_of_another_version_is_named(talker, kind, payload, message):
    decoder = Decoder()

    def answer(heard):
        hellos = [frame for frame in decoder.feed(heard) if frame.kind == FrameType.HELLO]
        return b"".join(encode(Frame(kind, f.session, f.sequence, payload)) for f in hellos)

    error = refused(talker(answer))
    assert isinstance(error, DeviceFault)
    assert message in error.what
    assert error.hint is not None
    assert "flash" in error.hint


def test_a_busy_port_is_told_as_such(start, greet):
    device = start()
    greet(device.path)
    error = refused(device.path)
    assert "in use" in error.what
    assert "fuser" in str(error.hint)


def test_a_port_is_free_again_after_a_failed_greeting(start, greet):
    device = start()
    with pytest.raises(QbenchError):
        connect(device.path, model_sha256="00" * 32, timeouts=QUICK)
    assert greet(device.path).info.board == "host"


def test_a_missing_port_is_told_as_such():
    error = refused("/dev/ttyNONE7")
    assert error.what == "there is no port /dev/ttyNONE7"
    assert "port" in str(error.hint)


def test_a_file_is_no_port(tmp_path):
    (tmp_path / "file").write_text("not a terminal")
    assert "cannot be opened" in refused(str(tmp_path / "file")).what


@pytest.mark.parametrize("url", ["nonsense://host:1", "socket://nowhere"])
def test_a_nonsensical_url_is_told_as_such(url):
    assert url in refused(url).what


def test_a_server_that_is_not_there_is_told_as_such():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        error = refused(f"socket://127.0.0.1:{bound.getsockname()[1]}")
    assert "nothing listens" in error.what


def test_missing_permission_names_the_remedy():
    error = port_error("/dev/ttyACM0", OSError(errno.EACCES, "Permission denied"), [])
    assert "dialout" in str(error.hint)
    assert "udev" in str(error.hint)


class Pty(serial.Serial):
    """A pty as a serial port; it has no modem lines."""

    cts = dsr = ri = cd = False

    def _update_dtr_state(self) -> None: ...

    def _update_rts_state(self) -> None: ...


class Server:
    """A board on another machine: a pty behind a TCP port, plain or with RFC 2217's negotiation."""

    def __init__(self, device: str, negotiate: bool) -> None:
        self._serial = Pty(device, timeout=0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "{}:{}".format(*self._listener.getsockname())
        self._negotiate = negotiate
        self._running = True
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Send to the client; the port manager calls this too."""
        self._peer.sendall(data)

    def _serve(self) -> None:
        self._peer, _ = self._listener.accept()
        self._peer.settimeout(0.005)
        manager = PortManager(self._serial, self) if self._negotiate else None
        while self._running:
            try:
                data = self._peer.recv(1024)
            except TimeoutError:
                data = b""
            except OSError:
                break
            if data:
                self._serial.write(b"".join(manager.filter(data)) if manager else data)
            if back := self._serial.read(self._serial.in_waiting):
                self.write(b"".join(manager.escape(back)) if manager else back)

    def close(self) -> None:
        self._running = False
        self._thread.join()
        for one in (self._peer, self._listener, self._serial):
            one.close()


@pytest.fixture
def serve(start):
    """Puts a device behind a TCP port."""
    servers = []

    def server(negotiate: bool) -> Server:
        servers.append(Server(start().path, negotiate))
        return servers[-1]

    yield server
    for one in servers:
        one.close()


@pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")  # pyserial's RFC 2217 thread
@pytest.mark.parametrize("scheme", ["socket", "rfc2217"])
def test_a_board_on_another_machine(serve, greet, scheme):
    server = serve(negotiate=scheme == "rfc2217")
    inputs = np.random.default_rng(4).integers(0, 256, (40, INPUTS), np.uint8)
    client = greet(f"{scheme}://{server.address}")
    outputs = [answer.output for answer in client.infer(row.tobytes() for row in inputs)]
    assert outputs == [row.tobytes() for row in affine(inputs, 5)]
    assert client.stats.repeats == 0
