"""What a table is, and how figures are written in one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from qbench.artifacts import DataInfo, Domain, Proportion
from qbench.attacks.norms import widest
from qbench.quant import Norm
from qbench.text import markdown

NOTHING = "–"  # noqa: RUF001 - an en dash is the usual mark of an empty cell
_UNBOUNDED = "unbounded"


@dataclass(frozen=True)
class Table:
    """A titled table of strings; the first `keys` columns name the row, the others hold figures."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    keys: int = 1

    def markdown(self) -> str:
        """A GitHub-flavoured Markdown table under a heading of level 3."""
        rule = ["---" if i < self.keys else "---:" for i in range(len(self.columns))]
        columns, *rows = (tuple(map(markdown, line)) for line in (self.columns, *self.rows))
        lines = [columns, tuple(rule), *rows]
        title = f"### {markdown(self.title)}"
        return "\n".join([title, "", *("| " + " | ".join(line) + " |" for line in lines), ""])


def missing_text(missing: Sequence[str]) -> str:
    """That a report or an analysis had to do without something."""
    return f"Incomplete: made without {', '.join(missing)}, which could not be made."


def eps_text(eps: float, domain: Domain) -> str:
    """A budget's number as people type it: `8/255` for pixels, a plain number elsewhere."""
    if domain.name == "image" and eps < domain.high:  # a longer distance is no change of a pixel
        levels = Fraction(eps * 255).limit_denominator(64)
        if abs(float(levels) - eps * 255) < 1e-6:
            return f"{float(levels):g}/255"
    return f"{eps:g}"


def budget_text(eps: float, data: DataInfo, norm: Norm) -> str:
    """A budget in a table or a picture: its number, or "unbounded" if any input of the domain is in reach."""
    width = data.domain.high - data.domain.low
    if eps >= widest(width, math.prod(data.input_shape), norm):
        return _UNBOUNDED
    return eps_text(eps, data.domain)


def budget_phrase(eps: float, data: DataInfo, norm: Norm) -> str:
    """The same behind an "at" or "from"."""
    text = budget_text(eps, data, norm)
    return "an unbounded budget" if text == _UNBOUNDED else text


def percent(share: Proportion, *, interval: bool = True) -> str:
    """A share in percent, with its interval in brackets."""
    if share.value is None or share.low is None or share.high is None:
        return NOTHING
    text = f"{100 * share.value:.1f}"
    return f"{text} [{100 * share.low:.1f}, {100 * share.high:.1f}]" if interval else text
