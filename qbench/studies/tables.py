"""What the tables of all studies share."""

from __future__ import annotations

from qbench.artifacts import DataInfo, Estimate, PairedTest
from qbench.reporting.cells import NOTHING, Table, budget_text
from qbench.studies import find_analysis
from qbench.studies.content import AttackPoint, StudyContent


def study_tables(content: StudyContent) -> tuple[Table, ...]:
    """The tables of an analysis."""
    return find_analysis(content.result.analysis).tables(content)


def estimate_text(estimate: Estimate, scale: float = 1.0, digits: int = 3) -> str:
    """A mean or difference with its interval in brackets; `digits` are significant ones."""
    if estimate.value is None:
        return NOTHING
    text = f"{scale * estimate.value:.{digits}g}"
    if estimate.low is None or estimate.high is None:
        return text
    return f"{text} [{scale * estimate.low:.{digits}g}, {scale * estimate.high:.{digits}g}]"


def attack_text(at: AttackPoint, data: DataInfo) -> str:
    """An attack without its network: name, norm and budget."""
    return f"{at.attack} {at.norm} {budget_text(at.eps, data, at.norm)}"


def comparison_text(test: PairedTest) -> tuple[str, str]:
    """The difference in points of a percent, and McNemar's p."""
    return estimate_text(test.difference, 100), f"{test.p_value:.2g}"
