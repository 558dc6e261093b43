"""`qbench attack`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import qbench
from qbench.cli.common import BUNDLE, data_option, out_option, output_options, run_stage
from qbench.cli.options import record_options
from qbench.stages.attack.options import AttackOptions

if TYPE_CHECKING:
    from qbench.artifacts import AdvsetContent
    from qbench.reporting.cells import Table


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


_SHORTHANDS = ("steps", "step_size", "restarts", "budget")


@click.command(
    epilog="Examples: qbench attack out/bundle --data digits --attack pgd --eps 4/255,8/255 --out out/pgd; "
    "qbench attack int8.tflite --data cifar10 --attack pgd --eps 1/255 --out out/white-box"
)
@click.argument("bundle", type=BUNDLE, metavar="BUNDLE|FILE")
@data_option
@out_option
@record_options(AttackOptions)
@click.option("--steps", type=int, help="The same as --set steps=N.")
@click.option("--step-size", type=float, help="The same as --set step_size=SIZE.")
@click.option("--restarts", type=int, help="The same as --set restarts=N.")
@click.option(
    "--budget",
    type=int,
    help="Maximum number of queries per input, of query attacks; the same as --set budget=N.",
)
@click.option(
    "--set",
    "others",
    type=_Setting(),
    multiple=True,
    help="Setting of the attack, as `qbench attacks` lists it; may be repeated.",
)
@output_options
def command(bundle: Path, data: str, out: Path, others: tuple[tuple[str, str], ...], **options: Any) -> None:
    """Make adversarial inputs against BUNDLE's float network, its integer network, a runtime or a device.

    FILE is an integer .tflite or QDQ .onnx by itself, without a float network.
    """
    settings: dict[str, Any] = dict(others)
    for name in _SHORTHANDS:
        value = options.pop(name)
        if value is not None:
            settings[name] = value
    run_stage(qbench.attack, bundle, data, out, tables=_tables, **options, **settings)


def _tables(content: AdvsetContent) -> list[Table]:
    from qbench.reporting.tables import advset_tables

    return advset_tables(content)
