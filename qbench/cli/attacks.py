"""`qbench attacks`."""

from __future__ import annotations

import inspect
import json

import click

from qbench.cli.common import output_options, show_tables


@click.command(epilog="Example: qbench attacks")
@output_options
def command(quiet: bool, as_json: bool) -> None:
    """List the attacks of `qbench attack`: norms, whether they take a target, settings with the defaults."""
    from qbench.attacks import ATTACKS
    from qbench.reporting.cells import Table

    if as_json:
        listed = {
            name: {
                "norms": attack.norms,
                "targetable": attack.targetable,
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
            target = "yes" if attack.targetable else "no"
            rows.append((name, ", ".join(attack.norms), target, told, summary))
        columns = ("name", "norms", "--target", "settings", "what it does")
        show_tables([Table("Attacks", columns, tuple(rows), keys=5)])
