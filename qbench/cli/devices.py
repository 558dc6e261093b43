"""`qbench devices`."""

from __future__ import annotations

import json

import click

from qbench.cli.common import baud_option, output_options, show_tables
from qbench.cli.terminal import Terminal


@click.command(epilog="Example: qbench devices")
@baud_option
@output_options
def command(baud: int | None, quiet: bool, as_json: bool) -> None:
    """List the serial ports of this machine, and the devices that answer as qbench's firmware."""
    from pydantic_core import to_jsonable_python

    from qbench.errors import QbenchError
    from qbench.reporting.cells import NOTHING, Table
    from qbench.runtimes.device import find

    with Terminal(quiet=quiet).working() as progress:
        found = find(baud, progress)
    if as_json:
        ports = {
            port: {"lacks": device.what} if isinstance(device, QbenchError) else to_jsonable_python(device)
            for port, device in found.items()
        }
        click.echo(json.dumps(ports, indent=2))
    elif not quiet:
        rows = tuple(
            (port, NOTHING, NOTHING, device.what)
            if isinstance(device, QbenchError)
            else (port, device.board, device.model_sha256[:12], device.fault or "ready")
            for port, device in found.items()
        )
        if rows:
            show_tables([Table("Serial ports", ("port", "board", "model", "state"), rows, keys=4)])
        else:
            click.echo("this machine has no serial port")
