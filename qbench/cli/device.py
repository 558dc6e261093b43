"""`qbench device`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from qbench.cli.common import baud_option, output_options, show_tables

if TYPE_CHECKING:
    from qbench.artifacts import TensorSpec


@click.group()
def command() -> None:
    """Ask the device at a port what it is."""


@command.command(epilog="Example: qbench device info /dev/ttyACM0")
@click.argument("port")
@baud_option
@output_options
def info(port: str, baud: int | None, quiet: bool, as_json: bool) -> None:
    """Show board, firmware, model and memory.

    PORT is a serial port, socket://HOST:PORT or rfc2217://HOST:PORT.
    """
    from pydantic_core import to_jsonable_python

    from qbench.reporting.cells import Table
    from qbench.runtimes.device import probe

    device = probe(port, baud)
    if as_json:
        click.echo(json.dumps(to_jsonable_python(device), indent=2))
    elif not quiet:
        rows = (
            ("board", f"{device.board} ({device.core})"),
            ("firmware", f"{device.firmware}, {device.kernels} kernels"),
            ("counts", device.counter),
            ("inputs on the way", f"{device.window}"),
            ("model", f"{device.model_sha256}, {device.model_bytes:,} bytes"),
            ("arena", f"{device.arena_used:,} of {device.arena_available:,} bytes"),
            ("input", _tensor(device.input)),
            ("output", _tensor(device.output)),
            ("state", device.fault or "ready"),
        )
        show_tables([Table(f"The device at {port}", ("what", "is"), rows, keys=2)])


def _tensor(tensor: TensorSpec) -> str:
    return f"{tensor.dtype} {list(tensor.shape)}"
