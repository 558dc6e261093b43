"""A serial line that can be slow and bad: a pty for the host, joined to a device's pty."""

from __future__ import annotations

import os
import random
import threading
import time
import tty
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TICK = 0.001
_PACED_TICK = 0.004
_READ_LIMIT = 65536
_TO_DEVICE, _TO_HOST = 0, 1
_NOWHERE = -1  # a closed descriptor's number soon belongs to somebody else


@dataclass(frozen=True)
class Faults:
    """What the line does to bytes, by chance.

    Attributes:
        flip: share of bits that are inverted.
        drop, repeat, swap: share of bytes that are lost, doubled, exchanged with the next.
        stall: share of ticks at which the line rests for a tenth of a second.
    """

    flip: float = 0.0
    drop: float = 0.0
    repeat: float = 0.0
    swap: float = 0.0
    stall: float = 0.0

    def damage(self, data: bytes, rng: random.Random) -> bytes:
        """What arrives of bytes that were sent."""
        if not (self.flip or self.drop or self.repeat or self.swap):
            return data
        arrived = bytearray()
        for byte in data:
            for bit in range(8):
                if self.flip and rng.random() < self.flip:
                    byte ^= 1 << bit
            if rng.random() >= self.drop:
                arrived.append(byte)
            if rng.random() < self.repeat:
                arrived.append(byte)
            if len(arrived) > 1 and rng.random() < self.swap:
                arrived[-1], arrived[-2] = arrived[-2], arrived[-1]
        return bytes(arrived)


CLEAN = Faults()


class Line:
    """Joins the host's pty to a device's, in a thread.

    Args:
        link: a symlink to the host's pty, which stays the same when the port vanishes and comes back.
        device: the path of the device's pty.
        baud: paces both directions at a tenth of it in bytes a second; None does not.
        to_device, to_host: faults of either direction.
        seed: of the faults.
    """

    def __init__(
        self,
        link: Path,
        device: str,
        *,
        baud: int | None = None,
        to_device: Faults = CLEAN,
        to_host: Faults = CLEAN,
        seed: int = 0,
    ) -> None:
        self.link, self._baud = link, baud
        self._faults = (to_device, to_host)
        self._rng = random.Random(seed)
        self._moved = 0
        self._hooks: list[tuple[int, Callable[[], None]]] = []
        self.plug(device)
        self.appear()
        self._running = True
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def plug(self, device: str) -> None:
        """Join another device's pty, after a reset."""
        self._device = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

    def unplug(self) -> None:
        """Let go of the device's pty."""
        os.close(self._device)
        self._device = _NOWHERE

    def appear(self) -> None:
        """Let the host's port come up."""
        self._host, self._far = os.openpty()
        tty.setraw(self._far)
        os.set_blocking(self._host, False)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(self._far))

    def vanish(self) -> None:
        """Pull the host's cable."""
        self.link.unlink()
        os.close(self._far)
        os.close(self._host)
        self._host = _NOWHERE

    def spoil(self, to_device: Faults, to_host: Faults) -> None:
        """From now on, do this to the bytes."""
        self._faults = (to_device, to_host)

    def after(self, count: int, event: Callable[[], None]) -> None:
        """Let something happen in the line's thread once that many bytes have gone to the device."""
        self._hooks.append((count, event))

    def close(self) -> None:
        """Stop, and let go of both ends."""
        self._running = False
        self._thread.join()
        self.unplug()
        if self._host != _NOWHERE:
            self.vanish()

    def _run(self) -> None:
        rate = self._baud / 10 if self._baud else 1e9
        budget = [0.0, 0.0]
        last = time.monotonic()
        while self._running:
            time.sleep(_PACED_TICK if self._baud else _TICK)
            now = time.monotonic()
            for way in (_TO_DEVICE, _TO_HOST):
                budget[way] += (now - last) * rate
                limit = int(min(budget[way], _READ_LIMIT))
                moved = self._move(way, limit)
                budget[way] = budget[way] - moved if moved == limit else 0.0  # an idle line saves nothing up
            last = now
            self._fire()

    def _move(self, way: int, limit: int) -> int:
        """Carry up to `limit` bytes; returns how many were taken."""
        source, target = (self._host, self._device) if way == _TO_DEVICE else (self._device, self._host)
        faults = self._faults[way]
        if self._rng.random() < faults.stall:
            time.sleep(0.1)
        try:
            data = os.read(source, limit) if limit else b""
        except OSError:
            return 0
        with suppress(OSError):  # nobody there: the bytes are lost, as on a wire
            os.write(target, faults.damage(data, self._rng))
        if way == _TO_DEVICE:
            self._moved += len(data)
        return len(data)

    def _fire(self) -> None:
        due = [event for count, event in self._hooks if count <= self._moved]
        self._hooks = [(count, event) for count, event in self._hooks if count > self._moved]
        for event in due:
            event()
