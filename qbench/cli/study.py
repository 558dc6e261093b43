"""`qbench study`: a command an analysis, with the options of its record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from qbench.cli.common import FOLDER, out_option, output_options, run_stage
from qbench.cli.options import record_options
from qbench.studies import ANALYSES, find_analysis


class _Analyses(click.Group):
    """Finds its commands in the registry, those of other packages too."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all analyses."""
        del ctx
        return list(ANALYSES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of an analysis; None if there is none of that name."""
        del ctx
        return _command(cmd_name) if cmd_name in ANALYSES else None


@click.group(cls=_Analyses, epilog="Example: qbench study transfer out/bundle-* out/pgd-* --out out/transfer")
def command() -> None:
    """Analyse networks and their adversarial inputs, as the study did that qbench began with.

    FOLDERS are bundles, the advsets made against them and replays of them, in any order, all of the same
    data; of `claims`, folders that the other analyses wrote.
    """


def _command(name: str) -> click.Command:
    analysis = find_analysis(name)

    @click.command(name, help=analysis.summary)
    @click.argument("folders", nargs=-1, required=True, type=FOLDER)
    @out_option
    @record_options(analysis.options)
    @output_options
    def run(folders: tuple[Path, ...], out: Path, **options: Any) -> None:
        run_stage(analysis, folders, out, tables=analysis.tables, **options)

    return run
