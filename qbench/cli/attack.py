"""`qbench attack`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import qbench
from qbench.cli.common import FOLDER, run_stage, stage_options

if TYPE_CHECKING:
    from qbench.artifacts import AdvsetContent
    from qbench.reporting.tables import Table


class _Budgets(click.ParamType[tuple[float, ...]]):
    """Numbers or fractions with commas: `1/255,2/255`."""

    name = "EPS[,EPS...]"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        del param, ctx
        if isinstance(value, tuple):
            return value
        from qbench.attacks.budgets import parse_eps

        return parse_eps(value)


@click.command(
    epilog="Example: qbench attack out/bundle --data digits --attack pgd --eps 4/255,8/255 --out out/pgd"
)
@click.argument("bundle", type=FOLDER)
@click.option("--data", required=True, help="A data set: see `qbench datasets`.")
@click.option("--attack", required=True, help="fgsm, bim or pgd.")
@click.option(
    "--eps", type=_Budgets(), required=True, help="Budgets in the data's own domain; fractions are read."
)
@click.option("--norm", type=click.Choice(["linf", "l2"]), default="linf", show_default=True)
@click.option("--steps", type=click.IntRange(1), help="Gradient steps; the attack's own number if not given.")
@click.option("--step-size", type=float, help="Absolute; derived from eps and steps if not given.")
@click.option(
    "--restarts", type=click.IntRange(1), default=1, show_default=True, help="Random starts; the best counts."
)
@click.option(
    "--count",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help="Inputs drawn from the test split.",
)
@click.option("--only-correct", is_flag=True, help="Draw only inputs that the surrogate gets right.")
@click.option(
    "--grid",
    type=click.Choice(["float", "uint8"]),
    default="float",
    show_default=True,
    help="uint8 keeps the result on the pixel grid, as a camera would deliver it.",
)
@click.option(
    "--batch",
    type=click.IntRange(1),
    default=256,
    show_default=True,
    help="Inputs a pass; changes memory, and results by float rounding at most.",
)
@stage_options
def command(bundle: Path, data: str, out: Path, **options: Any) -> None:
    """Make adversarial inputs that climb the loss of BUNDLE's float network."""
    run_stage(qbench.attack, bundle, data, out, tables=_tables, **options)


def _tables(content: AdvsetContent) -> list[Table]:
    from qbench.reporting.tables import advset_table

    return [advset_table(content)]
