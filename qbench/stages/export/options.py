"""The options of exporting."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from qbench.options import Count, RunOptions, Seed, Typed


def _parse_range(value: Any) -> Any:
    """Two numbers from `0,255`."""
    if not isinstance(value, str):
        return value
    try:
        low, high = (float(part) for part in value.split(","))
    except ValueError as error:
        raise ValueError(f"{value!r} is not two numbers with a comma, such as 0,255") from error
    return low, high


def _check_range(value: tuple[float, float]) -> tuple[float, float]:
    if not value[0] < value[1]:
        raise ValueError(f"the input range {value[0]:g},{value[1]:g}: the low end must be below the high end")
    return value


Range = Annotated[
    tuple[float, float],
    BeforeValidator(_parse_range),
    AfterValidator(_check_range),
    Typed(metavar="LOW,HIGH"),
]


def _parse_names(value: Any) -> Any:
    """Names from `yes,no`."""
    return tuple(name.strip() for name in value.split(",")) if isinstance(value, str) else value


ClassNames = Annotated[tuple[str, ...], BeforeValidator(_parse_names), Typed(metavar="NAME,NAME...")]
Finite = Annotated[float, Field(allow_inf_nan=False)]
LowBits = Annotated[int, Field(ge=2, le=8)]


class ExportOptions(RunOptions):
    """Of `qbench export`."""

    activations: Annotated[
        Literal["int8", "int16"],
        Field(
            description="Type of the activations, and of the file's input and output: int16 gives an int16x8 "
            "file, with weights of 8 bits."
        ),
    ] = "int8"
    adopt: Annotated[
        Path | None, Field(description="Vendor's int8 .tflite to use instead of a conversion, byte for byte.")
    ] = None
    calibration: Annotated[
        Count, Field(description="Number of calibration samples, from the training split if there is one.")
    ] = 200
    input_range: Annotated[
        Range | None,
        Field(
            description="Range of pixel values that the network expects; default: the best of 0,1 and 0,255 "
            "and -1,1 by accuracy, if it is not known."
        ),
    ] = None
    max_drop: Annotated[
        float,
        Field(ge=0, le=1, description="Maximum loss of accuracy against the float network."),
    ] = 0.05
    per_tensor_dense: Annotated[
        bool,
        Field(
            description="Per-tensor weight scales for dense layers, for toolchains that reject "
            "per-channel ones."
        ),
    ] = False
    ptq_weight_bits: Annotated[
        LowBits | None,
        Field(
            description="Post-training quantization: bit width of the weights; 8 if only "
            "--ptq-act-bits is given."
        ),
    ] = None
    ptq_act_bits: Annotated[
        LowBits | None,
        Field(description="Post-training quantization: bit width of activations after a ReLU."),
    ] = None
    ptq_calibration: Annotated[
        Literal["minmax", "percentile", "mse"] | None,
        Field(description="Calibration method of post-training quantization; default mse."),
    ] = None
    threshold: Annotated[
        Finite | None,
        Field(
            description="Score that label 1 must exceed, of a network with one score (default: 0.5 behind a "
            "sigmoid, else 0); mean squared error that an anomaly must exceed, of an autoencoder (default: "
            "the 95th percentile of normal inputs)."
        ),
    ] = None
    classes: Annotated[
        ClassNames | None,
        Field(description="Names of the classes in the order of the labels, in place of those of the data."),
    ] = None
    front_end: Annotated[
        Literal["wakeword", "keywords"] | None,
        Field(
            description="What computes the network's features from sound, where the data are waveforms: "
            "wakeword, the log-mel spectra of MLPerf Tiny's streaming wakeword, or keywords, the MFCC of its "
            "keyword spotting."
        ),
    ] = None
    seed: Seed = 0
