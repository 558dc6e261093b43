"""`qbench attack`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import qbench
from qbench.cli.common import BUNDLE, Budgets, baud_option, run_stage, stage_options

if TYPE_CHECKING:
    from qbench.artifacts import AdvsetContent
    from qbench.reporting.tables import Table


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
@click.option("--data", required=True, help="A data set: see `qbench datasets`.")
@click.option(
    "--attack",
    required=True,
    metavar="NAME",
    help="One that `qbench attacks` lists, or paper:fgsm, paper:bim, paper:cw, paper:zoo, paper:spsa.",
)
@click.option(
    "--eps",
    type=Budgets(),
    help="Budgets in the data's own domain; fractions are read. An attack for the smallest perturbation "
    "needs none.",
)
@click.option(
    "--surrogate",
    help="Whose gradient is followed: float, or lifted:RULE, the integer network itself, with RULE ste, "
    "clipped-ste, identity-relu, smooth or float; float if not given, and lifted:clipped-ste of a FILE.",
)
@click.option(
    "--oracle", metavar="RUNTIME", help="Attack a runtime by queries: one that `qbench runtimes` lists."
)
@click.option(
    "--device",
    metavar="PORT",
    help="Attack a device by queries: a port, as of `qbench replay`, or qemu:BOARD.",
)
@baud_option
@click.option(
    "--norm", type=click.Choice(["linf", "l2", "l1"]), help="Of the ball; the attack's own if not given."
)
@click.option("--steps", type=int, help="The same as --set steps=N.")
@click.option("--step-size", type=float, help="The same as --set step_size=SIZE.")
@click.option("--restarts", type=int, help="The same as --set restarts=N.")
@click.option("--budget", type=int, help="Queries for each input, of an attack that asks; --set budget=N.")
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
    help="Inputs drawn from the test split; 1000 if neither this nor the preset says.",
)
@click.option(
    "--only-correct",
    is_flag=True,
    default=None,
    help="Draw only inputs that the attacked network gets right.",
)
@click.option(
    "--grid",
    type=click.Choice(["float", "uint8"]),
    help="uint8 keeps the result on the pixel grid, as a camera would deliver it; the default for an oracle "
    "with that grid.",
)
@click.option(
    "--batch",
    type=click.IntRange(1),
    default=256,
    show_default=True,
    help="Inputs a pass; changes memory, and results by float rounding at most.",
)
@click.option(
    "--target",
    metavar="CLASS",
    help="The class to reach, by name or number, or least-likely, what the network says of each clean input; "
    "any but the true one if not given.",
)
@click.option(
    "--checks/--no-checks",
    default=True,
    show_default=True,
    help="Look for signs that the result deserves no belief.",
)
@stage_options
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
