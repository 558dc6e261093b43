"""`qbench replay`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import qbench
from qbench.cli.common import BUNDLE, FOLDER, out_option, output_options, run_stage
from qbench.cli.options import record_options
from qbench.stages.replay.options import ReplayOptions

if TYPE_CHECKING:
    from qbench.artifacts import ReplayContent
    from qbench.reporting.cells import Table


@click.command(
    epilog="Examples: qbench replay out/bundle out/pgd --runtime tflite --out out/replay; "
    "qbench replay out/bundle out/pgd --device /dev/ttyACM0 --out out/on-board"
)
@click.argument("bundle", type=BUNDLE, metavar="BUNDLE|FILE")
@click.argument("advset", type=FOLDER)
@out_option
@click.option(
    "--runtime",
    "runtimes",
    multiple=True,
    help="Runtime, as `qbench runtimes` lists it; may be repeated. Default without --device: every "
    "installed runtime that can run the bundle.",
)
@record_options(ReplayOptions)
@output_options
def command(bundle: Path, advset: Path, out: Path, runtimes: tuple[str, ...], **options: Any) -> None:
    """Run the clean and adversarial inputs of ADVSET on the int8 artefacts of BUNDLE, here or on devices.

    FILE is an integer .tflite or QDQ .onnx by itself that was attacked here with the same data.
    """
    run_stage(qbench.replay, bundle, advset, runtimes, out, tables=_tables, **options)


def _tables(content: ReplayContent) -> tuple[Table, ...]:
    from qbench.reporting.tables import replay_tables

    return replay_tables(content)
