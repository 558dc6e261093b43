"""`qbench attacks`."""

from __future__ import annotations

import inspect
import json

import click

from qbench.cli.common import output_options, show_tables


@click.command(epilog="Example: qbench attacks")
@output_options
def command(quiet: bool, as_json: bool) -> None:
    """List the attacks that `qbench attack` knows, their norms, and their settings with the defaults."""
    from qbench.attacks import ATTACKS
    from qbench.reporting.tables import Table

    if as_json:
        listed = {
            name: {
                "norms": attack.norms,
                "settings": {
                    field: {"default": info.default, "description": info.description}
                    for field, info in attack.settings_type.model_fields.items()
                },
            }
            for name, attack in ATTACKS.items()
        }
        click.echo(json.dumps(listed, indent=2))
    elif not quiet:
        rows = []
        for name, attack in ATTACKS.items():
            fields = attack.settings_type.model_fields
            told = ", ".join(f"{field}={info.default}" for field, info in fields.items())
            summary = (inspect.getdoc(attack) or "").splitlines()[0]
            rows.append((name, ", ".join(attack.norms), told, summary))
        columns = ("name", "norms", "settings", "what it does")
        show_tables([Table("Attacks", columns, tuple(rows), keys=4)])
