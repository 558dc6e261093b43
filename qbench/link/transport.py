"""The port: whatever pyserial can open, with failures told in the user's terms."""

from __future__ import annotations

import time

import serial
from serial.tools import list_ports

from qbench.link.errors import LinkError, port_error, port_lost
from qbench.link.timeouts import TIMEOUTS, Timeouts
from qbench.link.trace import Trace

DEFAULT_BAUD = 115200

# pyserial sets a read's timeout by configuring the port again, so reads poll at one fixed rate.
_POLL_SECONDS = 0.02
_READ_LIMIT = 4096


def present_ports() -> list[str]:
    """Serial ports of this machine."""
    return sorted(port.device for port in list_ports.comports())


class Port:
    """An open line to a device.

    Args:
        url: a serial port or pty (`/dev/ttyACM0`, `COM3`), `socket://HOST:PORT` or `rfc2217://HOST:PORT`.
        baud: of the line; a pty and a socket take any.
        timeouts: how long to wait for what.
        trace: is shown every byte, as it goes out or comes in.

    Attributes:
        chunk: bytes that take a fiftieth of a second; written at once, so that answers are read in between.

    Raises:
        LinkError: the port cannot be opened: missing, busy, forbidden, refused.
    """

    def __init__(
        self,
        url: str,
        baud: int = DEFAULT_BAUD,
        *,
        timeouts: Timeouts = TIMEOUTS,
        trace: Trace | None = None,
    ) -> None:
        self.url, self.baud, self.timeouts = url, baud, timeouts
        self.chunk = max(64, baud // 500)
        self._trace = trace
        self._serial = self._open()

    def _open(self) -> serial.Serial:
        negotiated = self.url.startswith("rfc2217:")  # there pyserial has no write timeout; TCP has its own
        try:
            return serial.serial_for_url(
                self.url,
                self.baud,
                timeout=_POLL_SECONDS,
                write_timeout=None if negotiated else self.timeouts.write,
                exclusive=True,
            )
        except (OSError, ValueError) as error:
            raise port_error(self.url, error, present_ports()) from error

    def write(self, data: bytes) -> None:
        """Hand bytes to the system; waits while it has no room.

        Raises:
            PortLost: the port is gone, or took no byte for `timeouts.write`.
        """
        try:
            self._serial.write(data)
        except OSError as error:
            raise port_lost(self.url, error) from error
        if self._trace:
            self._trace("->", data)

    def read(self, timeout: float) -> bytes:
        """The bytes that have come in; waits for the first, b"" if none came within `timeout` seconds.

        Raises:
            PortLost: the port is gone.
        """
        deadline = time.monotonic() + timeout
        data = b""
        try:
            while len(data) < _READ_LIMIT:
                if waiting := self._serial.in_waiting:
                    data += self._serial.read(min(waiting, _READ_LIMIT))
                elif data or time.monotonic() >= deadline:
                    break
                else:
                    data = self._serial.read(1)
        except OSError as error:
            raise port_lost(self.url, error) from error
        if data and self._trace:
            self._trace("<-", data)
        return data

    def reopen(self) -> None:
        """Close the port and open it again, waiting for it to come back.

        Raises:
            PortLost: it did not within `timeouts.port_return`.
        """
        self.close()
        deadline = time.monotonic() + self.timeouts.port_return
        while True:
            try:
                self._serial = self._open()
                return
            except LinkError as error:
                if time.monotonic() >= deadline:
                    raise port_lost(self.url, error) from error
            time.sleep(self.timeouts.port_poll)

    def close(self) -> None:
        """Close the port."""
        self._serial.close()
