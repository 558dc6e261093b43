"""Options that every stage command shares, and how each prints its result."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from qbench.cli.terminal import Terminal
from qbench.text import shown

if TYPE_CHECKING:
    from qbench.artifacts import Artifact
    from qbench.reporting.cells import Table

F = TypeVar("F", bound=Callable[..., Any])

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
BUNDLE = click.Path(exists=True, path_type=Path)
OUT = click.Path(path_type=Path)


class Budgets(click.ParamType[tuple[float, ...]]):
    """Numbers or fractions with commas: `1/255,2/255`."""

    name = "EPS[,EPS...]"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """The budgets, in the data's own domain."""
        del param, ctx
        if isinstance(value, tuple):
            return value
        from qbench.attacks.budgets import parse_eps

        return parse_eps(value)


def data_option(function: F) -> F:
    """Add `--data`."""
    return click.option("--data", required=True, help="Data set, as `qbench datasets` describes.")(function)


def out_option(function: F) -> F:
    """Add `--out`."""
    return click.option("--out", type=OUT, required=True, metavar="DIR", help="Output folder.")(function)


def output_options(function: F) -> F:
    """Add `--quiet` and `--json`."""
    quiet = click.option("--quiet", is_flag=True, help="Suppress progress, notes and tables.")
    as_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
    return as_json(quiet(function))


def baud_option(function: F) -> F:
    """Add `--baud`."""
    option = click.option(
        "--baud", type=click.IntRange(1), help="Baud rate of the serial line; default 115200."
    )
    return option(function)


def run_stage(
    stage: Callable[..., Artifact[Any]],
    *args: Any,
    quiet: bool,
    as_json: bool,
    tables: Callable[[Any], Iterable[Table]],
    **settings: Any,
) -> None:
    """Call a stage, showing its progress, and print what it made."""
    with Terminal(quiet=quiet).working() as progress:
        made = stage(*args, progress=progress, **settings)
    if as_json:
        click.echo(
            json.dumps(
                {"path": str(made.path), "reused": made.reused, **made.manifest.model_dump(mode="json")},
                indent=2,
            )
        )
        return
    if quiet:
        return
    show_tables(tables(made.content))
    state = "found finished" if made.reused else "written"
    click.echo(shown(f"{made.manifest.kind} {state}: {made.path}"))


def show_tables(tables: Iterable[Table]) -> None:
    """Print tables on the terminal, figures to the right; prose is folded, names are not."""
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        console = Console(width=140)
    for table in tables:
        drawn = RichTable(
            title=Text(shown(table.title)), box=box.SIMPLE_HEAD, title_justify="left", title_style="bold"
        )
        for i, column in enumerate(table.columns):
            justify: Literal["left", "right"] = "left" if i < table.keys else "right"
            drawn.add_column(Text(shown(column)), justify=justify, no_wrap=i == 0)
        last: tuple[str, ...] = ()
        for row in table.rows:
            repeated = table.keys > 1 and row[:1] == last[:1]
            drawn.add_row("" if repeated else Text(shown(row[0])), *(Text(shown(cell)) for cell in row[1:]))
            last = row
        console.print(drawn)
