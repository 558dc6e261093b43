"""`qbench check`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import qbench
from qbench.cli.common import FOLDER, Budgets, show_tables
from qbench.errors import CheckFailed
from qbench.text import shown

if TYPE_CHECKING:
    from qbench.stages.check import Gate


class _Share(click.ParamType[float]):
    """A share: `0.35` or `35%`; of a difference, `1pp`."""

    name = "SHARE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The share, as a number from 0 to 1 if it makes sense."""
        if isinstance(value, float):
            return value
        digits = value.strip().removesuffix("pp").removesuffix("%").rstrip()
        try:
            return float(digits) / (1 if digits == value.strip() else 100)
        except ValueError:
            self.fail(f"{value!r} is not a share, like 0.35, 35% or 1pp", param, ctx)


@click.command(
    epilog="Example: qbench check out/replay --min-robust-accuracy 0.35 --at 4/255 --max-clean-drop 1pp "
    "--max-disagreement 0.5%"
)
@click.argument("replay", type=FOLDER)
@click.option(
    "--min-robust-accuracy",
    type=_Share(),
    help="Least share of all inputs that is right under attack, at every budget of --at.",
)
@click.option(
    "--min-robust-auc",
    type=_Share(),
    help="Least area under the ROC curve of an anomaly detector under attack, at every budget of --at.",
)
@click.option("--at", type=Budgets(), default=(), help="Budgets of the replay; fractions are read.")
@click.option(
    "--max-clean-drop",
    type=_Share(),
    help="Most clean accuracy that may be lost: since --baseline, else against the replay's float runtime.",
)
@click.option(
    "--max-disagreement",
    type=_Share(),
    help="Largest share of inputs that a runtime may label otherwise than tflite-ref, or than any other "
    "if the replay does not have that: of clean inputs, and of those at each --at.",
)
@click.option("--baseline", type=FOLDER, help="Replay of an older release, on the same data.")
@click.option(
    "--junit", type=click.Path(dir_okay=False, path_type=Path), help="Write JUnit XML to this file."
)
@click.option(
    "--annotations",
    type=click.Choice(["github", "none"]),
    help="Failures as annotations on the error stream; github where GITHUB_ACTIONS is set, if not given.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(replay: Path, junit: Path | None, annotations: str | None, as_json: bool, **bounds: Any) -> None:
    """Judge every integer runtime of REPLAY by bounds, and exit with 1 if one is broken.

    A bound holds only if the bad end of the figure's 95 % interval keeps it.
    """
    from qbench.gating.formats import github_annotations, write_junit

    gate = qbench.check(replay, **bounds)
    if junit is not None:
        write_junit(gate.verdicts, junit)
    if annotations == "github" or (annotations is None and os.environ.get("GITHUB_ACTIONS") == "true"):
        for line in github_annotations(gate.verdicts):
            click.echo(line, err=True)
    _show(gate, as_json=as_json)
    if not gate.passed:
        raise click.exceptions.Exit(CheckFailed.exit_code)


def _show(gate: Gate, *, as_json: bool) -> None:
    """As JSON; or a table, then what is broken, in words."""
    from qbench.gating.formats import verdict_table

    if as_json:
        click.echo(json.dumps(gate.model_dump(mode="json"), indent=2))
        return
    show_tables([verdict_table(gate.verdicts)])
    broken = [each for each in gate.verdicts if not each.holds]
    for each in broken:
        click.echo(shown(f"{each.rule}: {each.reason}"), err=True)
    state = f"failed: {len(broken)} of {len(gate.verdicts)} verdicts" if broken else "passed"
    click.echo(f"gate {state}")
