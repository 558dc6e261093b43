"""A study of claims as tables."""

from __future__ import annotations

from typing import Any

from qbench.artifacts import DataInfo
from qbench.artifacts.figures import Estimate
from qbench.reporting.cells import Table
from qbench.studies.claims.content import ClaimsStudy
from qbench.studies.tables import estimate_text


def tables(study: ClaimsStudy, data: DataInfo) -> tuple[Table, ...]:
    """What was found, as tables."""
    del data
    rows = tuple(
        (
            claim.name,
            claim.verdict,
            *(
                str(sum(each.verdict == verdict for each in claim.evidence))
                for verdict in ("confirmed", "refuted", "undecided")
            ),
            claim.statement,
        )
        for claim in study.claims
    )
    columns = ("claim", "verdict", "figures for", "against", "undecided", "statement")
    figures = tuple(
        (claim.name, each.text, estimate_text(_figure(each)), each.verdict)
        for claim in study.claims
        for each in claim.evidence
    )
    return (
        Table("The claims of arXiv 1909.12741", columns, rows, keys=2),
        Table("The evidence, with 95 % intervals", ("claim", "figure", "value", "says"), figures, keys=2),
    )


def _figure(evidence: Any) -> Estimate:
    return Estimate(count=0, value=evidence.value, low=evidence.low, high=evidence.high)


def sentences(study: ClaimsStudy) -> list[str]:
    """Each claim, and what is found here."""
    return [f"{each.statement} Here: {each.verdict}." for each in study.claims]
