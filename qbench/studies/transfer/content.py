"""What a study of transfer found."""

from __future__ import annotations

from typing import Literal

from qbench.artifacts.base import Record
from qbench.artifacts.figures import Proportion
from qbench.studies.content import AnalysisResult, AttackPoint


class TransferCell(Record):
    """An attack on one network, tried on another.

    Attributes:
        at: the attack.
        target: the network that it is tried on.
        runtime: that executes the target; "float" where it has no integer artefact.
        accuracy: the target still right, over inputs that both get right when clean.
        transfer: the target fooled, over those of them that fooled the attacked network.
    """

    at: AttackPoint
    target: str
    runtime: str
    accuracy: Proportion
    transfer: Proportion


class TransferStudy(AnalysisResult):
    """The transfer matrix."""

    analysis: Literal["transfer"] = "transfer"
    cells: tuple[TransferCell, ...]
