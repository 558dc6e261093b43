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


class _Setting(click.ParamType[tuple[str, str]]):
    """A setting of the attack, which checks it."""

    name = "NAME=VALUE"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, separator, told = value.partition("=")
        if not (name and separator and told):
            self.fail(f"{value!r} is not of the form NAME=VALUE", param, ctx)
        return name.replace("-", "_"), told


_SHORTHANDS = ("steps", "step_size", "restarts")


@click.command(
    epilog="Example: qbench attack out/bundle --data digits --attack pgd --eps 4/255,8/255 --out out/pgd"
)
@click.argument("bundle", type=FOLDER)
@click.option("--data", required=True, help="A data set: see `qbench datasets`.")
@click.option("--attack", required=True, metavar="NAME", help="One that `qbench attacks` lists.")
@click.option(
    "--eps", type=_Budgets(), required=True, help="Budgets in the data's own domain; fractions are read."
)
@click.option(
    "--norm", type=click.Choice(["linf", "l2", "l1"]), help="Of the ball; the attack's own if not given."
)
@click.option("--steps", type=int, help="The same as --set steps=N.")
@click.option("--step-size", type=float, help="The same as --set step_size=SIZE.")
@click.option("--restarts", type=int, help="The same as --set restarts=N.")
@click.option(
    "--set",
    "others",
    type=_Setting(),
    multiple=True,
    help="Any setting that `qbench attacks` lists for the attack; repeat for more.",
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
def command(bundle: Path, data: str, out: Path, others: tuple[tuple[str, str], ...], **options: Any) -> None:
    """Make adversarial inputs against BUNDLE's float network."""
    settings: dict[str, Any] = dict(others)
    for name in _SHORTHANDS:
        value = options.pop(name)
        if value is not None:
            settings[name] = value
    run_stage(qbench.attack, bundle, data, out, tables=_tables, **options, **settings)


def _tables(content: AdvsetContent) -> list[Table]:
    from qbench.reporting.tables import advset_table

    return [advset_table(content)]
