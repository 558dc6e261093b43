"""`qbench export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import qbench
from qbench.cli.common import run_stage, stage_options

if TYPE_CHECKING:
    from qbench.artifacts import BundleContent
    from qbench.reporting.tables import Table


class _Range(click.ParamType[tuple[float, float]]):
    """Two numbers with a comma: `0,255`."""

    name = "LOW,HIGH"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float]:
        if isinstance(value, tuple):
            return value
        try:
            low, high = (float(part) for part in value.split(","))
        except ValueError:
            self.fail(f"{value!r} is not two numbers with a comma, such as 0,255", param, ctx)
        if not low < high:
            self.fail(f"{value!r}: the low end must be below the high end", param, ctx)
        return low, high


@click.command(
    epilog="Examples: qbench export out/digits --data digits --out out/bundle; "
    "qbench export float.h5 --adopt int8.tflite --data cifar10 --out out/vendor; "
    "qbench export out/digits --ptq-weight-bits 4 --data digits --out out/ptq4"
)
@click.argument("model", type=click.Path(exists=True, path_type=Path))
@click.option("--data", required=True, help="A data set: see `qbench datasets`.")
@click.option(
    "--adopt",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take this int8 .tflite in place of converting.",
)
@click.option(
    "--calibration",
    type=click.IntRange(1),
    default=200,
    show_default=True,
    help="Samples that the integer ranges are fitted on.",
)
@click.option(
    "--input-range",
    type=_Range(),
    help="What the network expects of an image; found by trying 0,1 and 0,255 and -1,1 if it is not known.",
)
@click.option(
    "--max-drop",
    type=click.FloatRange(0, 1),
    default=0.05,
    show_default=True,
    help="Largest loss of accuracy against the float network that passes.",
)
@click.option(
    "--per-tensor-dense",
    is_flag=True,
    help="One scale a dense layer, for toolchains that reject per-channel fully connected.",
)
@click.option(
    "--ptq-weight-bits",
    type=click.IntRange(2, 8),
    help="Quantize without training: width of the weights; 8 if only --ptq-act-bits is given.",
)
@click.option("--ptq-act-bits", type=click.IntRange(2, 8), help="Likewise, of what stands behind a ReLU.")
@click.option(
    "--ptq-calibration",
    type=click.Choice(["minmax", "percentile", "mse"]),
    help="How the scales of these are fitted; mse if not given.",
)
@stage_options
def command(model: Path, data: str, out: Path, **options: Any) -> None:
    """Convert MODEL, a .keras, .h5, SavedModel or trained folder, into a bundle of artefacts.

    An integer .tflite or QDQ .onnx is taken as it is, and is then the only artefact.
    """
    run_stage(qbench.export, model, data, out, tables=_tables, **options)


def _tables(content: BundleContent) -> list[Table]:
    from qbench.reporting.tables import bundle_tables

    return bundle_tables(content)
