"""`qbench train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import qbench
from qbench.cli.common import run_stage, stage_options

if TYPE_CHECKING:
    from qbench.artifacts import TrainedContent
    from qbench.reporting.tables import Table


@click.command(epilog="Example: qbench train digits-cnn --data digits --out out/digits")
@click.argument("network")
@click.option("--data", required=True, help="A data set: see `qbench datasets`.")
@click.option("--epochs", type=click.IntRange(1), help="In place of the recipe's.")
@stage_options
def command(network: str, data: str, out: Path, **options: Any) -> None:
    """Train NETWORK, one that `qbench models` lists, from its recipe."""
    run_stage(qbench.train, network, data, out, tables=_tables, **options)


def _tables(content: TrainedContent) -> list[Table]:
    from qbench.reporting.tables import Table

    row = (
        content.network,
        content.data.name,
        str(content.epochs),
        f"{100 * content.train_accuracy:.2f}",
        f"{100 * content.test_accuracy:.2f}",
    )
    columns = ("network", "data", "epochs", "train accuracy %", "test accuracy %")
    return [Table("Trained", columns, (row,), keys=2)]
