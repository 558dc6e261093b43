"""Write the parts of docs/ that come from the code: the command reference and the report's schema."""

from __future__ import annotations

from pathlib import Path

import click

from qbench.cli.main import COMMANDS, cli
from qbench.reporting.document import json_schema

HERE = Path(__file__).parent


def command_reference() -> str:
    """`--help` of every command, as Markdown."""
    context = click.Context(cli, info_name="qbench", **cli.context_settings)
    parts = ["# Command reference", "", "Generated from `--help`; write it again with `make docs`.", ""]
    parts += ["```text", cli.get_help(context), "```", ""]
    for name in COMMANDS:
        command = cli.get_command(context, name)
        if command is None:
            raise LookupError(name)
        below = click.Context(command, info_name=name, parent=context)
        parts += [f"## qbench {name}", "", "```text", command.get_help(below), "```", ""]
        for word, under in command.commands.items() if isinstance(command, click.Group) else ():
            deeper = click.Context(under, info_name=word, parent=below)
            parts += [f"### qbench {name} {word}", "", "```text", under.get_help(deeper), "```", ""]
    return "\n".join(parts)


GENERATED = {"commands.md": command_reference, "report.schema.json": json_schema}

if __name__ == "__main__":
    for name, text in GENERATED.items():
        (HERE / name).write_text(text())
