"""The options of training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from qbench.artifacts.networks import FLOAT_BITS
from qbench.options import Budget, Count, RunOptions, Seed, Typed

DEFAULT_METHOD = "dorefa"


def _check_width(bits: Any) -> Any:
    if bits not in (*range(1, 9), FLOAT_BITS):
        raise ValueError(f"{bits} bits: give 1 to 8, or {FLOAT_BITS} for float32")
    return bits


Bits = Annotated[int, AfterValidator(_check_width), Typed(metavar="1..8|32")]


class TrainOptions(RunOptions):
    """Of `qbench train`."""

    epochs: Annotated[Count | None, Field(description="Number of epochs; default: the recipe's.")] = None
    start: Annotated[
        Path | None,
        Field(description="Float network to fine-tune: a .keras file or a folder written by `qbench train`."),
        Typed(flags=("--from",)),
    ] = None
    width: Annotated[
        Count | None, Field(description="Width of a network that has several, such as study-cnn.")
    ] = None
    weight_bits: Annotated[Bits, Field(description="Bit width of the weights.")] = FLOAT_BITS
    act_bits: Annotated[Bits, Field(description="Bit width of the activations.")] = FLOAT_BITS
    method: Annotated[
        str, Field(description="Quantization method: dorefa, dorefa-max, binaryconnect, bnn or lsq.")
    ] = DEFAULT_METHOD
    end_weight_bits: Annotated[
        Bits | None,
        Field(
            description="Bit width of the weights of the first and the last layer; default: the same as "
            "--weight-bits, as in the study."
        ),
    ] = None
    adversarial: Annotated[
        Literal["pgd"] | None, Field(description="Adversarial training with this attack.")
    ] = None
    eps: Annotated[
        Budget | None,
        Field(description="Linf budget of adversarial training, in the unit of the data: 8/255."),
    ] = None
    steps: Annotated[Count, Field(description="Number of steps of adversarial training.")] = 7
    jacobian: Annotated[
        float, Field(ge=0, description="Weight of the penalty on the Jacobian's squared Frobenius norm.")
    ] = 0.0
    seed: Seed = 0
