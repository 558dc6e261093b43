"""`qbench report`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import qbench
from qbench.cli.common import FOLDER, out_option, output_options, run_stage
from qbench.cli.options import record_options
from qbench.stages.report.options import ReportOptions


@click.command(
    epilog="Examples: qbench report out/replay --out out/report --html; "
    "qbench report out/replay-* out/transfer out/masking --compare --html --out out/report"
)
@click.argument("folders", nargs=-1, required=True, type=FOLDER, metavar="REPLAYS... [STUDIES...]")
@out_option
@record_options(ReportOptions)
@output_options
def command(folders: tuple[Path, ...], out: Path, **options: Any) -> None:
    """Write what REPLAYS say as Markdown, JSON with its schema, and pictures; with --html, as a page.

    The page also shows STUDIES, folders that `qbench study` wrote.
    """
    from qbench.artifacts import load
    from qbench.reporting.tables import replay_tables

    studies = [each for each in folders if load(each).manifest.kind == "study"]
    replays = [each for each in folders if each not in studies]
    shown = [table for replay in replays for table in replay_tables(load(replay, "replay").content)]
    run_stage(qbench.report, replays, out, tables=lambda _: shown, studies=studies, **options)
