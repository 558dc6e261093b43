"""Images a second of the `tflite` runtime over a bare interpreter loop, on MLPerf Tiny's ResNet-8 in int8.

The bare loop is what users write: set_tensor, invoke, get_tensor, one image an invoke, one thread.
Contestants take turns in every round, so that a busy machine slows them all; the median of the rounds counts.

Run it with QBENCH_DATA naming a folder that holds mlperf-tiny/ic-resnet8/int8.tflite.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from qbench.runtimes.specs import read_specs
from qbench.runtimes.tflite import TfliteRuntime, make_interpreter

MODEL = "mlperf-tiny/ic-resnet8/int8.tflite"
TARGETS = {"tflite, 1 thread": 1.0, "tflite, 2 threads": 1.8}

Loop = Callable[[NDArray[np.int8]], NDArray[np.int8]]


def bare_loop(path: Path) -> Loop:
    """One image an invoke on one thread, through the package's own interface."""
    interpreter = make_interpreter(path.read_bytes(), "AUTO")
    interpreter.allocate_tensors()
    entry = interpreter.get_input_details()[0]["index"]
    exit_ = interpreter.get_output_details()[0]["index"]

    def run(codes: NDArray[np.int8]) -> NDArray[np.int8]:
        rows = []
        for image in codes:
            interpreter.set_tensor(entry, image[np.newaxis])
            interpreter.invoke()
            rows.append(interpreter.get_tensor(exit_))
        return np.concatenate(rows)

    return run


def seconds(loop: Loop, codes: NDArray[np.int8]) -> float:
    """Wall time of one pass over all images."""
    start = time.perf_counter()
    loop(codes)
    return time.perf_counter() - start


def main() -> None:
    """Time all contestants and print their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=8192)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    path = Path(os.environ.get("QBENCH_DATA", ".")) / MODEL
    if not path.is_file():
        sys.exit(f"there is no {path}: point QBENCH_DATA at a folder with {MODEL}")

    specs = read_specs(path)
    contestants: dict[str, Loop] = {"bare loop": bare_loop(path)}
    for threads, name in enumerate(TARGETS, start=1):
        contestants[name] = TfliteRuntime(path, *specs, threads=threads).invoke
    shape = (options.images, *specs[0].shape)
    codes = np.random.default_rng(0).integers(-128, 128, shape).astype(np.int8)
    expected = contestants["bare loop"](codes[:500])
    for name, loop in contestants.items():
        assert np.array_equal(loop(codes[:500]), expected), f"{name} computes something else"

    rounds = [
        {name: seconds(loop, codes) for name, loop in contestants.items()} for _ in range(options.rounds)
    ]
    print(f"{options.images:,} images, median of {options.rounds} rounds, {os.cpu_count()} cores")
    for name in contestants:
        rate = options.images / median(each[name] for each in rounds)
        ratio = median(each["bare loop"] / each[name] for each in rounds)
        target = f"  (target {TARGETS[name]})" if name in TARGETS else ""
        print(f"{name:18} {rate:10,.0f} images/s  {ratio:5.2f} x{target}")


if __name__ == "__main__":
    main()
