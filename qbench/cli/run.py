"""`qbench run`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from qbench.cli.common import OUT, output_options, show_tables
from qbench.text import shown

if TYPE_CHECKING:
    from qbench.experiment import Outcome, Plan
    from qbench.reporting.cells import Table

_STATES = ("made", "found", "failed", "skipped")


@click.command(
    epilog="Examples: qbench run experiments/digits.toml --dry-run; "
    "qbench run experiments/digits.toml --jobs 2; "
    "qbench run study.toml --cluster tcp://scheduler:8786"
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", type=OUT, metavar="DIR", help="Folder of the run, in place of the file's.")
@click.option("--dry-run", is_flag=True, help="Print the plan with its estimated cost, and do nothing.")
@click.option(
    "--jobs", type=click.IntRange(1), help="Tasks side by side; as many as there are cores if not given."
)
@click.option(
    "--cluster", metavar="ADDRESS", help="Of a Dask scheduler that does the work: tcp://scheduler:8786."
)
@click.option("--force", is_flag=True, help="Do everything anew, replacing what is there.")
@output_options
def command(
    file: Path, out: Path | None, *, dry_run: bool, quiet: bool, as_json: bool, **options: Any
) -> None:
    """Do the experiment that FILE, a TOML file, describes; what is done already is found.

    A task that fails stops only those that need it, and the command ends with its exit code.
    """
    from qbench.cli.terminal import RunProgress
    from qbench.experiment import plan, read, run

    planned = plan(read(file), out)
    if dry_run:
        if as_json:
            click.echo(planned.model_dump_json(indent=2))
        elif not quiet:
            show_tables([_plan_table(planned)])
            click.echo(shown(_cost(planned)))
        return
    with RunProgress(len(planned.tasks), quiet=quiet) as progress:
        outcomes = run(planned, watch=progress, **options)
    if as_json:
        parts = {
            "name": planned.name,
            "out": planned.out,
            "tasks": [each.model_dump(mode="json") for each in outcomes],
        }
        click.echo(json.dumps(parts, indent=2))
    elif not quiet:
        _summarize(planned, outcomes)
    codes = [each.failure.exit_code for each in outcomes if each.failure]
    click.get_current_context().exit(max(codes, default=0))


def _plan_table(planned: Plan) -> Table:
    """Every task with what it may cost."""
    from qbench.reporting.cells import Table

    rows = tuple(
        (task.id, task.kind, _duration(task.seconds), f"{task.memory / 2**30:g} GiB", task.board or "")
        for task in planned.tasks
    )
    return Table(f"Plan of {planned.name}", ("task", "kind", "time", "memory", "board"), rows, keys=2)


def _cost(planned: Plan) -> str:
    """What all tasks may cost together."""
    seconds = sum(task.seconds for task in planned.tasks)
    return (
        f"{len(planned.tasks)} tasks, {planned.threads} thread(s) each, about {_duration(seconds)} one after "
        f"the other (estimates, good to a factor of a few), into {planned.out}"
    )


def _duration(seconds: float) -> str:
    """Seconds as people say it."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _summarize(planned: Plan, outcomes: tuple[Outcome, ...]) -> None:
    """How many tasks ended how, and why those failed that did."""
    for state in ("failed", "skipped"):
        for each in outcomes:
            if each.state == state and each.failure:
                click.echo(
                    click.style(f"{state}: ", fg="red" if state == "failed" else "yellow") + shown(each.id)
                )
                failure = each.failure
                said = {"": failure.what, "likely cause: ": failure.cause, "next step: ": failure.hint}
                for label, text in said.items():
                    if text:
                        click.echo(shown(f"  {label}{text}"))
    counts = {state: sum(each.state == state for each in outcomes) for state in _STATES}
    words = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    click.echo(shown(f"experiment {planned.name}: {words}: {planned.out}"))
