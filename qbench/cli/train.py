"""`qbench train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import qbench
from qbench.cli.common import data_option, out_option, output_options, run_stage
from qbench.cli.options import record_options
from qbench.stages.train.options import TrainOptions

if TYPE_CHECKING:
    from qbench.artifacts import TrainedContent
    from qbench.reporting.cells import Table


@click.command(
    epilog="Examples: qbench train digits-cnn --data digits --out out/digits; "
    "qbench train resnet8 --weight-bits 2 --act-bits 2 --data cifar10 --out out/w2a2"
)
@click.argument("network")
@data_option
@out_option
@record_options(TrainOptions)
@output_options
def command(network: str, data: str, out: Path, **options: Any) -> None:
    """Train NETWORK, one that `qbench models` lists, from its recipe."""
    run_stage(qbench.train, network, data, out, tables=_tables, **options)


def _tables(content: TrainedContent) -> list[Table]:
    from qbench.reporting.cells import Table

    bits = content.lowbit
    row = (
        content.network,
        content.data.name,
        "float" if bits is None else f"{bits.name} {bits.method}",
        str(content.epochs),
        f"{100 * content.train_accuracy:.2f}",
        f"{100 * content.test_accuracy:.2f}",
    )
    columns = ("network", "data", "widths", "epochs", "train accuracy %", "test accuracy %")
    return [Table("Trained", columns, (row,), keys=3)]
