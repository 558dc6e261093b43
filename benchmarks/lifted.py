"""Cost of a gradient through the lifted int8 network over that through its float original, in one run.

One pass is the forward of a batch and the gradient of the cross-entropy with respect to its inputs, in a
`tf.function`. The float pass is measured again beside every lifted one; printed are medians of the ratios.

Run it with QBENCH_DATA naming a folder that holds mlperf-tiny/ic-resnet8/ and cifar10-jpeg-test.zip.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from qbench.artifacts import Preprocessing
from qbench.attacks.losses import cross_entropy
from qbench.data import IMAGE, load_dataset
from qbench.surrogate.base import Surrogate
from qbench.surrogate.keras import KerasSurrogate
from qbench.surrogate.lifted import GRADIENTS, LiftedSurrogate

TARGET = 3.0

Run = Callable[[], object]


def gradient_pass(surrogate: Surrogate, x: tf.Tensor, y: tf.Tensor) -> Run:
    """One forward-and-input-gradient pass."""

    @tf.function
    def gradient(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            loss = cross_entropy(surrogate.logits(x), y)
        return tape.gradient(loss, x)

    return lambda: gradient(x, y).numpy()


def seconds(run: Run) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main() -> int:
    """Print the table; 1 if a rule misses the target."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=256, help="images a batch")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    root = os.environ.get("QBENCH_DATA")
    if not root:
        print("QBENCH_DATA names no folder with data sets", file=sys.stderr)
        return 3
    folder = Path(root) / "mlperf-tiny" / "ic-resnet8"
    data = load_dataset(str(Path(root) / "cifar10-jpeg-test.zip"))
    rows = np.random.default_rng(0).permutation(len(data.test))[: options.count]
    x, y = tf.constant(data.inputs(data.test.x[rows])), tf.constant(data.test.y[rows])
    # The float network takes pixels from 0 to 255, and the int8 file codes whose scale is 1.
    floor = gradient_pass(KerasSurrogate.load(folder / "float.h5", Preprocessing(scale=255.0), IMAGE), x, y)
    floor()
    missed = 0
    print(f"ResNet-8, {options.count} images; time over that of the float network (target {TARGET:g}):")
    for rule in GRADIENTS:
        surrogate = LiftedSurrogate.load(
            folder / "int8.tflite", Preprocessing(scale=255.0, offset=0.0), IMAGE, rule
        )
        run = gradient_pass(surrogate, x, y)
        run()
        pairs = [(seconds(run), seconds(floor)) for _ in range(options.rounds)]
        ratio = statistics.median(ours / base for ours, base in pairs)
        base = statistics.median(base for _, base in pairs)
        print(f"{surrogate.name:<22}{ratio:6.2f}   float pass {base:.3f} s", flush=True)
        missed += ratio > TARGET
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
