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
            description="Name of the attack, as `qbench attacks` lists it; or paper:fgsm, paper:bim, "
            "paper:cw, "
            "paper:zoo, paper:spsa."
        ),
        Typed(metavar="NAME"),
    ]
    eps: Annotated[
        Budgets | None,
        Field(
            description="Perturbation budgets in the unit of the data, as numbers or fractions: 4/255,8/255. "
            "Optional for minimum-norm attacks."
        ),
    ] = None
    surrogate: Annotated[
        str | None,
        Field(
            description="Network whose gradient the attack uses: float, or lifted:RULE, the integer "
            "network itself, with "
            "RULE ste, clipped-ste, identity-relu, smooth or float; float if not given, and "
            "lifted:clipped-ste of a FILE. autoattack-int8 takes several with commas; by default float, "
            "lifted:smooth and lifted:clipped-ste."
        ),
    ] = None
    oracle: Annotated[
        str | None,
        Field(description="Runtime to attack by queries, as `qbench runtimes` lists it."),
        Typed(metavar="RUNTIME"),
    ] = None
    device: Annotated[
        str | None,
        Field(
            exclude=True,
            description="Device to attack by queries: a serial port or qemu:BOARD, as for `qbench replay`.",
        ),
        Typed(metavar="PORT"),
    ] = None
    baud: Annotated[
        Count | None, Field(exclude=True, description="Baud rate of the serial line; default 115200.")
    ] = None
    threads: Threads = None
    norm: Annotated[
        Norm | None, Field(description="Norm of the perturbation; default: the attack's first norm.")
    ] = None
    count: Annotated[
        Count | None,
        Field(description="Number of test inputs to attack; default 1000, or what the preset says."),
    ] = None
    only_correct: Annotated[
        bool | None, Field(description="Attack only inputs that the network classifies correctly.")
    ] = None
    grid: Annotated[
        Literal["float", "uint8"] | None,
        Field(
            description="uint8 rounds adversarial inputs to the 8-bit pixel grid, as a camera "
            "delivers them; default for "
            "an oracle with that grid."
        ),
    ] = None
    batch: Annotated[
        Count,
        Field(description="Batch size; affects memory use, and results only by float rounding."),
    ] = 256
    target: Annotated[
        str | int | None,
        Field(
            description="Target class, by name or number, or least-likely: the class with the lowest "
            "score for "
            "each clean input. Default: untargeted."
        ),
        Typed(metavar="CLASS"),
    ] = None
    checks: Annotated[bool, Field(description="Check whether the result is reliable.")] = True
    seed: Seed = 0
