"""From trials to a verdict on gradient masking, in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from qbench.artifacts import PairedTest, Proportion
from qbench.studies.masking.trials import BatteryResult

# The share of inputs below which a sign of masking does not matter.
TOLERANCE = 0.05


def judge(network: str, outcome: BatteryResult) -> tuple[Literal["masked", "not masked", "undecided"], str]:
    """The verdict and its explanation.

    Masked: the 95 % interval of some sign lies beyond doubt on the wrong side. Not masked: the intervals of
    all signs lie within a tolerance of 5 % of the inputs. Undecided: neither.
    """
    if not outcome.zero_gradient.total:
        return "undecided", f"{network} gets none of the inputs right, so that nothing can be said."
    signs = list(_signs(outcome))
    shown = [text for present, _, text in signs if present]
    if shown:
        return "masked", (
            f"The gradients of {network} ({outcome.surrogate}) are masked: {'; '.join(shown)}. A gradient "
            "attack on it understates what an attacker can do."
        )
    open_ = [text for _, absent, text in signs if not absent]
    if open_:
        return "undecided", (
            f"Nothing shows beyond doubt that the gradients of {network} ({outcome.surrogate}) are masked, "
            f"but too few inputs were tried to rule it out: {'; '.join(open_)}."
        )
    return "not masked", (
        f"The gradients of {network} ({outcome.surrogate}) are of use: "
        f"{'; '.join(text for _, _, text in signs)}."
    )


def _signs(outcome: BatteryResult) -> Iterator[tuple[bool, bool, str]]:
    """Each sign: is it there, is it ruled out, and in words."""
    zero, unbounded = outcome.zero_gradient, outcome.unbounded
    text = f"the gradient vanishes on {_share(zero)} of the inputs"
    yield _low(zero) > TOLERANCE, _high(zero) <= TOLERANCE, text
    text = f"without a bound {_share(unbounded)} of the inputs break"
    yield (
        _high(unbounded) < 1 - TOLERANCE,
        _low(unbounded) >= 1 - TOLERANCE,
        text,
    )
    for each in outcome.comparisons:
        low, high = each.difference.low or 0.0, each.difference.high or 0.0
        yield low > 0, high <= TOLERANCE, _beaten(each)


def _beaten(test: PairedTest) -> str:
    value, low, high = (
        100 * (each or 0.0) for each in (test.difference.value, test.difference.low, test.difference.high)
    )
    relation = "fewer" if value >= 0 else "more"
    return (
        f"{test.second} leaves {abs(value):.1f} points {relation} inputs right than {test.first} "
        f"(difference {value:.1f} [{low:.1f}, {high:.1f}])"
    )


def _share(share: Proportion) -> str:
    return f"{100 * (share.value or 0):.1f} % [{100 * _low(share):.1f}, {100 * _high(share):.1f}]"


def _low(share: Proportion) -> float:
    return share.low or 0.0


def _high(share: Proportion) -> float:
    return 1.0 if share.high is None else share.high
