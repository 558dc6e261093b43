"""What a study of direct attacks found."""

from __future__ import annotations

from typing import Literal

from qbench.artifacts.base import Record
from qbench.artifacts.figures import Estimate, PairedTest, Proportion
from qbench.studies.content import AnalysisResult, AttackPoint


class DirectRow(Record):
    """What an attack did to the network that it was made against.

    Attributes:
        protocol: "paper": inputs that the network gets right when clean, at most 1,000; "all": every input.
        accuracy: still classified right (adversarial accuracy).
        successes: inputs classified right when clean and wrong when attacked.
        sizes: by the name of a norm, the mean size of the successes.
    """

    at: AttackPoint
    protocol: Literal["paper", "all"]
    accuracy: Proportion
    successes: int
    sizes: dict[Literal["l0", "l1", "l2", "linf"], Estimate]


class DirectStudy(AnalysisResult):
    """Direct attacks; `comparisons` hold pairs of networks, on inputs that both get right when clean."""

    analysis: Literal["direct"] = "direct"
    rows: tuple[DirectRow, ...]
    comparisons: tuple[tuple[AttackPoint, PairedTest], ...]
