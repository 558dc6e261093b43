"""Runs over a paced line, and how much of it they used."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from qbench.link import connect

from .affine_device import Device
from .bad_line import Line

BAUD = 115200


def wire_seconds(payload: int) -> float:
    """Of the bare payload: ten bits a byte."""
    return payload * 10 / BAUD


def measure(
    folder: Path, executable: Path, payload: int, compute: float, count: int, *, ring: int
) -> tuple[float, float]:
    """The bare payload's share of the wire time, and the share of the time that the device did not compute.

    Args:
        folder: for the port's link.
        executable: from `compile_host`.
        payload: bytes of an input.
        compute: seconds of an inference.
        count: of inputs.
        ring: bytes of the device's receive ring.
    """
    inputs = np.random.default_rng(1).integers(0, 256, (count, payload), np.uint8)
    device = Device(executable, inputs=payload, delay=compute, ring=ring)
    line = Line(folder / "port", device.path, baud=BAUD)
    client = connect(str(folder / "port"))
    busy, times, start = [], [], time.monotonic()
    try:
        for answer in client.infer(row.tobytes() for row in inputs):
            busy.append(answer.count * 1e-9)
            times.append(time.monotonic())
    finally:
        client.close()
        line.close()
        device.stop()
    return count * wire_seconds(payload) / (times[-1] - start), 1 - sum(busy[1:]) / (times[-1] - times[0])
