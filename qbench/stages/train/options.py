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
        raise ValueError(f"{bits} bits: give 1 to 8, or {FLOAT_BITS} for real numbers")
    return bits


Bits = Annotated[int, AfterValidator(_check_width), Typed(metavar="1..8|32")]


class TrainOptions(RunOptions):
    """Of `qbench train`."""

    epochs: Annotated[Count | None, Field(description="In place of the recipe's.")] = None
    start: Annotated[
        Path | None,
        Field(description="Fine-tune this float network, a .keras file or a trained folder."),
        Typed(flags=("--from",)),
    ] = None
    width: Annotated[
        Count | None, Field(description="Of a network that comes in several, such as study-cnn.")
    ] = None
    weight_bits: Annotated[Bits, Field(description="Of the weights.")] = FLOAT_BITS
    act_bits: Annotated[Bits, Field(description="Of the activations.")] = FLOAT_BITS
    method: Annotated[
        str, Field(description="Of quantization: dorefa, dorefa-max, binaryconnect, bnn or lsq.")
    ] = DEFAULT_METHOD
    end_weight_bits: Annotated[
        Bits | None,
        Field(
            description="Of the weights of the first and the last layer; as --weight-bits if not given, the "
            "study's choice."
        ),
    ] = None
    adversarial: Annotated[
        Literal["pgd"] | None, Field(description="Train on the adversarial inputs of this attack.")
    ] = None
    eps: Annotated[
        Budget | None,
        Field(description="Its Linf budget in the data's own domain; a fraction is read."),
    ] = None
    steps: Annotated[Count, Field(description="Its steps.")] = 7
    jacobian: Annotated[
        float, Field(ge=0, description="Weight of a penalty on the Jacobian's squared norm.")
    ] = 0.0
    seed: Seed = 0
