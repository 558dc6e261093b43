"""A port whose board restarts when it is opened, as Arduino and ESP boards do."""

from __future__ import annotations

import contextlib
import os
import pty
import random
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path

from .affine_device import Process

_BANNER = b"\xf2\x8e\x00\xff" + random.Random(0).randbytes(90) + b"\r\nboot: power on, flash\r\n"


class Resetting:
    """Noise, a boot loader's text and silence at every opening; then the firmware.

    Args:
        place: where the port appears.
        start: starts the firmware.
        boot: seconds of silence.
    """

    def __init__(self, place: Path, start: Callable[[], Process], boot: float) -> None:
        self.path, self._start, self._boot = str(place), start, boot
        self._host, user = pty.openpty()
        tty.setraw(self._host)
        tty.setraw(user)
        os.set_blocking(self._host, False)
        place.symlink_to(os.ttyname(user))
        os.close(user)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        was_open, boots_until, process, device = False, 0.0, None, -1
        while not self._ends.is_set():
            sent, is_open = _read(self._host)
            if is_open and not was_open:
                if process is not None:
                    os.close(device)
                    process.stop()
                process, boots_until = None, time.monotonic() + self._boot
                os.write(self._host, _BANNER)
            was_open = is_open
            if process is None and is_open and time.monotonic() > boots_until:
                process = self._start()
                device = os.open(process.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
                tty.setraw(device)
            if process is not None:
                if sent:
                    os.write(device, sent)
                back, _ = _read(device)
                if back and is_open:
                    with contextlib.suppress(OSError):
                        os.write(self._host, back)
            time.sleep(0.002)
        if process is not None:
            os.close(device)

    def close(self) -> None:
        """Take the port away."""
        self._ends.set()
        self._thread.join()
        os.close(self._host)


def _read(fd: int) -> tuple[bytes, bool]:
    """What came in, and whether the other side is open."""
    try:
        return os.read(fd, 4096), True
    except BlockingIOError:
        return b"", True
    except OSError:
        return b"", False
