"""The clocks of a run: when to ask whether something was lost, and when to give up."""

from __future__ import annotations

import time

from qbench.link import errors
from qbench.link.timeouts import Timeouts


class Deadlines:
    """Deadlines of a run with a device that may be slow, stop receiving or stop responding.

    Args:
        url: for the errors.
        timeouts: `probe`, `silent` and `progress` are used.
    """

    def __init__(self, url: str, timeouts: Timeouts) -> None:
        self._url, self._timeouts = url, timeouts
        self.restart()

    def restart(self) -> None:
        """An answer came, or a session began: all clocks start anew."""
        self._answered = time.monotonic()
        self.note_frame()

    def note_frame(self) -> None:
        """A frame came."""
        self._heard = time.monotonic()
        self._interval = self._timeouts.probe
        self._due = self._heard + self._interval

    def time_until_probe(self) -> float:
        """Seconds to wait for a frame before `probe_due`."""
        return max(0.0, self._due - time.monotonic())

    def probe_due(self) -> bool:
        """Whether it is time for a PING; doubles the time until the next.

        Raises:
            NoAnswer: the device has been silent for too long.
            DeviceUnstable: it is not silent, but no input has got through for too long.
        """
        now = time.monotonic()
        if now - self._heard > self._timeouts.silent:
            raise errors.device_silent(self._url, self._timeouts.silent)
        if now - self._answered > self._timeouts.progress:
            raise errors.no_progress(self._url, self._timeouts.progress)
        if now < self._due:
            return False
        self._interval *= 2
        self._due = now + self._interval
        return True
