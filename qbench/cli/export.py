"""`qbench export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import qbench
from qbench.cli.common import data_option, out_option, output_options, run_stage
from qbench.cli.options import record_options
from qbench.stages.export.options import ExportOptions

if TYPE_CHECKING:
    from qbench.artifacts import BundleContent
    from qbench.reporting.cells import Table


@click.command(
    epilog="Examples: qbench export out/digits --data digits --out out/bundle; "
    "qbench export float.h5 --adopt int8.tflite --data cifar10 --out out/vendor; "
    "qbench export out/digits --ptq-weight-bits 4 --data digits --out out/ptq4"
)
@click.argument("model", type=click.Path(exists=True, path_type=Path))
@data_option
@out_option
@record_options(ExportOptions)
@output_options
def command(model: Path, data: str, out: Path, **options: Any) -> None:
    """Convert MODEL, a .keras, .h5, SavedModel or trained folder, into a bundle of artefacts.

    An integer .tflite or QDQ .onnx is taken as it is, and is then the only artefact.
    """
    run_stage(qbench.export, model, data, out, tables=_tables, **options)


def _tables(content: BundleContent) -> list[Table]:
    from qbench.reporting.tables import bundle_tables

    return bundle_tables(content)
