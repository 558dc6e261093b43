"""`qbench replay`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import qbench
from qbench.cli.common import FOLDER, run_stage, stage_options

if TYPE_CHECKING:
    from qbench.artifacts import ReplayContent
    from qbench.reporting.tables import Table


@click.command(
    epilog="Example: qbench replay out/bundle out/pgd --runtime tflite --runtime tflite-ref --out out/replay"
)
@click.argument("bundle", type=FOLDER)
@click.argument("advset", type=FOLDER)
@click.option(
    "--runtime",
    "runtimes",
    multiple=True,
    help="One that `qbench runtimes` lists; repeat for more. All that are here if not given.",
)
@click.option(
    "--threads",
    type=click.IntRange(1),
    help="Images computed side by side; changes no result. All cores if not given.",
)
@stage_options
def command(
    bundle: Path, advset: Path, out: Path, runtimes: tuple[str, ...], seed: int, **options: Any
) -> None:
    """Run the clean and adversarial inputs of ADVSET on the int8 artefacts of BUNDLE."""
    del seed  # nothing is drawn here
    run_stage(qbench.replay, bundle, advset, runtimes, out, tables=_tables, **options)


def _tables(content: ReplayContent) -> tuple[Table, ...]:
    from qbench.reporting.tables import replay_tables

    return replay_tables(content)
