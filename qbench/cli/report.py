"""`qbench report`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import qbench
from qbench.cli.common import FOLDER, run_stage, stage_options


class _Formats(click.ParamType[tuple[str, ...]]):
    """Names with commas: `pdf,svg,png`."""

    name = "FORMAT[,FORMAT...]"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Each name once, in the order given."""
        del param, ctx
        words = value if isinstance(value, tuple) else value.split(",")
        return tuple(dict.fromkeys(word.strip() for word in words))


@click.command(
    epilog="Examples: qbench report out/replay --out out/report --html; "
    "qbench report out/replay-* out/transfer out/masking --compare --html --out out/report"
)
@click.argument("folders", nargs=-1, required=True, type=FOLDER, metavar="REPLAYS... [STUDIES...]")
@click.option("--html", is_flag=True, help="Write report.html too: one page that needs no other file.")
@click.option(
    "--figures",
    type=_Formats(),
    default=(),
    help="Write every picture of the page to figures/: pdf, svg, png.",
)
@click.option(
    "--advset",
    "advsets",
    multiple=True,
    type=FOLDER,
    help="The inputs that were replayed, if they do not lie beside REPLAYS; repeat for more.",
)
@click.option(
    "--compare", is_flag=True, help="Show replays of different networks or data side by side, on purpose."
)
@stage_options
def command(folders: tuple[Path, ...], out: Path, seed: int, **options: Any) -> None:
    """Write what REPLAYS say as Markdown, JSON with its schema, and pictures; with --html, as a page.

    The page also shows STUDIES, folders that `qbench study` wrote.
    """
    from qbench.artifacts import load
    from qbench.reporting.tables import replay_tables

    del seed  # nothing is drawn here
    studies = [each for each in folders if load(each).manifest.kind == "study"]
    replays = [each for each in folders if each not in studies]
    shown = [table for replay in replays for table in replay_tables(load(replay, "replay").content)]
    run_stage(qbench.report, replays, out, tables=lambda _: shown, studies=studies, **options)
