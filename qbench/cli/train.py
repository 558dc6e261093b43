"""`qbench train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import qbench
from qbench.cli.common import Budget, run_stage, stage_options

if TYPE_CHECKING:
    from qbench.artifacts import TrainedContent
    from qbench.reporting.tables import Table

_FLOAT_BITS = 32


class _Bits(click.ParamType[int]):
    """1 to 8, or 32."""

    name = "1..8|32"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        bits = click.INT.convert(value, param, ctx)
        if bits not in (*range(1, 9), _FLOAT_BITS):
            self.fail(f"{value} bits: give 1 to 8, or {_FLOAT_BITS} for real numbers", param, ctx)
        return int(bits)


@click.command(
    epilog="Examples: qbench train digits-cnn --data digits --out out/digits; "
    "qbench train resnet8 --weight-bits 2 --act-bits 2 --data cifar10 --out out/w2a2"
)
@click.argument("network")
@click.option("--data", required=True, help="A data set: see `qbench datasets`.")
@click.option("--epochs", type=click.IntRange(1), help="In place of the recipe's.")
@click.option(
    "--from",
    "start",
    type=click.Path(exists=True, path_type=Path),
    help="Fine-tune this float network, a .keras file or a trained folder.",
)
@click.option(
    "--width", type=click.IntRange(1), help="Of a network that comes in several, such as study-cnn."
)
@click.option("--weight-bits", type=_Bits(), default=_FLOAT_BITS, show_default=True, help="Of the weights.")
@click.option("--act-bits", type=_Bits(), default=_FLOAT_BITS, show_default=True, help="Of the activations.")
@click.option(
    "--method",
    metavar="NAME",
    default="dorefa",
    show_default=True,
    help="Of quantization: dorefa, dorefa-max, binaryconnect, bnn or lsq.",
)
@click.option(
    "--end-weight-bits",
    type=_Bits(),
    help="Of the weights of the first and the last layer; as --weight-bits if not given, the study's choice.",
)
@click.option("--adversarial", type=click.Choice(["pgd"]), help="Train on the inputs of this attack.")
@click.option("--eps", type=Budget(), help="Its Linf budget in the data's own domain; a fraction is read.")
@click.option("--steps", type=click.IntRange(1), default=7, show_default=True, help="Its steps.")
@click.option(
    "--jacobian",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="Weight of a penalty on the Jacobian's squared norm.",
)
@stage_options
def command(network: str, data: str, out: Path, **options: Any) -> None:
    """Train NETWORK, one that `qbench models` lists, from its recipe."""
    run_stage(qbench.train, network, data, out, tables=_tables, **options)


def _tables(content: TrainedContent) -> list[Table]:
    from qbench.reporting.tables import Table

    bits = content.lowbit
    row = (
        content.network,
        content.data.name,
        "float" if bits is None else f"{bits.name} {bits.method}",
        str(content.epochs),
        f"{100 * content.train_accuracy:.2f}",
        f"{100 * content.test_accuracy:.2f}",
    )
    columns = ("network", "data", "widths", "epochs", "train accuracy %", "test accuracy %")
    return [Table("Trained", columns, (row,), keys=3)]
