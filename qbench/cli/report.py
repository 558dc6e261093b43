"""`qbench report`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import qbench
from qbench.cli.common import FOLDER, run_stage, stage_options


@click.command(epilog="Example: qbench report out/replay --out out/report")
@click.argument("replays", nargs=-1, required=True, type=FOLDER)
@stage_options
def command(replays: tuple[Path, ...], out: Path, seed: int, **options: Any) -> None:
    """Write what REPLAYS say as Markdown, JSON with its schema, and a picture."""
    from qbench.artifacts import load
    from qbench.reporting.tables import replay_tables

    del seed  # nothing is drawn here
    shown = [table for replay in replays for table in replay_tables(load(replay, "replay").content)]
    run_stage(qbench.report, replays, out, tables=lambda _: shown, **options)
