"""`qbench models`."""

from __future__ import annotations

import json

import click

from qbench.cli.common import output_options, show_tables


@click.command(epilog="Example: qbench models --json")
@output_options
def command(quiet: bool, as_json: bool) -> None:
    """List the networks that `qbench train` knows."""
    from qbench.reporting.cells import Table
    from qbench.zoo import networks

    known = networks()
    if as_json:
        click.echo(
            json.dumps({n: each.recipe.model_dump(mode="json") for n, each in known.items()}, indent=2)
        )
    elif not quiet:
        rows = tuple((n, each.recipe.description, each.recipe.data) for n, each in known.items())
        show_tables([Table("Networks", ("name", "what it is", "made for"), rows, keys=3)])
