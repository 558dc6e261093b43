"""Robust accuracy that AutoAttack (standard) leaves, and its time, beside the reference's, in one run.

The reference is torchattacks' port of the authors' code (Croce and Hein, arXiv 2003.01690). PyTorch holds its
tensors only: the network of both is the same Keras ResNet-8, on the same images. torchattacks asks for old
versions of libraries that qbench uses, so it is not in an extra:

    pip install torch && pip install --no-deps torchattacks==3.5.1

Run it with QBENCH_DATA naming a folder that holds mlperf-tiny/ic-resnet8/float.h5 and cifar10-jpeg-test.zip.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf
import torch
import torchattacks
from attacks import load_inputs
from numpy.typing import NDArray

from qbench.attacks import Victims, find_attack
from qbench.surrogate.keras import KerasSurrogate

BUDGETS = (1.0, 0.5, 0.25)
ALLOWED = 0.005  # of robust accuracy, above the reference's

Images = NDArray[np.float32]
Attacked = Callable[[float], Images]


def as_torch(surrogate: KerasSurrogate, shape: tuple[int, ...], classes: int) -> torch.nn.Module:
    """The network as a module of PyTorch: (N, C, H, W) in, logits out, with a gradient for the input."""
    images = tf.TensorSpec([None, *shape], tf.float32)
    logits = tf.function(surrogate.logits, input_signature=[images])

    @tf.function(input_signature=[images, tf.TensorSpec([None, classes], tf.float32)])
    def pulled_back(x: tf.Tensor, upstream: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(surrogate.logits(x) * upstream)
        return tape.gradient(loss, x)

    def channels_last(x: torch.Tensor) -> Images:
        return x.detach().permute(0, 2, 3, 1).contiguous().numpy()

    class Logits(torch.autograd.Function):
        @staticmethod
        def forward(ctx: torch.autograd.function.FunctionCtx, x: torch.Tensor) -> torch.Tensor:
            ctx.save_for_backward(x)
            return torch.from_numpy(logits(channels_last(x)).numpy())

        @staticmethod
        def backward(ctx: torch.autograd.function.FunctionCtx, upstream: torch.Tensor) -> torch.Tensor:
            (x,) = ctx.saved_tensors
            gradient = pulled_back(channels_last(x), upstream.contiguous().numpy()).numpy()
            return torch.from_numpy(gradient).permute(0, 3, 1, 2).contiguous()

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.device_holder = torch.nn.Parameter(torch.zeros(1))  # torchattacks asks it for the device

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return Logits.apply(x)

    return Network().eval()


def ours(surrogate: KerasSurrogate, victims: Victims) -> Attacked:
    """The attack as `qbench attack` runs it."""
    attack = find_attack("autoattack")(surrogate, batch=len(victims))

    def attacked(eps: float) -> Images:
        ((found,),) = attack.perturb(victims, [eps])
        return found.x

    return attacked


def reference(surrogate: KerasSurrogate, victims: Victims, classes: int) -> Attacked:
    """The same attack by torchattacks."""
    network = as_torch(surrogate, victims.x.shape[1:], classes)
    x = torch.from_numpy(victims.x).permute(0, 3, 1, 2).contiguous()
    y = torch.from_numpy(victims.y)

    def attacked(eps: float) -> Images:
        attack = torchattacks.AutoAttack(network, norm="Linf", eps=eps, n_classes=classes, seed=0)
        return attack(x, y).detach().permute(0, 2, 3, 1).contiguous().numpy()

    return attacked


def main() -> int:
    """Print the table; 1 if half a point more robust accuracy is left than by the reference."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=256, help="images")
    options = parser.parse_args()
    root = os.environ.get("QBENCH_DATA")
    if not root:
        print("QBENCH_DATA names no folder with data sets", file=sys.stderr)
        return 3
    torch.set_num_threads(1)
    model, surrogate, victims = load_inputs(Path(root), options.count)
    logits = tf.function(surrogate.logits)

    def accuracy(x: Images) -> float:
        return float(np.mean(logits(x).numpy().argmax(1) == victims.y))

    contestants = {
        "qbench": ours(surrogate, victims),
        "reference": reference(surrogate, victims, model.output_shape[-1]),
    }
    print(f"ResNet-8, {len(victims)} images, clean accuracy {accuracy(victims.x):.4f}")
    print(f"{'eps':<10}{'qbench':>8}{'reference':>11}{'time, qbench / reference':>26}")
    missed = 0
    for level in BUDGETS:
        left, spent = {}, {}
        for name, attacked in contestants.items():
            start = time.perf_counter()
            left[name] = accuracy(attacked(level / 255))
            spent[name] = time.perf_counter() - start
        missed += left["qbench"] > left["reference"] + ALLOWED
        ratio = spent["qbench"] / spent["reference"]
        budget = f"{level:g}/255"
        print(f"{budget:<10}{left['qbench']:>8.4f}{left['reference']:>11.4f}{ratio:>26.2f}", flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
