"""A hex dump of the line, for those who look for the fault."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal, TextIO

Direction = Literal["->", "<-"]
Trace = Callable[[Direction, bytes], None]

_WIDTH = 16


def hex_trace(stream: TextIO) -> Trace:
    """A trace that writes lines of seconds, direction (-> to the device), offset, hex and ASCII."""
    start = time.monotonic()

    def trace(direction: Direction, data: bytes) -> None:
        seconds = time.monotonic() - start
        for offset in range(0, len(data), _WIDTH):
            part = data[offset : offset + _WIDTH]
            text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
            stream.write(f"{seconds:10.4f} {direction} {offset:04x}  {part.hex(' '):<{3 * _WIDTH}} {text}\n")

    return trace
