"""`qbench replay`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import qbench
from qbench.cli.common import BUNDLE, FOLDER, baud_option, run_stage, stage_options

if TYPE_CHECKING:
    from qbench.artifacts import ReplayContent
    from qbench.reporting.tables import Table


@click.command(
    epilog="Examples: qbench replay out/bundle out/pgd --runtime tflite --out out/replay; "
    "qbench replay out/bundle out/pgd --device /dev/ttyACM0 --out out/on-board"
)
@click.argument("bundle", type=BUNDLE, metavar="BUNDLE|FILE")
@click.argument("advset", type=FOLDER)
@click.option(
    "--runtime",
    "runtimes",
    multiple=True,
    help="One that `qbench runtimes` lists; repeat for more. All that are here if neither this nor "
    "--device is given.",
)
@click.option(
    "--device",
    "devices",
    multiple=True,
    metavar="PORT",
    help="A device that runs BUNDLE's int8.tflite, at a serial port, socket://HOST:PORT or "
    "rfc2217://HOST:PORT, or qemu:BOARD for an emulated one, qemu:BOARD:packed with packed weights; "
    "repeat for more. It is held against tflite-ref, which then always runs.",
)
@baud_option
@click.option(
    "--trace", type=click.File("w"), help="Write a hex dump of the lines to the devices; - is stdout."
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
    """Run the clean and adversarial inputs of ADVSET on the int8 artefacts of BUNDLE, here or on devices.

    FILE is an integer .tflite or QDQ .onnx by itself that was attacked here with the same data.
    """
    del seed  # nothing is drawn here
    run_stage(qbench.replay, bundle, advset, runtimes, out, tables=_tables, **options)


def _tables(content: ReplayContent) -> tuple[Table, ...]:
    from qbench.reporting.tables import replay_tables

    return replay_tables(content)
