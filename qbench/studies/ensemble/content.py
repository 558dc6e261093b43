"""What a study of the ensemble defense found."""

from __future__ import annotations

from typing import Literal

from qbench.artifacts.advsets import CountSummary
from qbench.artifacts.base import Record
from qbench.artifacts.figures import PairedTest, Proportion
from qbench.studies.content import AnalysisResult, AttackPoint


class EnsembleRow(Record):
    """The ensemble on one set of inputs.

    Attributes:
        at: the attack; None for clean inputs. An adaptive attack's network is "ensemble".
        majority, averaged: classified right by each vote.
        single: classified right by the best member.
        rejected: inputs on which fewer than `agreement` members agree.
        wrong_accepted: inputs that pass and are classified wrong.
        gain: the averaged vote against the best member.
        rejection_gain: not fooled (right or rejected) against the best member's right ones.
    """

    at: AttackPoint | None
    adaptive: bool
    majority: Proportion
    averaged: Proportion
    single: Proportion
    rejected: Proportion
    wrong_accepted: Proportion
    gain: PairedTest
    rejection_gain: PairedTest


class MemberCost(Record):
    """What a member adds on a board.

    Attributes:
        flash_bytes: of its integer artefact; None if it has none.
        arena_bytes, counts, counter, board: of a replay on a device, where one is given.
    """

    network: str
    runtime: str
    flash_bytes: int | None
    arena_bytes: int | None
    board: str | None
    counter: str | None
    counts: CountSummary | None


class EnsembleCost(Record):
    """Sums over the members; None where one is unknown, or where boards or counters differ."""

    flash_bytes: int | None
    arena_bytes: int | None
    median_count: int | None
    counter: str | None


class EnsembleStudy(AnalysisResult):
    """The ensemble defense; `agreement` is how many members must agree to accept an input."""

    analysis: Literal["ensemble"] = "ensemble"
    members: tuple[MemberCost, ...]
    best_member: str
    agreement: int
    rows: tuple[EnsembleRow, ...]
    cost: EnsembleCost
