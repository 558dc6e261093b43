"""Frames as bytes: COBS, a header, a payload, CRC-32. The contract is firmware/PROTOCOL.md."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum

from cobs import cobs

DELIMITER = b"\0"
MAX_PAYLOAD = 0xFFFFFF

_HEADER = struct.Struct("<IHI")
_CRC = struct.Struct("<I")
OVERHEAD = _HEADER.size + _CRC.size


class FrameType(IntEnum):
    """What a frame is; the host's commands lie below 0x80, the device's answers from there on."""

    HELLO = 0x01
    PING = 0x02
    INFER = 0x03
    ERROR = 0x80
    INFO = 0x81
    PONG = 0x82
    RESULT = 0x83


@dataclass(frozen=True)
class Frame:
    """One frame.

    Attributes:
        kind: a `FrameType`, or a number that this version does not know.
        session: the host's number for the time since its HELLO; 0 is none.
        sequence: the host's number for one transmission; an answer repeats it.
        payload: at most `MAX_PAYLOAD` bytes.
    """

    kind: int
    session: int
    sequence: int
    payload: bytes = b""


def encode(frame: Frame) -> bytes:
    """A frame as it goes on the wire, delimiter included."""
    if len(frame.payload) > MAX_PAYLOAD:
        raise ValueError(f"a payload of {len(frame.payload)} bytes; at most {MAX_PAYLOAD} fit a frame")
    body = _HEADER.pack(frame.kind | len(frame.payload) << 8, frame.session, frame.sequence) + frame.payload
    return bytes(cobs.encode(body + _CRC.pack(zlib.crc32(body)))) + DELIMITER


def wire_bytes(payload: int) -> int:
    """Bytes on the wire, at most, of a frame with a payload of that many bytes."""
    decoded = payload + OVERHEAD
    return decoded + decoded // 254 + 2


def decode(stuffed: bytes) -> Frame | None:
    """The frame between two delimiters; None if it is damaged."""
    try:
        body = cobs.decode(stuffed)
    except cobs.DecodeError:
        return None
    if len(body) < OVERHEAD:
        return None
    covered, (crc,) = body[: -_CRC.size], _CRC.unpack(body[-_CRC.size :])
    head, session, sequence = _HEADER.unpack_from(body)
    if head >> 8 != len(body) - OVERHEAD or zlib.crc32(covered) != crc:
        return None
    return Frame(head & 0xFF, session, sequence, covered[_HEADER.size :])


class Decoder:
    """Cuts a stream of bytes into frames; damaged ones are counted and dropped.

    Args:
        limit: bytes without a delimiter after which a frame is given up, so that noise takes no memory.

    Attributes:
        damaged: frames dropped so far.
    """

    def __init__(self, limit: int = 1 << 20) -> None:
        self.damaged = 0
        self._limit = limit
        self._partial = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that these bytes complete."""
        *ends, rest = data.split(DELIMITER)
        found = [frame for end in ends if (frame := self._finish(end)) is not None]
        self._keep(rest)
        return found

    def _keep(self, part: bytes) -> None:
        """Hold a part of a frame, unless it has grown beyond all frames."""
        if len(self._partial) + len(part) > self._limit:
            self._skipping = True
            self._partial.clear()
        if not self._skipping:
            self._partial += part

    def _finish(self, end: bytes) -> Frame | None:
        """The frame that ends here; None if it is damaged, or nothing stood between two delimiters."""
        self._keep(end)
        stuffed, skipped = bytes(self._partial), self._skipping
        self._partial.clear()
        self._skipping = False
        frame = None if skipped else decode(stuffed)
        if frame is None and (stuffed or skipped):
            self.damaged += 1
        return frame
