"""`qbench runtimes`."""

from __future__ import annotations

import json

import click

from qbench.cli.common import output_options, show_tables


@click.command(epilog="Example: qbench runtimes")
@output_options
def command(quiet: bool, as_json: bool) -> None:
    """List the runtimes that `qbench replay` knows, and what each that is missing needs."""
    from qbench.reporting.cells import Table
    from qbench.runtimes import available

    known = available()
    if as_json:
        click.echo(
            json.dumps({name: {"here": why is None, "lacks": why} for name, why in known.items()}, indent=2)
        )
    elif not quiet:
        rows = tuple((name, "yes" if why is None else "no", why or "") for name, why in known.items())
        show_tables([Table("Runtimes", ("name", "here", "what it lacks"), rows, keys=3)])
