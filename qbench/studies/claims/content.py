"""The paper's claims, held against the evidence."""

from __future__ import annotations

from typing import Literal

from qbench.artifacts.base import Record
from qbench.studies.content import AnalysisResult

ClaimStatus = Literal["confirmed", "refuted", "undecided"]


class ClaimEvidence(Record):
    """One figure that bears on a claim; `value` in the unit that `text` names."""

    text: str
    value: float | None
    low: float | None
    high: float | None
    verdict: ClaimStatus


class Claim(Record):
    """A claim of Bernhard, Moellic and Dutertre (2019), held against the evidence.

    Attributes:
        statement: theirs, in our words.
        rule: when an interval confirms and when it refutes.
        evidence: what there is; empty if no analysis bears on it.
    """

    name: str
    statement: str
    rule: str
    evidence: tuple[ClaimEvidence, ...]
    verdict: ClaimStatus


class ClaimsStudy(AnalysisResult):
    """The paper's claims."""

    analysis: Literal["claims"] = "claims"
    claims: tuple[Claim, ...]
