"""Cost of query attacks over what their queries alone cost the oracle, with ART's Square beside, in one run.

Every call of an attack to its oracle is timed inside the attack, so that one run gives both: the ratio is its
whole time over the time that the oracle took. Beside it stands the cost over the same number of inputs in
whole passes, which also counts what small passes waste once most samples are done.

Run it with QBENCH_DATA naming a folder that holds mlperf-tiny/ic-resnet8/float.h5 and cifar10-jpeg-test.zip.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from attacks import load_inputs
from numpy.typing import NDArray

from qbench.attacks import Victims, find_attack
from qbench.surrogate.base import Oracle, Surrogate
from qbench.surrogate.scoring import Scorer

TARGET = 1.2
ATTACKS: dict[str, tuple[str, float, dict[str, Any]]] = {
    "square linf": ("linf", 1 / 255, {"budget": 300}),
    "square l2": ("l2", 0.1, {"budget": 300}),
    "spsa": ("linf", 0.03, {"budget": 650}),
    "nes": ("linf", 1 / 255, {"budget": 500}),
    "zoo": ("l2", 0.1, {"budget": 800, "binary_search_steps": 1}),
    "hopskipjump": ("l2", 0.1, {"budget": 700}),
}


class Stopwatch:
    """An oracle that says how many inputs it answered, and in what time."""

    def __init__(self, inner: Scorer) -> None:
        self._inner = inner
        self.name, self.step, self.as_replayed = inner.name, inner.step, inner.as_replayed
        self.seconds, self.inputs = 0.0, 0

    def __call__(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Answer."""
        start = time.perf_counter()
        scores = self._inner(x)
        self.seconds += time.perf_counter() - start
        self.inputs += len(x)
        return scores

    @contextmanager
    def whole(self) -> Iterator[list[float]]:
        """Time what is done within, from zero; the list holds the seconds behind it."""
        self.seconds, self.inputs = 0.0, 0
        spent: list[float] = []
        start = time.perf_counter()
        yield spent
        spent.append(time.perf_counter() - start)


def seconds_an_input(score: Oracle, x: NDArray[np.float32]) -> float:
    """In whole passes: the median of five."""
    found = []
    for _ in range(5):
        start = time.perf_counter()
        score(x)
        found.append((time.perf_counter() - start) / len(x))
    return float(np.median(found))


def art_square(watch: Stopwatch, victims: Victims) -> NDArray[np.float32]:
    """What ART's Square finds with as many queries a sample."""
    from art.attacks.evasion import SquareAttack
    from art.estimators.classification import BlackBoxClassifierNeuralNetwork

    classifier = BlackBoxClassifierNeuralNetwork(
        watch, victims.x.shape[1:], 10, channels_first=False, clip_values=(0, 1)
    )
    _, eps, told = ATTACKS["square linf"]
    attack = SquareAttack(
        classifier, eps=eps, max_iter=told["budget"], nb_restarts=1, batch_size=len(victims), verbose=False
    )
    found: NDArray[np.float32] = attack.generate(victims.x, np.eye(10)[victims.y])
    return found


def row(name: str, watch: Stopwatch, spent: float, each: float, robust: float) -> float:
    """Print one line; the ratio."""
    ratio = spent / watch.seconds
    over = spent / (watch.inputs * each)
    print(f"{name:<14}{watch.inputs:>10,}{ratio:>12.3f}{over:>14.3f}{100 * robust:>12.1f}", flush=True)
    return ratio


def measure(surrogate: Surrogate, watch: Stopwatch, victims: Victims) -> int:
    """Print the table; how many attacks miss the target."""
    each = seconds_an_input(watch, victims.x)
    print(f"ResNet-8, {len(victims)} images, {1000 * each:.2f} ms an input in whole passes")
    print(f"{'attack':<14}{'queries':>10}{'/ oracle':>12}{'/ passes':>14}{'robust %':>12}")
    missed = 0
    for name, (norm, eps, told) in ATTACKS.items():
        attack = find_attack(name.split()[0])(surrogate, watch, norm=norm, batch=len(victims), **told)
        with watch.whole() as spent:
            ((found,),) = attack.perturb(victims, [eps])
        robust = float(np.mean(found.logits.argmax(axis=1) == victims.y))
        missed += row(name, watch, spent[0], each, robust) > TARGET
    with watch.whole() as spent:
        found = art_square(watch, victims)
    row("ART square", watch, spent[0], each, float(np.mean(watch(found).argmax(axis=1) == victims.y)))
    return missed


def main() -> int:
    """Print the table; 1 if a target is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=64, help="images a batch")
    options = parser.parse_args()
    tf.get_logger().setLevel("ERROR")  # a graph for every size of pass is meant
    warnings.simplefilter("ignore")  # ART warns of what is not installed
    root = os.environ.get("QBENCH_DATA")
    if not root:
        print("QBENCH_DATA names no folder with data sets", file=sys.stderr)
        return 3
    _, surrogate, victims = load_inputs(Path(root), options.count)
    watch = Stopwatch(Scorer(surrogate))
    for size in (1, 8, 16, 32, 64, 128, 256):  # every size that a pass can have is compiled before
        watch(victims.x[np.arange(size) % len(victims)])
    return 1 if measure(surrogate, watch, victims) else 0


if __name__ == "__main__":
    sys.exit(main())
