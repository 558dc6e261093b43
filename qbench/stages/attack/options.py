"""The options of attacking; those of the attack itself are in its own record of settings."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from qbench.attacks.budgets import parse_eps
from qbench.options import Budget, Count, RunOptions, Seed, Threads, Typed
from qbench.quant import Norm


def _parse_budgets(value: Any) -> Any:
    """Budgets from `1/255,2/255`, or from one number."""
    if isinstance(value, str):
        return parse_eps(value)
    return (value,) if isinstance(value, int | float) else value


Budgets = Annotated[tuple[Budget, ...], BeforeValidator(_parse_budgets), Typed(metavar="EPS[,EPS...]")]


class AttackOptions(RunOptions):
    """Of `qbench attack`; a name beyond these is one of the attack's own settings."""

    model_config = ConfigDict(extra="allow")

    attack: Annotated[
        str,
        Field(
            description="One that `qbench attacks` lists, or paper:fgsm, paper:bim, paper:cw, paper:zoo, "
            "paper:spsa."
        ),
        Typed(metavar="NAME"),
    ]
    eps: Annotated[
        Budgets | None,
        Field(
            description="Budgets in the data's own domain; fractions are read. An attack for the smallest "
            "perturbation needs none."
        ),
    ] = None
    surrogate: Annotated[
        str | None,
        Field(
            description="Whose gradient is followed: float, or lifted:RULE, the integer network itself, with "
            "RULE ste, clipped-ste, identity-relu, smooth or float; float if not given, and "
            "lifted:clipped-ste of a FILE."
        ),
    ] = None
    oracle: Annotated[
        str | None,
        Field(description="Attack a runtime by queries: one that `qbench runtimes` lists."),
        Typed(metavar="RUNTIME"),
    ] = None
    device: Annotated[
        str | None,
        Field(
            exclude=True,
            description="Attack a device by queries: a port, as of `qbench replay`, or qemu:BOARD.",
        ),
        Typed(metavar="PORT"),
    ] = None
    baud: Annotated[
        Count | None, Field(exclude=True, description="Of a serial line; 115200 if not given.")
    ] = None
    threads: Threads = None
    norm: Annotated[Norm | None, Field(description="Of the ball; the attack's own if not given.")] = None
    count: Annotated[
        Count | None,
        Field(description="Inputs drawn from the test split; 1000 if neither this nor the preset says."),
    ] = None
    only_correct: Annotated[
        bool | None, Field(description="Draw only inputs that the attacked network gets right.")
    ] = None
    grid: Annotated[
        Literal["float", "uint8"] | None,
        Field(
            description="uint8 keeps the result on the pixel grid, as a camera would deliver it; the default "
            "for an oracle with that grid."
        ),
    ] = None
    batch: Annotated[
        Count,
        Field(description="Inputs a pass; changes memory, and results by float rounding at most."),
    ] = 256
    target: Annotated[
        str | int | None,
        Field(
            description="The class to reach, by name or number, or least-likely, what the network says of "
            "each clean input; any but the true one if not given."
        ),
        Typed(metavar="CLASS"),
    ] = None
    checks: Annotated[bool, Field(description="Look for signs that the result deserves no belief.")] = True
    seed: Seed = 0
