"""How well the link fills a 115,200 baud line, and how little it lets the device wait.

    python benchmarks/link.py

A pty paced to the line's rate joins the client to the firmware's session in a process, whose inference is a
pause of known length. Where the wire is the bottleneck the figure is the wire time of the bare payload over
the time that the run took (floor: 0.95); where computing is, it is the share of the time between the first
answer and the last in which the device did not compute (ceiling: 0.03).
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from link.affine_device import PLAIN, compile_host
from link.throughput import BAUD, measure, wire_seconds

SECONDS = 8.0
RING = 8192
NETWORKS = {"ResNet-8": 3072, "DS-CNN": 490, "digits": 64}


def main() -> None:
    """Print both figures for inputs of several sizes."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        executable = compile_host(folder / "qbench-host", *PLAIN)
        print(f"{BAUD} baud, a receive ring of {RING} bytes")
        print(f"{'input':10} {'bytes':>6} {'compute':>10} {'payload/wire':>13} {'device idle':>12}")
        for name, payload in NETWORKS.items():
            wire = wire_seconds(payload)
            for compute in (0.1 * wire, 1.5 * wire):
                efficiency, idle = measure(
                    folder, executable, payload, compute, round(SECONDS / max(wire, compute)), ring=RING
                )
                shown = f"{efficiency:13.3f}" if compute < wire else f"{'':13} {idle:12.4f}"
                print(f"{name:10} {payload:6} {1e3 * compute:7.1f} ms {shown}")


if __name__ == "__main__":
    main()
