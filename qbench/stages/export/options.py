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
LowBits = Annotated[int, Field(ge=2, le=8)]


class ExportOptions(RunOptions):
    """Of `qbench export`."""

    adopt: Annotated[
        Path | None, Field(description="Take this int8 .tflite, byte for byte, in place of converting.")
    ] = None
    calibration: Annotated[
        Count, Field(description="Samples that the integer ranges are fitted on, of the train split if any.")
    ] = 200
    input_range: Annotated[
        Range | None,
        Field(
            description="What the network expects of an image; found by trying 0,1 and 0,255 and -1,1 if it "
            "is not known."
        ),
    ] = None
    max_drop: Annotated[
        float,
        Field(ge=0, le=1, description="Largest loss of accuracy against the float network."),
    ] = 0.05
    per_tensor_dense: Annotated[
        bool,
        Field(description="One scale a dense layer, for toolchains that reject per-channel fully connected."),
    ] = False
    ptq_weight_bits: Annotated[
        LowBits | None,
        Field(
            description="Quantize without training: width of the weights; 8 if only --ptq-act-bits is given."
        ),
    ] = None
    ptq_act_bits: Annotated[LowBits | None, Field(description="Likewise, of what stands behind a ReLU.")] = (
        None
    )
    ptq_calibration: Annotated[
        Literal["minmax", "percentile", "mse"] | None,
        Field(description="How the scales of these are fitted; mse if not given."),
    ] = None
    seed: Seed = 0
