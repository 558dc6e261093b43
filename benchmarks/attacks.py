"""Cost of gradient attacks over what their gradients alone cost, beside Foolbox and ART, in one run.

The floor is one forward-and-input-gradient pass of the batch in a `tf.function`. It is measured again before
and after every attack, and each round yields one ratio: time / (floor * gradients). Printed are medians over
rounds. Foolbox and ART get the Keras network the way their documentation says.

Run it with QBENCH_DATA naming a folder that holds mlperf-tiny/ic-resnet8/float.h5 and cifar10-jpeg-test.zip.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from qbench.artifacts import Preprocessing
from qbench.attacks import Victims, find_attack
from qbench.attacks.losses import cross_entropy
from qbench.data import IMAGE, load_dataset
from qbench.surrogate.keras import KerasSurrogate, without_softmax

EPS = 1 / 255
GRADIENTS = {"fgsm": 1, "bim": 10, "mim": 10, "pgd": 40, "apgd-ce": 50, "apgd-dlr": 50}
TARGETS = {"mim": 1.15, "pgd": 1.15, "apgd-ce": 1.15, "apgd-dlr": 1.15}
FOOLBOX = {"fgsm", "bim", "mim", "pgd", "deepfool", "cw"}
ART = {"fgsm", "bim", "pgd", "apgd-ce", "apgd-dlr"}

# What is told in other words than `steps`. The gradients are those of the whole budget: what a minimum-norm
# attack saves where a sample needs none, or no more, lowers its ratio.
TOLD: dict[str, dict[str, int]] = {
    "fgsm": {},
    "deepfool": {"steps": 1, "candidates": 10},
    "cw": {"binary_search_steps": 2, "steps": 50},
    "fab-t": {"targets": 2, "steps": 50},
}
GRADIENTS |= {"deepfool": 9, "cw": 100, "fab-t": 100}
TARGETS |= {"deepfool": 1.15, "cw": 1.3, "fab-t": 1.15}

Run = Callable[[], object]


def floor_pass(surrogate: KerasSurrogate, victims: Victims) -> Run:
    """One forward-and-input-gradient pass."""
    x, y = tf.constant(victims.x), tf.constant(victims.y)

    @tf.function
    def gradient(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            loss = cross_entropy(surrogate.logits(x), y)
        return tape.gradient(loss, x)

    return lambda: gradient(x, y).numpy()


def ours(surrogate: KerasSurrogate, victims: Victims, name: str) -> Run:
    """The attack as `qbench attack` runs it."""
    told = TOLD.get(name, {"steps": GRADIENTS[name]})
    attack = find_attack(name)(surrogate, batch=len(victims), **told)
    return lambda: list(attack.perturb(victims, [EPS]))


def foolbox_attack(model: keras.Model, victims: Victims, name: str) -> Run:
    """The same attack as Foolbox's documentation calls it."""
    import foolbox

    wrapped = foolbox.TensorFlowModel(model, bounds=(0, 1), preprocessing={"mean": 0.0, "std": 1 / 255})
    attack = {
        "fgsm": lambda: foolbox.attacks.LinfFastGradientAttack(),
        "bim": lambda: foolbox.attacks.LinfBasicIterativeAttack(steps=10),
        "mim": lambda: foolbox.attacks.LinfMomentumIterativeFastGradientMethod(steps=10),
        "pgd": lambda: foolbox.attacks.LinfPGD(steps=40),
        "deepfool": lambda: foolbox.attacks.L2DeepFoolAttack(**TOLD["deepfool"]),
        "cw": lambda: foolbox.attacks.L2CarliniWagnerAttack(**TOLD["cw"]),
    }[name]()
    x, y = tf.constant(victims.x), tf.constant(victims.y)
    return lambda: attack(wrapped, x, y, epsilons=EPS)[1].numpy()


def art_attack(model: keras.Model, victims: Victims, name: str) -> Run:
    """The same attack as ART's documentation calls it."""
    from art.attacks import evasion
    from art.estimators.classification import TensorFlowV2Classifier

    classifier = TensorFlowV2Classifier(
        model,
        nb_classes=model.output_shape[-1],
        input_shape=victims.x.shape[1:],
        loss_object=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        clip_values=(0, 1),
        preprocessing=(0.0, 1 / 255),
    )
    shared = {"eps": EPS, "batch_size": len(victims)}

    def auto_pgd(loss: str) -> evasion.EvasionAttack:
        return evasion.AutoProjectedGradientDescent(
            classifier,
            eps_step=2 * EPS,
            max_iter=50,
            nb_random_init=1,
            loss_type=loss,
            verbose=False,
            **shared,
        )

    attack = {
        "fgsm": lambda: evasion.FastGradientMethod(classifier, **shared),
        "bim": lambda: evasion.BasicIterativeMethod(
            classifier, eps_step=EPS / 5, max_iter=10, verbose=False, **shared
        ),
        "pgd": lambda: evasion.ProjectedGradientDescent(
            classifier, eps_step=EPS / 16, max_iter=40, num_random_init=1, verbose=False, **shared
        ),
        "apgd-ce": lambda: auto_pgd("cross_entropy"),
        "apgd-dlr": lambda: auto_pgd("difference_logits_ratio"),
    }[name]()
    return lambda: attack.generate(victims.x, victims.y)


def seconds(run: Run) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def ratios(floor: Run, runs: dict[str, Run], gradients: int, rounds: int) -> dict[str, float]:
    """Median time / (floor * gradients) of every contestant, each round on floors measured around it."""
    for run in runs.values():
        run()
    found: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        before = seconds(floor)
        for name, run in runs.items():
            repeats = max(1, 10 // gradients)
            spent = statistics.median(seconds(run) for _ in range(repeats))
            after = statistics.median(seconds(floor) for _ in range(3))
            found[name].append(spent / ((before + after) / 2 * gradients))
            before = after
    return {name: statistics.median(each) for name, each in found.items()}


def load_inputs(root: Path, count: int) -> tuple[keras.Model, KerasSurrogate, Victims]:
    """ResNet-8 with logits out, the same as a surrogate, and seeded test images."""
    model = without_softmax(
        keras.models.load_model(root / "mlperf-tiny" / "ic-resnet8" / "float.h5", compile=False)
    )
    data = load_dataset(str(root / "cifar10-jpeg-test.zip"))
    rows = np.random.default_rng(0).permutation(len(data.test))[:count]
    victims = Victims(data.inputs(data.test.x[rows]), data.test.y[rows], rows)
    return model, KerasSurrogate(model, Preprocessing(scale=255.0), IMAGE), victims


def main() -> int:
    """Print the table; 1 if a target is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=256, help="images a batch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--attacks", default=",".join(GRADIENTS), help="names with commas")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # Foolbox and ART warn of deprecations and of what is not installed
    tf.get_logger().setLevel("ERROR")
    root = os.environ.get("QBENCH_DATA")
    if not root:
        print("QBENCH_DATA names no folder with data sets", file=sys.stderr)
        return 3
    model, surrogate, victims = load_inputs(Path(root), options.count)
    floor = floor_pass(surrogate, victims)
    floor()
    spent = statistics.median(seconds(floor) for _ in range(9))
    print(f"ResNet-8, {len(victims)} images, floor {spent:.3f} s; time / (floor x gradients):")
    print(f"{'attack':<12}{'qbench':>8}{'Foolbox':>9}{'ART':>7}{'target':>8}")
    missed = 0
    for name in options.attacks.split(","):
        gradients = GRADIENTS[name]
        runs = {"qbench": ours(surrogate, victims, name)}
        if name in FOOLBOX:
            runs["Foolbox"] = foolbox_attack(model, victims, name)
        if name in ART:
            runs["ART"] = art_attack(model, victims, name)
        cost = ratios(floor, runs, gradients, options.rounds)
        target = TARGETS.get(name)
        missed += target is not None and cost["qbench"] > target
        print(
            f"{name + '-' + str(gradients):<12}{cost['qbench']:>8.2f}{cost.get('Foolbox', math.nan):>9.2f}"
            f"{cost.get('ART', math.nan):>7.2f}{target or '':>8}",
            flush=True,
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
