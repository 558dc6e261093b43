"""Reading and checking perturbation budgets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from qbench.artifacts import Domain
from qbench.attacks.norms import widest
from qbench.errors import UserError
from qbench.quant import Norm


def parse_eps(text: str) -> tuple[float, ...]:
    """Budgets from `1/255,2/255` or `0.5`.

    Raises:
        UserError: a part is not a number or a fraction.
    """
    try:
        return tuple(float(Fraction(part.strip())) for part in text.split(","))
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise UserError(
            f"{text!r} is not a list of budgets", hint="write numbers or fractions with commas: 1/255,2/255"
        ) from error


def check_eps(eps: Sequence[float], domain: Domain, norm: Norm, elements: int) -> None:
    """Refuse budgets that mean nothing in a domain.

    Args:
        eps: the budgets, in the domain's unit.
        domain: of the inputs.
        norm: of the ball.
        elements: of one input, which bounds an L2 or L1 distance.

    Raises:
        UserError: none is given, one is given twice, or one is not positive or wider than the domain.
    """
    largest = widest(domain.high - domain.low, elements, norm)
    if not eps or len(set(eps)) < len(eps):
        raise UserError("budgets must be given, each once", hint="for example --eps 1/255,2/255")
    for each in eps:
        if not (math.isfinite(each) and each > 0):
            raise UserError(f"eps {each:g} is not a positive number")
        if each > largest:
            raise UserError(
                f"eps {each:g} is wider than the whole {domain.name} domain, which is {largest:g}",
                cause=f"a budget is stated in the domain's own unit, {domain.low:g} to {domain.high:g}",
                hint=f"for pixels in [0, 1], write {each:g}/255" if domain.name == "image" else None,
            )
