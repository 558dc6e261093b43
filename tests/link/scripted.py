"""A peer that speaks the protocol and may lie: behind a socket, as a serial server's port is."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable

from qbench.link.codec import Decoder, Frame, FrameType, encode

Reply = Callable[[Frame], list[Frame]]


def info(
    *,
    boot: int = 7,
    window: int = 4,
    sha256: bytes = b"\5" * 32,
    texts: tuple[bytes, ...] = (b"qbench 0.1", b"scripted", b"core", b"portable", b""),
) -> bytes:
    """The payload of an INFO: eight uint8 codes in, four out."""
    head = struct.pack("<BIHBI32sIII", 1, boot, window, 0, 0, sha256, 10, 20, 30)
    tensors = b"".join(struct.pack("<BBIIfi", 3, 2, 1, size, 0.5, 0) for size in (8, 4))
    return head + tensors + b"".join(bytes([len(text)]) + text for text in texts)


def result(boot: int, output: bytes, count: int = 1) -> bytes:
    """The payload of a RESULT."""
    return struct.pack("<IQ", boot, count) + output


class Peer:
    """Answers frames as a function says, and chatters in between if told."""

    def __init__(self, reply: Reply, chatter: bytes = b"", every: float = 0.05) -> None:
        self._reply, self._chatter, self._every = reply, chatter, every
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"socket://127.0.0.1:{self._server.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            line, _ = self._server.accept()
            with line:
                line.settimeout(self._every)
                self._talk(line)

    def _talk(self, line: socket.socket) -> None:
        decoder = Decoder()
        while True:
            try:
                data = line.recv(4096)
            except TimeoutError:
                line.sendall(self._chatter)
                continue
            if not data:
                return
            for frame in decoder.feed(data):
                for answer in self._reply(frame):
                    line.sendall(encode(answer))

    def close(self) -> None:
        """Wait for the other side to hang up, and hang up."""
        self._thread.join(10)
        self._server.close()


def answering(frame: Frame, kind: FrameType, payload: bytes) -> list[Frame]:
    """One answer to a frame."""
    return [Frame(kind, frame.session, frame.sequence, payload)]
