"""The line to a device: frames, sessions, and what can go wrong with them (firmware/PROTOCOL.md)."""

from __future__ import annotations

from qbench.link.client import Client, LinkStats
from qbench.link.flight import Answer
from qbench.link.messages import DeviceInfo
from qbench.link.timeouts import TIMEOUTS, Timeouts
from qbench.link.trace import Trace, hex_trace
from qbench.link.transport import DEFAULT_BAUD, Port, present_ports

__all__ = [
    "DEFAULT_BAUD",
    "TIMEOUTS",
    "Answer",
    "Client",
    "DeviceInfo",
    "LinkStats",
    "Port",
    "Timeouts",
    "Trace",
    "connect",
    "hex_trace",
    "present_ports",
]


def connect(
    url: str,
    *,
    baud: int = DEFAULT_BAUD,
    model_sha256: str | None = None,
    timeouts: Timeouts = TIMEOUTS,
    trace: Trace | None = None,
) -> Client:
    """Open a port and greet the device on it; parameters and errors as of `Port` and `Client`."""
    port = Port(url, baud, timeouts=timeouts, trace=trace)
    try:
        return Client(port, model_sha256=model_sha256)
    except BaseException:
        port.close()
        raise
