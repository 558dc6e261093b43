"""Instructions that the firmware's kernels take for a multiply-accumulate, beside Arm's CMSIS-NN.

    python benchmarks/instructions.py

Each network runs on each emulated board, one input at a time, so that no byte comes in while it computes.
Printed is the median of the counts over the network's multiply-accumulates. The figures of CMSIS-NN are the
sum of its layer calls (commit 99f736a, gcc 12.2 -O3, QEMU 7.2, instructions counted exactly; on Cortex-M55 it
uses Helium, which these kernels do not).

Run it with QBENCH_DATA naming a folder that holds mlperf-tiny/ic-resnet8 and mlperf-tiny/kws-dscnn.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qbench.boards import BOARDS, Board
from qbench.boards.emulator import run_emulated
from qbench.link import connect
from qbench.link.messages import tensor_bytes
from qbench.runtimes.packing import build_packed

INPUTS = 3


@dataclass(frozen=True)
class Network:
    """A network, its multiply-accumulates, and CMSIS-NN's instructions for one by core."""

    file: str
    macs: int
    cmsis_nn: dict[str, float]


NETWORKS = {
    "ResNet-8": Network(
        "ic-resnet8/int8.tflite", 12_501_632, {"Cortex-M4": 2.389, "Cortex-M7": 2.394, "Cortex-M55": 0.385}
    ),
    "DS-CNN": Network(
        "kws-dscnn/int8.tflite", 2_656_768, {"Cortex-M4": 2.952, "Cortex-M7": 2.921, "Cortex-M55": 0.671}
    ),
}


def instructions(board: Board, model: bytes, folder: Path) -> float:
    """The median count of an inference."""
    image = build_packed(model, board, folder / "image.elf").image
    draw = np.random.default_rng(0)
    with run_emulated(board, image) as port:
        client = connect(port)
        size = tensor_bytes(client.info.input)
        given = [draw.integers(0, 256, size, np.uint8).tobytes() for _ in range(INPUTS)]
        counts = [answer.count for each in given for answer in client.infer([each])]
        client.close()
    return statistics.median(counts)


def main() -> int:
    """Print the table."""
    root = os.environ.get("QBENCH_DATA")
    if not root:
        print("QBENCH_DATA names no folder with data sets", file=sys.stderr)
        return 3
    columns = f"{'instructions':>13}{'a MAC':>8}{'CMSIS-NN':>10}{'ratio':>7}"
    print(f"{'network':<10}{'board':<12}{'core':<12}{columns}")
    with tempfile.TemporaryDirectory() as folder:
        for name, network in NETWORKS.items():
            model = (Path(root) / "mlperf-tiny" / network.file).read_bytes()
            for board in BOARDS.values():
                count = instructions(board, model, Path(folder))
                each, rival = count / network.macs, network.cmsis_nn[board.core]
                print(
                    f"{name:<10}{board.name:<12}{board.core:<12}{count:>13,.0f}{each:>8.3f}{rival:>10.3f}"
                    f"{each / rival:>7.2f}",
                    flush=True,
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
